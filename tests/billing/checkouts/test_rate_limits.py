"""Card testing is limited: checkouts are counted per link and per IP address."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pytest_django.fixtures import Settings

from partway.billing.errors import RateLimited
from partway.billing.events import Actor
from partway.billing.models import Customer, Invoice, Payment, PaymentRequest
from partway.billing.payments.refresh import refresh_payment
from partway.billing.people import gateway_accounts
from partway.lib.clock import now as present
from tests.billing.receivables.test_offline_payments import record
from tests.support import personas
from tests.support.concurrency import run_concurrently
from tests.support.gateway_driver import GatewayDriver, PaymentTarget


@pytest.fixture(autouse=True)
def _low_rate_limits(settings: Settings) -> None:
    """Allows two checkouts an hour for a link, three for an IP address."""
    settings.PARTWAY_CHECKOUTS_PER_LINK = 2
    settings.PARTWAY_CHECKOUTS_PER_IP = 3


def test_rate_limit_of_checkouts_per_link_and_hour(
    gateway_driver: GatewayDriver, source: PaymentTarget
) -> None:
    for _ in range(2):
        gateway_driver.start_and_pay(source, "lapsing")
    with pytest.raises(RateLimited):
        gateway_driver.start(source, address="203.0.113.9")  # from any address, because the link is counted
    assert (Payment.objects.count(), len(gateway_driver.ledger())) == (2, 2)
    assert gateway_driver.start(source, now=present() + timedelta(hours=1)).status == "pending"


def test_rate_limit_allows_return_to_open_checkout(
    gateway_driver: GatewayDriver, source: PaymentTarget
) -> None:
    gateway_driver.start_and_pay(source, "lapsing")
    payment = gateway_driver.start(source)
    assert gateway_driver.start(source, address="203.0.113.9") == payment


def test_rate_limit_counts_same_checkout_once(
    gateway_driver: GatewayDriver, open_request: PaymentRequest
) -> None:
    for _ in range(5):
        gateway_driver.start(open_request)
    assert Payment.objects.count() == 1


def test_rate_limit_counts_declines_in_one_checkout_once(
    gateway_driver: GatewayDriver, open_request: PaymentRequest
) -> None:
    for _ in range(4):
        gateway_driver.start_and_pay(open_request, "declined")
    assert gateway_driver.start_and_pay(open_request).status == "succeeded"
    assert Payment.objects.count() == 1


def test_rate_limit_of_declined_cards_per_checkout(
    gateway_driver: GatewayDriver, source: PaymentTarget
) -> None:
    for _ in range(5):
        payment = gateway_driver.start_and_pay(source, "declined")
    assert (payment.status, payment.failure_code) == ("failed", "too_many_declines")
    assert gateway_driver.pay(payment).status_code == 410
    page = gateway_driver.receipt(payment)
    assert "Nothing was charged" in page
    assert "Too many cards were declined here." in page


def test_rate_limit_of_declined_cards_per_link(gateway_driver: GatewayDriver, source: PaymentTarget) -> None:
    for _ in range(2 * 5):
        gateway_driver.start_and_pay(source, "declined")
    with pytest.raises(RateLimited):
        gateway_driver.start(source)


def test_rate_limit_is_counted_per_link(
    gateway_driver: GatewayDriver, open_request: PaymentRequest, invoice: Invoice
) -> None:
    for _ in range(2):
        gateway_driver.start_and_pay(open_request, "lapsing")
    assert gateway_driver.start(invoice, address=None).status == "pending"


def test_rate_limit_ignores_recorded_offline_payments(
    gateway_driver: GatewayDriver, invoice: Invoice, alice: Actor
) -> None:
    for _ in range(3):
        record(invoice, 1_000, alice)
    invoice.refresh_from_db()
    assert gateway_driver.start(invoice).status == "pending"


def test_rate_limit_of_checkouts_per_ip_address_and_hour(
    gateway_driver: GatewayDriver, dana: Customer
) -> None:
    for _ in range(3):
        gateway_driver.start(personas.sent_invoice(dana), address="203.0.113.9")
    with pytest.raises(RateLimited):
        gateway_driver.start(personas.sent_invoice(dana), address="203.0.113.9")
    assert gateway_driver.start(personas.sent_invoice(dana), address="203.0.113.10").status == "pending"


def test_rate_limit_per_ip_address_spans_organizations(gateway_driver: GatewayDriver, dana: Customer) -> None:
    birch = personas.mallory().organization
    gateway_accounts.connect(
        birch, gateway="sandbox", credentials={}, by=personas.owner_actor(birch), now=present()
    )
    theirs = personas.sent_invoice(personas.customer(birch))
    for _ in range(3):
        gateway_driver.start(personas.sent_invoice(dana), address="203.0.113.9")
    with pytest.raises(RateLimited):
        gateway_driver.start(theirs, address="203.0.113.9")
    assert gateway_driver.start(theirs, address="203.0.113.10").status == "pending"


def test_rate_limited_ip_address_does_not_close_checkout_of_another_payer(
    gateway_driver: GatewayDriver, dana: Customer, open_request: PaymentRequest
) -> None:
    for _ in range(3):
        gateway_driver.start(personas.sent_invoice(dana), address="203.0.113.9")
    payment = gateway_driver.start(open_request)
    with pytest.raises(RateLimited):
        gateway_driver.start(open_request.invoice, address="203.0.113.9")
    gateway_driver.pay(payment)
    assert refresh_payment(payment, now=present()).status == "succeeded"


def test_rate_limited_link_does_not_close_checkout_of_another_link(
    gateway_driver: GatewayDriver, open_request: PaymentRequest, invoice: Invoice
) -> None:
    for _ in range(2):
        gateway_driver.start_and_pay(invoice, "lapsing")
    payment = gateway_driver.start(open_request)
    with pytest.raises(RateLimited):
        gateway_driver.start(invoice)
    gateway_driver.pay(payment)
    assert refresh_payment(payment, now=present()).status == "succeeded"


@pytest.mark.django_db(transaction=True)
def test_rate_limit_holds_for_concurrent_starts(gateway_driver: GatewayDriver, dana: Customer) -> None:
    links = [personas.sent_invoice(dana) for _ in range(9)]
    results = run_concurrently(
        *[lambda link=link: gateway_driver.start(link, address="203.0.113.9") for link in links]
    )
    assert sum(isinstance(result, RateLimited) for result in results) == 6
    assert (Payment.objects.count(), len(gateway_driver.ledger())) == (3, 3)


def test_rate_limit_ignores_unknown_ip_address(gateway_driver: GatewayDriver, dana: Customer) -> None:
    for _ in range(5):
        gateway_driver.start(personas.sent_invoice(dana), address=None)
    assert Payment.objects.count() == 5


def test_each_quote_has_its_own_checkout_limit(gateway_driver: GatewayDriver, dana: Customer) -> None:
    one, other = (personas.accept_quote(personas.sent_quote(dana)) for _ in range(2))
    for _ in range(2):
        gateway_driver.start_and_pay(one, "lapsing")
    assert gateway_driver.start(other, address=None).status == "pending"
