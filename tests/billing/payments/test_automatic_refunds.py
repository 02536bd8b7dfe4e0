"""Money that was not due goes back by itself, once, where no bank can take it back any more (P3)."""

from __future__ import annotations

import pytest

from partway.accounts.models import GatewayAccount
from partway.billing.checkouts.closing import closing_later
from partway.billing.documents import deposits, invoices, quotes
from partway.billing.errors import Conflict
from partway.billing.events import Actor
from partway.billing.models import Alert, Customer, Event, Mail, Payment, PaymentRequest, Quote
from partway.billing.models import Refund as RefundRow
from partway.billing.payments import refunds
from partway.billing.payments.refresh import refresh_payment
from partway.billing.payments.refunds import NewRefund
from partway.billing.receivables import credit
from partway.billing.reconciliation import due_work, gateway_list
from partway.billing.requests import payment_requests
from partway.delivery.mail import kinds
from partway.lib.clock import now as present
from partway.lib.money import Money
from tests.support import personas
from tests.support.gateway_driver import GatewayDriver


def capture_late(gateway_driver: GatewayDriver, open_request: PaymentRequest, alice: Actor) -> Payment:
    """Captures a card in the gateway's dashboard while its request is canceled; returns the payment as it was."""
    payment = gateway_driver.start(open_request)
    gateway_driver.pay(payment)
    gateway_driver.capture(payment)
    with closing_later():
        payment_requests.cancel(open_request, by=alice, now=present())
    return payment


@pytest.fixture
def late(gateway_driver: GatewayDriver, open_request: PaymentRequest, alice: Actor) -> Payment:
    """$300.00 that a card paid for a request which was canceled by then; booked, and not sent back yet."""
    return refresh_payment(capture_late(gateway_driver, open_request, alice), now=present())


def refund_states(payment: Payment) -> list[tuple[str, int]]:
    return [(row.status, row.amount_minor) for row in payment.refunds.filter(is_automatic=True)]


def alert_of(payment: Payment, kind: str = "unwanted_payment") -> dict[str, object]:
    return dict(Alert.objects.get(payment=payment, kind=kind).params)


def test_late_card_payment_is_sent_back_once(gateway_driver: GatewayDriver, late: Payment) -> None:
    assert (late.status, late.accepted, late.unallocated_minor) == ("succeeded", False, 0)
    assert refund_states(late) == [("pending", 30_000)]
    begun = Event.objects.get(type="refund.started")
    assert (begun.actor_kind, begun.data["automatic"]) == ("clock", True)
    for _ in range(2):
        due_work.refresh_pending_refunds(now=present())
        refresh_payment(late, now=present())
    GatewayAccount.objects.update(reconcile_at=present(), reconciled_until=None)
    gateway_list.reconcile_gateway_lists(now=present())
    assert refund_states(late) == [("succeeded", 30_000)]
    assert gateway_driver.refunded_minor(late) == 30_000


def test_late_card_payment_is_told_to_customer_and_member(
    gateway_driver: GatewayDriver, late: Payment
) -> None:
    receipt = kinds.KINDS["receipt"].content(Mail.objects.get(kind="receipt"))
    assert receipt.subject.startswith("$300.00 was not due any more: Alder Joinery sends it back")
    assert alert_of(late)["refunded"] == {"amount_minor": 30_000, "currency": "USD"}
    assert "sends it back to you, the way it was paid" in gateway_driver.receipt(late)
    assert "kept as your credit" not in gateway_driver.receipt(late)
    due_work.refresh_pending_refunds(now=present())
    assert Mail.objects.filter(kind="refund").count() == 1


def test_member_cannot_refund_what_goes_back_by_itself(late: Payment, alice: Actor) -> None:
    new = NewRefund(Money(100, "USD"), "other")
    with pytest.raises(Conflict) as refusal:
        refunds.refund(late, new_refund=new, by=alice, now=present())
    assert refusal.value.reason == "refunded_already"


def test_automatic_refund_that_fails_is_credit_and_not_repeated(
    gateway_driver: GatewayDriver, late: Payment
) -> None:
    gateway_driver.inject_fault("refund_refused")
    due_work.refresh_pending_refunds(now=present())
    refresh_payment(late, now=present())
    assert refund_states(late) == [("failed", 30_000)]
    assert credit.balances(late.customer) == [Money(30_000, "USD")]
    assert alert_of(late, "refund_failed")["amount"] == {"amount_minor": 30_000, "currency": "USD"}
    assert "kept as your credit" in gateway_driver.receipt(late)


