"""Nobody tests stolen cards here: checkouts are counted per link and per address."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pytest_django.fixtures import Settings

from partway.billing.errors import RateLimited
from partway.billing.events import Actor
from partway.billing.models import Customer, Invoice, Payment, PaymentRequest
from partway.billing.payments.refresh import refresh_payment
from partway.billing.people import organizations
from partway.lib.clock import now as present
from tests.billing.receivables.test_offline_payments import record
from tests.support import personas
from tests.support.concurrency import run_concurrently
from tests.support.gateway_driver import GatewayDriver, PaymentTarget


@pytest.fixture(autouse=True)
def _two(settings: Settings) -> None:
    """Two checkouts an hour for a link, three for an address."""
    settings.PARTWAY_CHECKOUTS_PER_LINK = 2
    settings.PARTWAY_CHECKOUTS_PER_ADDRESS = 3


def test_a_link_opens_so_many_checkouts_an_hour(gateway_driver: GatewayDriver, source: PaymentTarget) -> None:
    for _ in range(2):
        gateway_driver.start_and_pay(source, "lapsing")
    with pytest.raises(RateLimited):
        gateway_driver.start(
            source, address="203.0.113.9"
        )  # whoever holds the link: it is the link that is counted
    assert (Payment.objects.count(), len(gateway_driver.ledger())) == (2, 2)
    assert gateway_driver.start(source, now=present() + timedelta(hours=1)).status == "pending"


def test_a_checkout_that_is_open_can_be_returned_to_at_the_limit(
    gateway_driver: GatewayDriver, source: PaymentTarget
) -> None:
    gateway_driver.start_and_pay(source, "lapsing")
    payment = gateway_driver.start(source)
    assert gateway_driver.start(source, address="203.0.113.9") == payment


def test_the_same_checkout_again_counts_once(gateway_driver: GatewayDriver, asked: PaymentRequest) -> None:
    for _ in range(5):
        gateway_driver.start(asked)
    assert Payment.objects.count() == 1


def test_declines_in_one_checkout_count_once(gateway_driver: GatewayDriver, asked: PaymentRequest) -> None:
    for _ in range(4):
        gateway_driver.start_and_pay(asked, "declined")
    assert gateway_driver.start_and_pay(asked).status == "succeeded"
    assert Payment.objects.count() == 1


def test_so_many_cards_can_be_tried_in_one_checkout(
    gateway_driver: GatewayDriver, source: PaymentTarget
) -> None:
    for _ in range(5):
        payment = gateway_driver.start_and_pay(source, "declined")
    assert (payment.status, payment.failure_code) == ("failed", "too_many_declines")
    assert gateway_driver.pay(payment).status_code == 410
    page = gateway_driver.receipt(payment)
    assert "Nothing was charged" in page
    assert "Too many cards were declined here." in page


def test_so_many_cards_can_be_tried_by_one_link(gateway_driver: GatewayDriver, source: PaymentTarget) -> None:
    for _ in range(2 * 5):
        gateway_driver.start_and_pay(source, "declined")
    with pytest.raises(RateLimited):
        gateway_driver.start(source)


def test_each_link_has_its_own_count(
    gateway_driver: GatewayDriver, asked: PaymentRequest, invoice: Invoice
) -> None:
    for _ in range(2):
        gateway_driver.start_and_pay(asked, "lapsing")
    assert gateway_driver.start(invoice, address=None).status == "pending"


def test_what_a_member_records_is_no_checkout(
    gateway_driver: GatewayDriver, invoice: Invoice, alice: Actor
) -> None:
    for _ in range(3):
        record(invoice, 1_000, alice)
    invoice.refresh_from_db()
    assert gateway_driver.start(invoice).status == "pending"


def test_an_address_opens_so_many_checkouts_an_hour(gateway_driver: GatewayDriver, dana: Customer) -> None:
    for _ in range(3):
        gateway_driver.start(personas.sent_invoice(dana), address="203.0.113.9")
    with pytest.raises(RateLimited):
        gateway_driver.start(personas.sent_invoice(dana), address="203.0.113.9")
    assert gateway_driver.start(personas.sent_invoice(dana), address="203.0.113.10").status == "pending"


def test_an_address_is_counted_across_organizations(gateway_driver: GatewayDriver, dana: Customer) -> None:
    birch = personas.mallory().organization
    organizations.connect_sandbox(birch, by=personas.owner_actor(birch), now=present())
    theirs = personas.sent_invoice(personas.customer(birch))
    for _ in range(3):
        gateway_driver.start(personas.sent_invoice(dana), address="203.0.113.9")
    with pytest.raises(RateLimited):
        gateway_driver.start(theirs, address="203.0.113.9")
    assert gateway_driver.start(theirs, address="203.0.113.10").status == "pending"


def test_who_may_not_begin_a_checkout_does_not_end_anybody_elses(
    gateway_driver: GatewayDriver, dana: Customer, asked: PaymentRequest
) -> None:
    for _ in range(3):
        gateway_driver.start(personas.sent_invoice(dana), address="203.0.113.9")
    payment = gateway_driver.start(asked)
    with pytest.raises(RateLimited):
        gateway_driver.start(asked.invoice, address="203.0.113.9")
    gateway_driver.pay(payment)
    assert refresh_payment(payment, now=present()).status == "succeeded"


def test_a_link_that_is_used_up_does_not_end_what_another_link_began(
    gateway_driver: GatewayDriver, asked: PaymentRequest, invoice: Invoice
) -> None:
    for _ in range(2):
        gateway_driver.start_and_pay(invoice, "lapsing")
    payment = gateway_driver.start(asked)
    with pytest.raises(RateLimited):
        gateway_driver.start(invoice)
    gateway_driver.pay(payment)
    assert refresh_payment(payment, now=present()).status == "succeeded"


@pytest.mark.django_db(transaction=True)
def test_many_at_once_cannot_pass_the_limit_together(gateway_driver: GatewayDriver, dana: Customer) -> None:
    links = [personas.sent_invoice(dana) for _ in range(9)]
    results = run_concurrently(
        *[lambda link=link: gateway_driver.start(link, address="203.0.113.9") for link in links]
    )
    assert sum(isinstance(result, RateLimited) for result in results) == 6
    assert (Payment.objects.count(), len(gateway_driver.ledger())) == (3, 3)


def test_an_unknown_address_is_not_counted(gateway_driver: GatewayDriver, dana: Customer) -> None:
    for _ in range(5):
        gateway_driver.start(personas.sent_invoice(dana), address=None)
    assert Payment.objects.count() == 5
