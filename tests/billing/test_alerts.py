"""Alerts are raised once, resolved only in the version that was shown, and raised again when something new happens."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from partway.billing import alerts
from partway.billing.errors import Stale
from partway.billing.events import Actor
from partway.billing.models import Alert, PaymentRequest
from partway.billing.reconciliation import gateway_list
from partway.lib.clock import now as present
from partway.lib.money import Money
from tests.support.gateway_driver import GatewayDriver


def later(minutes: float) -> datetime:
    return present() + timedelta(minutes=minutes)


def the_alert() -> Alert:
    return Alert.objects.get(resolved_at__isnull=True)


def process_alert(alert: Alert, by: Actor, at: datetime | None = None) -> None:
    """Resolves the alert as this row shows it."""
    alerts.resolve(alert, expected_digest=alert.digest, by=by, now=at or present())


@pytest.fixture
def refunded(gateway_driver: GatewayDriver, open_request: PaymentRequest) -> Alert:
    """An alert about $100.00 of $300.00 that were refunded at the gateway."""
    gateway_driver.refund_at_gateway(gateway_driver.start_and_pay(open_request), 10_000)
    gateway_list.reconcile_gateway_lists(now=later(10))
    return the_alert()


def refund_more_at_gateway(gateway_driver: GatewayDriver, refunded: Alert) -> None:
    assert refunded.payment is not None
    gateway_driver.refund_at_gateway(refunded.payment, 5_000)
    gateway_list.reconcile_gateway_lists(now=later(20))


def test_alert_with_newer_params_cannot_be_resolved_from_stale_row(
    gateway_driver: GatewayDriver, refunded: Alert, alice: Actor
) -> None:
    refund_more_at_gateway(gateway_driver, refunded)
    with pytest.raises(Stale):
        process_alert(refunded, alice)
    assert the_alert().params["refunded"] == {"amount_minor": 15_000, "currency": "USD"}


def test_alert_resolved_from_outdated_page_raises_stale(
    gateway_driver: GatewayDriver, refunded: Alert, alice: Actor
) -> None:
    refund_more_at_gateway(gateway_driver, refunded)
    with pytest.raises(Stale):
        alerts.resolve(the_alert(), expected_digest=refunded.digest, by=alice, now=present())
    assert the_alert().resolved_at is None


def test_resolving_alert_twice_keeps_first_resolution(refunded: Alert, alice: Actor) -> None:
    process_alert(refunded, alice)
    for shown in (refunded.digest, "another page"):
        alerts.resolve(refunded, expected_digest=shown, by=alice, now=present(), resolution="Again.")
    assert Alert.objects.get().resolution == ""


def test_alert_is_raised_again_when_params_return_to_earlier_values(
    gateway_driver: GatewayDriver, refunded: Alert, alice: Actor
) -> None:
    refund, payment = Money(10_000, "USD"), refunded.payment
    process_alert(refunded, alice)
    refund_more_at_gateway(gateway_driver, refunded)
    process_alert(the_alert(), alice)
    assert payment is not None
    alerts.raise_for_payment(
        refunded.kind,
        payment,
        now=later(30),
        refunded=refund,
        captured=payment.captured,
        reason=refunded.params["reason"],
    )
    assert the_alert().params == refunded.params


# Failures that end by themselves


HOUR = 60


def raise_alert(open_request: PaymentRequest, minutes: float, reason: str) -> None:
    """Raises the alert that the gateway refuses to fetch the payment, with this reason."""
    payment = open_request.payments.get()
    alerts.raise_for_payment(
        "gateway_refused", payment, now=later(minutes), amount=payment.amount, gateway_message=reason
    )


@pytest.fixture
def unfetchable(gateway_driver: GatewayDriver, open_request: PaymentRequest, alice: Actor) -> PaymentRequest:
    """A payment that cannot be fetched, with a resolved alert about that."""
    gateway_driver.start(open_request)
    raise_alert(open_request, 0, "Account suspended.")
    process_alert(the_alert(), alice, later(0))
    return open_request


def test_resolved_gateway_alert_stays_quiet_for_a_day(unfetchable: PaymentRequest) -> None:
    raise_alert(unfetchable, 5, "Account suspended.")
    raise_alert(unfetchable, 23 * HOUR, "Account closed.")
    assert not Alert.objects.filter(resolved_at__isnull=True).exists()


def test_lasting_gateway_alert_is_raised_again_a_day_after_resolution(unfetchable: PaymentRequest) -> None:
    raise_alert(unfetchable, 25 * HOUR, "Account suspended.")
    assert the_alert().params["gateway_message"] == "Account suspended."