def test_late_money_refunded_in_dashboard_is_not_sent_back_again(
    gateway_driver: GatewayDriver, open_request: PaymentRequest, alice: Actor
) -> None:
    payment = capture_late(gateway_driver, open_request, alice)
    gateway_driver.refund_at_gateway(payment, 20_000)
    refresh_payment(payment, now=present())
    due_work.refresh_pending_refunds(now=present())
    assert refund_states(payment) == [("succeeded", 10_000)]
    assert gateway_driver.refunded_minor(payment) == 30_000
    assert not RefundRow.objects.filter(lost_minor__gt=0).exists()


def test_late_money_in_a_dispute_is_not_sent_back(
    gateway_driver: GatewayDriver, open_request: PaymentRequest, alice: Actor
) -> None:
    payment = capture_late(gateway_driver, open_request, alice)
    gateway_driver.dispute(payment, 20_000)
    late = refresh_payment(payment, now=present())
    assert (refund_states(late), late.frozen_minor) == ([("pending", 10_000)], 20_000)


def test_only_surplus_of_card_payment_is_sent_back(gateway_driver: GatewayDriver, dana: Customer) -> None:
    gateway_driver.inject_fault("wrong_amount", delta=700)
    payment = gateway_driver.start_and_pay(personas.sent_invoice(dana, 30_000))
    assert (payment.allocated_minor, refund_states(payment)) == (30_000, [("pending", 700)])
    assert alert_of(payment, "captured_amount_mismatch")["reason"] == "refunded"


@pytest.mark.parametrize(("surplus", "sent"), [(17, [("pending", 10)]), (7, [])])
def test_surplus_between_steps_of_gateway_stays_credit(
    gateway_driver: GatewayDriver, dana: Customer, surplus: int, sent: list[tuple[str, int]]
) -> None:
    gateway_driver.inject_fault("wrong_amount", delta=surplus)
    payment = gateway_driver.start_and_pay(personas.sent_invoice(dana, 50_000, currency="KWD"))
    assert (refund_states(payment), payment.unallocated_minor) == (sent, 7)


def test_surplus_in_another_currency_stays_credit(
    gateway_driver: GatewayDriver, open_request: PaymentRequest
) -> None:
    gateway_driver.inject_fault("wrong_currency")
    payment = gateway_driver.start_and_pay(open_request)
    assert (payment.unallocated_minor, refund_states(payment)) == (30_000, [])


def test_late_bank_debit_stays_credit(
    gateway_driver: GatewayDriver, open_request: PaymentRequest, alice: Actor
) -> None:
    payment = gateway_driver.start(open_request)
    gateway_driver.pay(payment, "debit")
    gateway_driver.settle_bank_debit(payment)
    with closing_later():
        payment_requests.cancel(open_request, by=alice, now=present())
    late = refresh_payment(payment, now=present())
    assert (late.unallocated_minor, refund_states(late)) == (30_000, [])
    assert [alert.kind for alert in Alert.objects.all()] == ["unwanted_payment"]


@pytest.fixture
def accepted(dana: Customer) -> Quote:
    return personas.accept_quote(personas.sent_quote(dana))


def test_more_than_deposit_waits_for_invoice_of_quote(
    gateway_driver: GatewayDriver, accepted: Quote, alice: Actor
) -> None:
    gateway_driver.inject_fault("wrong_amount", delta=700)
    payment = gateway_driver.start_and_pay(accepted)
    assert (refund_states(payment), payment.is_deposit) == ([], True)
    invoice = quotes.create_invoice(Quote.objects.get(), by=alice, now=present())
    invoice = invoices.send(invoice, by=alice, now=present(), allow_overdue=False)
    assert invoice.amount_paid_minor == 30_700


def test_part_of_deposit_is_sent_back_and_deposit_stays_due(
    gateway_driver: GatewayDriver, accepted: Quote
) -> None:
    gateway_driver.inject_fault("wrong_amount", delta=-700)
    payment = gateway_driver.start_and_pay(accepted)
    assert refund_states(payment) == [("pending", 29_300)]
    assert deposits.deposit_status(accepted) == "due"
