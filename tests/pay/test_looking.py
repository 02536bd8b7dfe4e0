"""Looking changes nothing: mail scanners, link previews and curious people are harmless (DESIGN R8)."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from django.apps import apps
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from partway.billing import links
from partway.billing.models import Invoice, Payment, PaymentRequest
from partway.lib.clock import now
from tests import personas

PAGES = [
    "p/{request}/",
    "p/{request}",
    "p/{request}/pay/",
    "p/{request}/opened/",
    "i/{invoice}/",
    "i/{invoice}/pay/",
    "i/{invoice}/pdf/",
    "i/{invoice}/opened/",
    "q/{quote}/",
    "q/{quote}",
    "q/{quote}/accept/",
    "q/{quote}/decline/",
    "q/{quote}/pay/",
    "q/{quote}/opened/",
    "q/{accepted}/",
    "q/{accepted}/pay/",
    "r/{deposit}/",
    "r/{payment}/",
    "r/{payment}/pdf/",
    "r/{payment}/state/",
    "callbacks/{account}/",
    "p/unknown/",
]


def _everything() -> dict[str, list[tuple[object, ...]]]:
    """All rows of all tables."""
    return {
        model._meta.label: list(model._default_manager.order_by("pk").values_list())
        for model in apps.get_models()
    }


def _token(url: str) -> str:
    return urlsplit(url).path.split("/")[2]


@pytest.fixture
def addresses(request_: PaymentRequest) -> dict[str, str]:
    """The tokens of a request, its invoice and an unsettled payment of it."""
    account = request_.organization.gateway_accounts.get()
    payment = Payment.objects.create(
        organization=request_.organization,
        invoice=request_.invoice,
        payment_request=request_,
        gateway_account=account,
        amount_minor=30_000,
        currency="USD",
        checkout_ref="co_1",
        created_at=now(),
        check_at=now(),
    )
    offered = personas.quote(request_.invoice.customer)
    accepted = personas.accept(personas.quote(request_.invoice.customer))
    with_deposit = personas.accept(personas.quote(request_.invoice.customer))
    return {
        "quote": _token(links.quote_url(offered)),
        "accepted": _token(links.quote_url(accepted)),
        "deposit": _token(links.receipt_url(personas.pay_deposit(with_deposit))),
        "request": _token(links.request_url(request_)),
        "invoice": _token(links.invoice_url(request_.invoice)),
        "payment": _token(links.receipt_url(payment)),
        "account": account.id,
    }


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_changes_no_row_of_any_table(dana: Client, addresses: dict[str, str], page: str, method: str) -> None:
    before = _everything()
    response = dana.generic(method, "/" + page.format(**addresses))
    assert response.status_code < 500
    assert _everything() == before


def test_the_tables_are_really_compared(dana: Client, request_: PaymentRequest) -> None:
    before = _everything()
    dana.post(links.request_url(request_) + "opened/")
    assert _everything() != before


@pytest.mark.parametrize("state", ["succeeded", "failed", "processing"])
def test_nor_does_looking_at_a_payment_in_any_state(
    dana: Client, request_: PaymentRequest, state: str
) -> None:
    payment = personas.paid_part(request_.invoice, 30_000)
    if state != "succeeded":
        Payment.objects.update(status=state, captured_minor=None, allocated_minor=0)
    before = _everything()
    assert dana.get(links.receipt_url(payment)).status_code == 200
    assert _everything() == before


def test_a_payment_page_asks_the_database_little(
    request_: PaymentRequest, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    """Small, because this page is opened most: request, account, payments under way, lines, address of the checkout."""
    url = urlsplit(links.request_url(request_)).path
    with django_assert_num_queries(5):
        assert Client().get(url).status_code == 200


def test_an_invoice_page_asks_the_database_little(
    invoice: Invoice, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    """The same, with the payments so far."""
    url = urlsplit(links.invoice_url(invoice)).path
    with django_assert_num_queries(6):
        assert Client().get(url).status_code == 200
