"""The gateway's fees of payments and refunds: said with the money or later, booked once, and never changed."""

from __future__ import annotations

from datetime import timedelta

import pytest

from partway.billing.models import Alert, Event, Invoice, PaymentRequest
from partway.billing.payments.refresh import refresh_payment
from partway.billing.reconciliation import gateway_list
from partway.gateways.protocol import CheckoutState, CheckoutStatus
from partway.lib.clock import now as present
from partway.lib.money import Money
from tests.support import personas
from tests.support.gateway_driver import GatewayDriver

CENT = Money(1, "USD")


def captured(fee: Money | None, status: CheckoutStatus = CheckoutStatus.CAPTURED) -> CheckoutState:
    """Returns a report of $300.00 with this fee."""
    amount = Money(30_000, "USD") if status == CheckoutStatus.CAPTURED else None
    return CheckoutState(status, amount, None, "card", "", "", fee=fee)


def fees_booked() -> list[tuple[str, int, str]]:
    """Returns type, minor units and currency of the events of fees."""
    found = Event.objects.filter(type__endswith=".fee_booked").order_by("created_at", "pk")
    return [(one.type, one.data["fee_minor"], one.data["fee_currency"]) for one in found]


def test_fee_is_booked_with_the_payment(gateway_driver: GatewayDriver, open_request: PaymentRequest) -> None:
    payment = gateway_driver.start_and_pay(open_request)
    payment = refresh_payment(payment, now=present())
    assert (payment.fee, payment.net) == (Money(445, "USD"), Money(29_555, "USD"))
    assert fees_booked() == [("payment.fee_booked", 445, "USD")]


@pytest.mark.parametrize("by", ["refresh", "list"])
def test_fee_that_is_said_later_is_booked_once(
    gateway_driver: GatewayDriver, open_request: PaymentRequest, by: str
) -> None:
    gateway_driver.inject_fault("no_fee", act="capture")
    payment = gateway_driver.start_and_pay(open_request)
    assert (payment.status, payment.fee, payment.net) == ("succeeded", None, None)
    for _ in range(2):
        if by == "list":
            gateway_list.reconcile_gateway_lists(now=present() + timedelta(minutes=10))
        else:
            refresh_payment(payment, now=present())
    assert fees_booked() == [("payment.fee_booked", 445, "USD")]


@pytest.mark.parametrize(
    "reports",
    [
        [captured(CENT)],
        [captured(None), captured(CENT)],
        [captured(CENT), captured(None), captured(CENT)],
        [captured(CENT, CheckoutStatus.PROCESSING), captured(CENT)],
        [captured(None), captured(CENT, CheckoutStatus.PROCESSING)],
    ],
)
def test_fee_is_booked_once_in_any_order_of_reports(invoice: Invoice, reports: list[CheckoutState]) -> None:
    payment = personas.pending_payment(invoice, 30_000)
    for state in reports:
        personas.report_state(payment, state)
    payment.refresh_from_db()
    assert payment.fee == CENT
    assert fees_booked() == [("payment.fee_booked", 1, "USD")]


def test_fee_is_not_booked_before_the_money_has_come(invoice: Invoice) -> None:
    payment = personas.pending_payment(invoice, 30_000)
    personas.report_state(payment, captured(CENT, CheckoutStatus.PROCESSING))
    assert (payment.status, payment.fee, fees_booked()) == ("processing", None, [])


def test_fee_of_failed_payment_is_booked(invoice: Invoice) -> None:
    payment = personas.pending_payment(invoice, 30_000)
    personas.report_state(payment, captured(CENT, CheckoutStatus.CLOSED))
    assert (payment.status, payment.fee, payment.net) == ("failed", CENT, None)


def test_another_fee_is_an_alert_and_changes_nothing(invoice: Invoice) -> None:
    payment = personas.captured_payment(invoice, 30_000, fee=CENT)
    personas.report_state(payment, captured(Money(2, "USD")))
    payment.refresh_from_db()
    assert (payment.fee, len(fees_booked())) == (CENT, 1)
    alert = Alert.objects.get()
    assert (alert.kind, alert.payment) == ("fee_mismatch", payment)
    assert [alert.params[name]["amount_minor"] for name in ("booked", "reported")] == [1, 2]


@pytest.mark.parametrize("fee", [Money(0, "USD"), Money(-30, "USD"), Money(400, "EUR")])
def test_fee_may_be_nothing_given_back_or_in_another_currency(invoice: Invoice, fee: Money) -> None:
    payment = personas.captured_payment(invoice, 30_000, fee=fee)
    assert payment.fee == fee
    assert payment.net == (None if fee.currency == "EUR" else Money(30_000 - fee.amount_minor, "USD"))


def test_fee_of_refund_is_booked(gateway_driver: GatewayDriver, open_request: PaymentRequest) -> None:
    payment = gateway_driver.start_and_pay(open_request)
    gateway_driver.refund_at_gateway(payment, 10_000)
    refresh_payment(payment, now=present())
    assert payment.refunds.get().fee == Money(0, "USD")
    assert fees_booked()[1:] == [("refund.fee_booked", 0, "USD")]


def test_fee_of_refund_that_is_said_later_is_booked_once(invoice: Invoice) -> None:
    paid = personas.captured_payment(invoice, 30_000)
    assert personas.refund_in_dashboard(paid, 10_000).fee is None
    for _ in range(2):
        refund = personas.refund_in_dashboard(paid, 10_000, fee=Money(-140, "USD"))
    assert (refund.fee, paid.refunds.count()) == (Money(-140, "USD"), 1)
    assert fees_booked() == [("refund.fee_booked", -140, "USD")]
    personas.refund_in_dashboard(paid, 10_000, fee=CENT)
    assert Alert.objects.filter(kind="fee_mismatch", payment=paid).count() == 1
