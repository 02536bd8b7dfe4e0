"""The customer's page of a payment request."""

from __future__ import annotations

from datetime import date
from urllib.parse import urlsplit

import pytest
from django.test import Client
from pytest_django import Settings

from partway.accounts.models import Member
from partway.billing import links
from partway.billing.models import Event, Invoice, Payment, PaymentRequest
from partway.lib import clock
from tests.pay.customer_browser import without_versions
from tests.support import personas


def test_request_page_shows_issuer_amount_and_left(dana: Client, invoice: Invoice) -> None:
    personas.captured_payment(invoice, 25_000)
    text = dana.get(links.request_url(personas.request_payment(invoice))).text
    assert "Alder Joinery asks Dana Whitfield for" in text
    assert "First stage." in text
    for amount in ("$1,000", "$250", "$300", "$450"):
        assert f'<span class="amount">{amount}<' in text


def test_request_page_shows_stage_bar(dana: Client, request_: PaymentRequest) -> None:
    text = dana.get(links.request_url(request_)).text
    assert 'aria-label="Paid $0.00 of $1,000.00, $300.00 requested"' in text


def test_request_page_has_one_pay_button_with_amount(dana: Client, request_: PaymentRequest) -> None:
    text = dana.get(links.request_url(request_)).text
    assert text.count("button-primary") == 1
    assert ">Pay $300.00</button>" in text


def test_request_page_shows_folded_invoice_lines(dana: Client, request_: PaymentRequest) -> None:
    text = dana.get(links.request_url(request_)).text
    assert "<details" in text
    assert "Oak staircase" in text


def test_request_page_head_reveals_only_issuer(dana: Client, request_: PaymentRequest) -> None:
    head = without_versions(dana.get(links.request_url(request_)).text.partition("</head>")[0])
    assert "Payment request from Alder Joinery" in head
    for secret in ("300", "INV-", "Dana", "stage"):
        assert secret not in head


def test_request_page_escapes_note(dana: Client, invoice: Invoice) -> None:
    request = personas.request_payment(invoice)
    PaymentRequest.objects.update(note="<script>alert(1)</script>")
    assert "<script>alert" not in dana.get(links.request_url(request)).text


def test_request_page_is_not_cached_or_indexed(dana: Client, request_: PaymentRequest) -> None:
    response = dana.get(links.request_url(request_))
    assert "no-store" in response["Cache-Control"]
    assert response["X-Robots-Tag"] == "noindex, nofollow"
    assert response["Referrer-Policy"] == "same-origin"


def test_request_page_csp_form_action_allows_only_gateway(
    dana: Client, request_: PaymentRequest, settings: Settings
) -> None:
    policy = dana.get(links.request_url(request_))["Content-Security-Policy"]
    assert f"form-action 'self' {settings.PARTWAY_GATEWAY_URLS['sandbox']};" in policy + ";"
    assert "unsafe" not in policy


def test_request_page_marks_sandbox(dana: Client, request_: PaymentRequest) -> None:
    assert "no real money moves" in dana.get(links.request_url(request_)).text


def test_request_link_without_trailing_slash_opens(dana: Client, request_: PaymentRequest) -> None:
    assert dana.get(links.request_url(request_).removesuffix("/")).status_code == 200


def test_request_page_shows_expires_at(dana: Client, request_: PaymentRequest) -> None:
    PaymentRequest.objects.update(expires_at=clock.end_of_day(date(2126, 11, 30), "America/New_York"))
    assert "This link can be paid until Nov 30, 2126." in dana.get(links.request_url(request_)).text


def test_request_page_with_processing_payment_has_no_pay_button(
    dana: Client, request_: PaymentRequest
) -> None:
    personas.pending_payment(request_.invoice, 100)
    Payment.objects.update(status="capturing")
    text = dana.get(links.request_url(request_)).text
    assert "A payment is being processed" in text
    assert "button-primary" not in text


@pytest.mark.parametrize("shown", ["29999", "", "a lot", "-30000", "9" * 30, "٣٠٠٠٠"])
def test_pay_request_with_other_amount_is_refused(dana: Client, request_: PaymentRequest, shown: str) -> None:
    response = dana.post(links.request_url(request_) + "pay/", {"amount_minor": shown})
    assert response.status_code == 409
    assert "The amount has changed" in response.text
    assert ">Pay $300.00</button>" in response.text
    assert not Payment.objects.exists()


def test_pay_request_at_unavailable_gateway_shows_message(
    dana: Client, request_: PaymentRequest, settings: Settings
) -> None:
    settings.PARTWAY_GATEWAY_URLS = {"sandbox": "http://127.0.0.1:9"}
    response = dana.post(links.request_url(request_) + "pay/", {"amount_minor": "30000"})
    assert response.status_code == 503
    assert "Nothing was charged" in response.text


