"""A payment link opens one document, and a changed link opens nothing."""

from __future__ import annotations

import pytest
from pytest_django.fixtures import Settings

from partway.billing import links
from partway.billing.models import Customer, Event, PaymentRequest
from partway.billing.requests import payment_requests
from partway.lib.clock import now as present
from tests.support import personas
from tests.support.gateway_driver import GatewayDriver


def token(url: str) -> str:
    return url.split("/")[-2]


def test_request_link_opens_its_request(open_request: PaymentRequest) -> None:
    assert links.request_by_token(token(links.request_url(open_request))) == open_request


def test_request_link_is_deterministic(open_request: PaymentRequest) -> None:
    assert links.request_url(open_request) == links.request_url(PaymentRequest.objects.get())


def test_link_of_one_kind_does_not_open_another_kind(
    gateway_driver: GatewayDriver, open_request: PaymentRequest
) -> None:
    request, invoice = token(links.request_url(open_request)), token(links.invoice_url(open_request.invoice))
    receipt = token(links.receipt_url(gateway_driver.start(open_request)))
    assert [links.request_by_token(invoice), links.request_by_token(receipt)] == [None, None]
    assert [links.invoice_by_token(request), links.payment_by_token(request)] == [None, None]


def test_links_survive_key_rotation(open_request: PaymentRequest, settings: Settings) -> None:
    old = token(links.request_url(open_request))
    settings.PARTWAY_SECRET_KEYS = ["a new key, as long as a key should be", *settings.PARTWAY_SECRET_KEYS]
    assert token(links.request_url(open_request)) != old
    assert links.request_by_token(old) == open_request


def test_links_signed_with_retired_key_are_invalid(open_request: PaymentRequest, settings: Settings) -> None:
    old = token(links.request_url(open_request))
    settings.PARTWAY_SECRET_KEYS = ["a new key, as long as a key should be"]
    assert links.request_by_token(old) is None


def test_draft_invoice_link_opens_nothing(dana: Customer) -> None:
    assert links.invoice_by_token(token(links.invoice_url(personas.draft_invoice(dana)))) is None


@pytest.mark.parametrize("garbage", ["", "-", "x", "preq-1", "%00", "é" * 20, "x-é", "a" * 5000, "\x00"])
def test_malformed_link_token_opens_nothing(open_request: PaymentRequest, garbage: str) -> None:
    assert links.request_by_token(garbage) is None


def test_request_opened_event_is_recorded_once(open_request: PaymentRequest) -> None:
    for _ in range(2):
        payment_requests.mark_opened(open_request, now=present())
    event = Event.objects.get(type="payment_request.opened")
    assert event.actor_kind == "customer"


def test_checkout_url_is_stored_sealed(gateway_driver: GatewayDriver, open_request: PaymentRequest) -> None:
    payment = gateway_driver.start(open_request)
    assert payment.checkout_url.startswith(gateway_driver.sandbox_server.url)
    [row] = type(payment).objects.values()
    assert payment.checkout_url not in str(row)
