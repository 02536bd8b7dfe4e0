"""What a customer sees on the page of a payment request."""

from __future__ import annotations

from datetime import date
from urllib.parse import urlsplit

import pytest
from django.test import Client
from pytest_django import Settings

from partway.billing import links
from partway.billing.models import Event, Invoice, Payment, PaymentRequest
from partway.lib import clock
from tests.pay.customer_browser import without_versions
from tests.support import personas


def test_says_who_asks_for_what_and_what_is_left(dana: Client, invoice: Invoice) -> None:
    personas.captured_payment(invoice, 25_000)
    text = dana.get(links.request_url(personas.request_payment(invoice))).text
    assert "Alder Joinery asks Dana Whitfield for" in text
    assert "First stage." in text
    for amount in ("$1,000", "$250", "$300", "$450"):
        assert f'<span class="amount">{amount}<' in text


def test_draws_what_is_paid_and_what_is_asked_for(dana: Client, request_: PaymentRequest) -> None:
    text = dana.get(links.request_url(request_)).text
    assert 'aria-label="Paid $0.00 of $1,000.00, $300.00 requested"' in text


def test_has_one_button_that_says_the_amount(dana: Client, request_: PaymentRequest) -> None:
    text = dana.get(links.request_url(request_)).text
    assert text.count("button-primary") == 1
    assert ">Pay $300.00</button>" in text


def test_shows_the_lines_of_the_invoice_folded(dana: Client, request_: PaymentRequest) -> None:
    text = dana.get(links.request_url(request_)).text
    assert "<details" in text
    assert "Oak staircase" in text


def test_its_title_and_preview_say_only_who_asks(dana: Client, request_: PaymentRequest) -> None:
    head = without_versions(dana.get(links.request_url(request_)).text.partition("</head>")[0])
    assert "Payment request from Alder Joinery" in head
    for secret in ("300", "INV-", "Dana", "stage"):
        assert secret not in head


def test_what_a_member_wrote_cannot_become_markup(dana: Client, invoice: Invoice) -> None:
    request = personas.request_payment(invoice)
    PaymentRequest.objects.update(note="<script>alert(1)</script>")
    assert "<script>alert" not in dana.get(links.request_url(request)).text


def test_no_cache_keeps_it_and_no_search_engine_lists_it(dana: Client, request_: PaymentRequest) -> None:
    response = dana.get(links.request_url(request_))
    assert "no-store" in response["Cache-Control"]
    assert response["X-Robots-Tag"] == "noindex, nofollow"
    assert response["Referrer-Policy"] == "same-origin"


def test_its_form_may_lead_to_the_gateway_and_nowhere_else(
    dana: Client, request_: PaymentRequest, settings: Settings
) -> None:
    policy = dana.get(links.request_url(request_))["Content-Security-Policy"]
    assert f"form-action 'self' {settings.PARTWAY_SANDBOX_URL};" in policy + ";"
    assert "unsafe" not in policy


def test_says_that_a_sandbox_moves_no_money(dana: Client, request_: PaymentRequest) -> None:
    assert "no real money moves" in dana.get(links.request_url(request_)).text


def test_a_link_that_lost_its_last_slash_still_opens(dana: Client, request_: PaymentRequest) -> None:
    assert dana.get(links.request_url(request_).removesuffix("/")).status_code == 200


def test_says_until_when_it_works(dana: Client, request_: PaymentRequest) -> None:
    PaymentRequest.objects.update(expires_at=clock.end_of_day(date(2126, 11, 30), "America/New_York"))
    assert "This link can be paid until Nov 30, 2126." in dana.get(links.request_url(request_)).text


def test_while_a_payment_is_processed_there_is_no_button(dana: Client, request_: PaymentRequest) -> None:
    personas.pending_payment(request_.invoice, 100)
    Payment.objects.update(status="capturing")
    text = dana.get(links.request_url(request_)).text
    assert "A payment is being processed" in text
    assert "button-primary" not in text


@pytest.mark.parametrize("shown", ["29999", "", "a lot", "-30000", "9" * 30, "٣٠٠٠٠"])
def test_another_amount_than_is_due_is_shown_again_and_never_paid(
    dana: Client, request_: PaymentRequest, shown: str
) -> None:
    response = dana.post(links.request_url(request_) + "pay/", {"amount_minor": shown})
    assert response.status_code == 409
    assert "The amount has changed" in response.text
    assert ">Pay $300.00</button>" in response.text
    assert not Payment.objects.exists()


def test_a_silent_gateway_is_said_in_words(
    dana: Client, request_: PaymentRequest, settings: Settings
) -> None:
    settings.PARTWAY_SANDBOX_URL = "http://127.0.0.1:9"
    response = dana.post(links.request_url(request_) + "pay/", {"amount_minor": "30000"})
    assert response.status_code == 503
    assert "Nothing was charged" in response.text


def test_too_many_tries_are_said_in_words(dana: Client, request_: PaymentRequest, settings: Settings) -> None:
    settings.PARTWAY_CHECKOUTS_PER_LINK = 0
    response = dana.post(links.request_url(request_) + "pay/", {"amount_minor": "30000"})
    assert response.status_code == 429
    assert "Too many attempts" in response.text


def test_no_customer_page_needs_a_cookie(request_: PaymentRequest) -> None:
    strict = Client(enforce_csrf_checks=True)
    page = strict.get(links.request_url(request_))
    assert not page.cookies
    assert strict.post(links.request_url(request_) + "opened/").status_code == 204
    assert strict.post(links.request_url(request_) + "pay/", {"amount_minor": "1"}).status_code == 409


def test_reloading_the_address_of_the_form_leads_to_the_page(dana: Client, request_: PaymentRequest) -> None:
    url = links.request_url(request_)
    assert dana.get(url + "pay/")["Location"] == urlsplit(url).path


def test_opened_is_noted_once_when_the_page_says_so(dana: Client, request_: PaymentRequest) -> None:
    dana.get(links.request_url(request_))
    assert not Event.objects.filter(type="payment_request.opened").exists()
    for _ in range(2):
        assert dana.post(links.request_url(request_) + "opened/").status_code == 204
    assert Event.objects.filter(type="payment_request.opened").count() == 1