def test_rate_limited_pay_request_shows_message(
    dana: Client, request_: PaymentRequest, settings: Settings
) -> None:
    settings.PARTWAY_CHECKOUTS_PER_LINK = 0
    response = dana.post(links.request_url(request_) + "pay/", {"amount_minor": "30000"})
    assert response.status_code == 429
    assert "Too many attempts" in response.text


def test_customer_pages_need_no_cookie(request_: PaymentRequest) -> None:
    strict = Client(enforce_csrf_checks=True)
    page = strict.get(links.request_url(request_))
    assert not page.cookies
    assert strict.post(links.request_url(request_) + "opened/").status_code == 204
    assert strict.post(links.request_url(request_) + "pay/", {"amount_minor": "1"}).status_code == 409


def test_get_of_request_pay_url_redirects_to_page(dana: Client, request_: PaymentRequest) -> None:
    url = links.request_url(request_)
    assert dana.get(url + "pay/")["Location"] == urlsplit(url).path


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Purpose": "prefetch;prerender"},
        {"Purpose": "prefetch"},
        {"X-Purpose": "preview"},
        {"X-Moz": "prefetch"},
    ],
)
def test_request_that_a_program_looks_at_ahead_is_not_opened(
    dana: Client, request_: PaymentRequest, headers: dict[str, str]
) -> None:
    assert dana.post(links.request_url(request_) + "opened/", headers=headers).status_code == 204
    assert not Event.objects.filter(type="payment_request.opened").exists()


def test_request_is_not_opened_by_get_or_head(dana: Client, request_: PaymentRequest) -> None:
    for read in (dana.get, dana.head):
        assert read(links.request_url(request_)).status_code == 200
        assert read(links.request_url(request_) + "opened/").status_code == 405
    request_.refresh_from_db()
    assert request_.opened_at is None


@pytest.mark.parametrize("kind", ["request", "invoice", "quote"])
@pytest.mark.parametrize(
    ("name", "opened"), [("Alice", False), ("Bob", False), ("Charlie", False), ("Mallory", True)]
)
def test_link_is_not_opened_by_signed_in_member_of_its_organization(
    request_: PaymentRequest, kind: str, name: str, opened: bool
) -> None:
    quote = personas.sent_quote(request_.invoice.customer)
    urls = {
        "request": links.request_url(request_),
        "invoice": links.invoice_url(request_.invoice),
        "quote": links.quote_url(quote),
    }
    browser = Client()
    personas.mallory()
    browser.force_login(Member.objects.get(user__name=name).user)
    assert browser.get(urls[kind]).status_code == 200
    assert browser.post(urls[kind] + "opened/").status_code == 204
    assert Event.objects.filter(type__endswith=".opened").exists() == opened
    browser.logout()
    browser.post(urls[kind] + "opened/")
    assert Event.objects.filter(type__endswith=".opened").count() == 1


def test_request_opened_event_is_recorded_once_by_page_post(dana: Client, request_: PaymentRequest) -> None:
    dana.get(links.request_url(request_))
    assert not Event.objects.filter(type="payment_request.opened").exists()
    for _ in range(2):
        assert dana.post(links.request_url(request_) + "opened/").status_code == 204
    assert Event.objects.filter(type="payment_request.opened").count() == 1


def test_request_settled_by_check_shows_it_and_its_receipt(dana: Client, request_: PaymentRequest) -> None:
    check = personas.record_check(request_.invoice, 100_000)
    response = dana.get(links.request_url(request_))
    assert response.status_code == 200
    for words in (
        "Alder Joinery was paid",
        "$1,000",
        "by check",
        "Nothing is left to pay",
        links.link_path(check),
    ):
        assert words in response.text
    assert dana.post(links.request_url(request_) + "pay/", {"amount_minor": "30000"}).status_code == 410


def test_paid_request_shows_what_was_given_back(dana: Client, request_: PaymentRequest) -> None:
    personas.give_back(personas.record_check(request_.invoice, 105_000), 5_000)
    assert "Alder Joinery gave $50.00 of it back to you on " in dana.get(links.request_url(request_)).text


def test_request_page_follows_pending_payment_of_its_own_link_only(
    dana: Client, request_: PaymentRequest
) -> None:
    payment = personas.pending_payment(request_.invoice, 100_000)
    assert "data-unsettled" not in dana.get(links.request_url(request_)).text
    Payment.objects.update(payment_request=request_)
    assert f'data-unsettled="{links.link_path(payment)}"' in dana.get(links.request_url(request_)).text
