"""A dead link shows a reason and a contact, reveals nothing else, and charges nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.conf import settings
from django.http import HttpResponse
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from partway.accounts.models import Organization
from partway.billing import links
from partway.billing.documents import invoices
from partway.billing.models import Event, Payment, PaymentRequest
from partway.billing.receivables import write_offs
from partway.billing.requests import payment_requests
from partway.lib.clock import now
from partway.lib.links import make_token
from tests.pay.customer_browser import without_versions
from tests.support import personas


def _paid(request: PaymentRequest) -> None:
    PaymentRequest.objects.update(status="paid", ended_at=now())


def _canceled(request: PaymentRequest) -> None:
    payment_requests.cancel(request, by=personas.owner_actor(request.organization), now=now())


def _expired(request: PaymentRequest) -> None:
    PaymentRequest.objects.update(expires_at=now() - timedelta(seconds=1))


def _settled_without_payment(request: PaymentRequest) -> None:
    personas.settle_rest(request.invoice)


def _voided(request: PaymentRequest) -> None:
    invoices.void(request.invoice, by=personas.owner_actor(request.organization), now=now())


def _written_off(request: PaymentRequest) -> None:
    write_offs.write_off(request.invoice, by=personas.owner_actor(request.organization), now=now())


def _payments_off(request: PaymentRequest) -> None:
    Organization.objects.update(payments_enabled=False)


UNPAYABLE_REASONS: list[tuple[Callable[[PaymentRequest], None], str, int]] = [
    (_paid, "This has been paid", 410),
    (_canceled, "This request was canceled", 410),
    (_expired, "This link has expired", 410),
    (_settled_without_payment, "Already settled", 410),
    (_voided, "This invoice was voided", 410),
    (_written_off, "This cannot be paid here", 410),
    (_payments_off, "Online payment is paused", 403),
]


@pytest.mark.parametrize(("die", "title", "status"), UNPAYABLE_REASONS)
def test_unpayable_link_page_shows_reason_and_contact(
    dana: Client, request_: PaymentRequest, die: Callable[[PaymentRequest], None], title: str, status: int
) -> None:
    die(request_)
    response = dana.get(links.request_url(request_))
    assert response.status_code == status
    for words in (title, "Alder Joinery", "billing@alder.example", "+1 555 010 4477"):
        assert words in response.text


@pytest.mark.parametrize(("die", "_title", "_status"), UNPAYABLE_REASONS)
def test_unpayable_link_page_shows_no_amount_name_or_number(
    dana: Client, request_: PaymentRequest, die: Callable[[PaymentRequest], None], _title: str, _status: int
) -> None:
    die(request_)
    text = without_versions(dana.get(links.request_url(request_)).text)
    for secret in ("300", "1,000", "Dana", "First stage", "INV-", "Oak staircase", "$"):
        assert secret not in text


@pytest.mark.parametrize(("die", "_title", "status"), UNPAYABLE_REASONS)
def test_pay_on_unpayable_link_starts_no_payment(
    dana: Client, request_: PaymentRequest, die: Callable[[PaymentRequest], None], _title: str, status: int
) -> None:
    die(request_)
    before = Payment.objects.count()
    response = dana.post(links.request_url(request_) + "pay/", {"amount_minor": "30000"})
    assert response.status_code == status
    assert Payment.objects.count() == before


def test_unpayable_link_records_no_opened_event(dana: Client, request_: PaymentRequest) -> None:
    _canceled(request_)
    dana.post(links.request_url(request_) + "opened/")
    assert not Event.objects.filter(type="payment_request.opened").exists()


@pytest.mark.parametrize(
    ("end", "title"), [(_voided, "This invoice was voided"), (_written_off, "This cannot be paid here")]
)
@pytest.mark.parametrize("page", ["", "pdf/"])
def test_void_or_written_off_invoice_page_shows_no_details(
    dana: Client, request_: PaymentRequest, end: Callable[[PaymentRequest], None], title: str, page: str
) -> None:
    end(request_)
    response = dana.get(links.invoice_url(request_.invoice) + page)
    assert response.status_code == 410
    assert title in response.text
    assert "INV-" not in response.text


def test_written_off_invoice_cannot_be_paid_by_button_or_form(dana: Client, request_: PaymentRequest) -> None:
    _written_off(request_)
    url = links.invoice_url(request_.invoice)
    assert "Pay Now" not in dana.get(url).text
    assert "ask Alder Joinery for another way to pay" in dana.get(url).text
    assert dana.post(f"{url}pay/", {"amount_minor": "100000"}).status_code == 410
    assert not Payment.objects.exists()


def test_reopened_invoice_page_is_shown_again(dana: Client, request_: PaymentRequest) -> None:
    _written_off(request_)
    write_offs.reopen(request_.invoice, by=personas.owner_actor(request_.organization), now=now())
    assert "Pay Now · $1,000.00" in dana.get(links.invoice_url(request_.invoice)).text
    assert dana.get(links.request_url(request_)).status_code == 410


def _invalid_tokens(request: PaymentRequest) -> list[str]:
    key = "another key, of another installation"
    return [
        "/p/x/",
        "/p/",
        "/i/",
        "/r/",
        "/p/two/parts/",
        "/p/two/parts/pay/no",
        "/p/no-slash",
        "/p/%00/",
        "/p/%F0%9F%92%B8/",
        "/p/%ff/",
        f"/p/{'z' * 2000}/",
        f"/p/{make_token(request.id, key)}/",
        f"/i/{make_token(request.invoice_id, key)}/",
        links.request_url(request).replace("/p/", "/i/"),
        links.request_url(request).replace("/p/", "/r/"),
        links.request_url(request)[:-2] + "/",
        links.invoice_url(request.invoice).replace("/i/", "/p/"),
    ]


def test_unknown_links_of_every_shape_get_identical_404(dana: Client, request_: PaymentRequest) -> None:
    responses = [dana.get(path) for path in _invalid_tokens(request_)]
    assert {response.status_code for response in responses} == {404}
    assert len({response.content for response in responses}) == 1
    assert len({str(_headers(response)) for response in responses}) == 1


def _headers(response: HttpResponse) -> list[tuple[str, str]]:
    """Returns the headers without the time and the id of the request."""
    own = ("Expires", "X-Request-Id")
    return sorted((name, value) for name, value in response.headers.items() if name not in own)


def test_unknown_links_and_unknown_rows_take_one_query_each(
    dana: Client, request_: PaymentRequest, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(1):
        dana.get("/p/x/")
    gone = make_token("preq_" + "0" * 26, settings.PARTWAY_SECRET_KEYS[0])
    with django_assert_num_queries(1):
        dana.get(f"/p/{gone}/")


@pytest.mark.parametrize("act", ["p/x/pay/", "p/x/opened/", "i/x/pay/", "i/x/opened/", "r/x/state/"])
def test_post_to_unknown_link_is_404(db: None, dana: Client, act: str) -> None:
    assert dana.post(f"/{act}").status_code == 404
