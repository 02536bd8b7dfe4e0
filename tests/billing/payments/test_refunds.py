"""Tests of refunds through the gateway: the act, its outcome at the gateway, and what the gateway reports by itself."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from partway.billing import events
from partway.billing.checkouts import gateway_calls
from partway.billing.documents import invoices, quotes
from partway.billing.errors import Conflict, Invalid, NotRefundable
from partway.billing.events import Actor
from partway.billing.models import (
    Adjustment,
    Alert,
    Callback,
    Customer,
    Event,
    GatewayCall,
    Invoice,
    Mail,
    Payment,
    PaymentRequest,
)
from partway.billing.models import Refund as RefundRow
from partway.billing.payments import refund_booking, refunds
from partway.billing.payments.callbacks import receive_callback
from partway.billing.payments.refresh import refresh_payment
from partway.billing.payments.refunds import NewRefund
from partway.billing.receivables import credit
from partway.billing.receivables import refunds as outside_refunds
from partway.billing.reconciliation import due_work
from partway.gateways import protocol
from partway.lib.clock import now as present
from partway.lib.money import Money
from tests.billing.receivables.test_settlements import figures
from tests.support import personas
from tests.support.gateway_driver import GatewayDriver


@pytest.fixture
def paid(gateway_driver: GatewayDriver, open_request: PaymentRequest) -> Payment:
    """$300.00 of an invoice of $1,000.00, paid by card."""
    return gateway_driver.start_and_pay(open_request)


def refund(payment: Payment, amount_minor: int, by: Actor, **changes: Any) -> RefundRow:
    new = NewRefund(Money(amount_minor, "USD"), **{"reason": "complaint", **changes})
    return refunds.refund(payment, new_refund=new, by=by, now=present())


def left_on(payment: Payment) -> tuple[int, int, int]:
    """Returns what the payment has allocated, as credit, and given back."""
    payment.refresh_from_db()
    return payment.allocated_minor, payment.unallocated_minor, payment.refunded_minor


# The act


def test_refund_is_due_again(paid: Payment, alice: Actor, gateway_driver: GatewayDriver) -> None:
    row = refund(paid, 10_000, alice)
    assert (row.status, row.mode, row.reason) == ("succeeded", "gateway", "complaint")
    assert figures(paid.invoice) == ("sent", 20_000, 0, 80_000)
    assert left_on(paid) == (20_000, 0, 10_000)
    assert gateway_driver.refunded_minor(paid) == 10_000


def test_refund_of_paid_invoice_reopens_it_and_revives_no_request(
    gateway_driver: GatewayDriver, dana: Customer, alice: Actor
) -> None:
    request = personas.request_payment(personas.sent_invoice(dana, 30_000))
    refund(gateway_driver.start_and_pay(request), 30_000, alice)
    request.refresh_from_db()
    assert (figures(request.invoice)[0], request.status) == ("sent", "paid")


def test_refund_that_reduces_invoice_leaves_nothing_due_again(paid: Payment, alice: Actor) -> None:
    refund(paid, 10_000, alice, reduces_invoice=True)
    assert figures(paid.invoice) == ("sent", 20_000, 10_000, 70_000)


def test_refund_takes_credit_first_then_latest_invoice(paid: Payment, dana: Customer, alice: Actor) -> None:
    credit.deallocate(paid.invoice, paid, by=alice, now=present())
    later = personas.sent_invoice(dana, 20_000)
    credit.apply(later, amount=Money(20_000, "USD"), by=alice, now=present())
    refund(paid, 15_000, alice)
    assert (figures(later), left_on(paid)) == (("sent", 15_000, 0, 5_000), (15_000, 0, 15_000))


def test_refund_of_waiting_deposit_ends_it(
    gateway_driver: GatewayDriver, dana: Customer, alice: Actor
) -> None:
    quote = personas.accept_quote(personas.sent_quote(dana))
    deposit = gateway_driver.start_and_pay(quote)
    refund(deposit, 20_000, alice)
    deposit.refresh_from_db()
    assert deposit.deposit_given_back
    draft = quotes.create_invoice(quote, by=alice, now=present())
    assert invoices.send(draft, by=alice, now=present()).amount_paid_minor == 0


def test_second_refund_is_told_what_is_left(paid: Payment, alice: Actor) -> None:
    refund(paid, 20_000, alice)
    with pytest.raises(NotRefundable) as refused:
        refund(paid, 10_001, alice)
    assert refused.value.params == {"left": Money(10_000, "USD")}
    refund(paid, 10_000, alice)
    with pytest.raises(Conflict) as all_of_it:
        refund(paid, 1, alice)
    assert all_of_it.value.reason == "refunded_already"


def test_same_form_refunds_once(paid: Payment, alice: Actor, gateway_driver: GatewayDriver) -> None:
    first = refund(paid, 10_000, alice, idempotency_key="form-1")
    assert refund(paid, 10_000, alice, idempotency_key="form-1") == first
    with pytest.raises(Conflict):
        refund(paid, 20_000, alice, idempotency_key="form-1")
    assert gateway_driver.refunded_minor(paid) == 10_000


@pytest.mark.parametrize(
    ("changes", "field"), [({"reason": "whim"}, "reason"), ({"note": "x" * 401}, "note")]
)
def test_refund_refuses_wrong_field(paid: Payment, alice: Actor, changes: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        refund(paid, 100, alice, **changes)
    assert set(refused.value.fields) == {field}


@pytest.mark.parametrize("amount_minor", [0, -1])
def test_refund_of_nothing_is_refused(paid: Payment, alice: Actor, amount_minor: int) -> None:
    with pytest.raises(Invalid) as refused:
        refund(paid, amount_minor, alice)
    assert refused.value.code == "amount_too_small"


def test_refund_is_multiple_of_step_of_gateway(
    gateway_driver: GatewayDriver, dana: Customer, alice: Actor
) -> None:
    paid = gateway_driver.start_and_pay(personas.sent_invoice(dana, 50_000, currency="KWD"))
    with pytest.raises(Invalid) as refused:
        refunds.refund(paid, new_refund=NewRefund(Money(10_001, "KWD"), "complaint"), by=alice, now=present())
    assert refused.value.fields["amount"].params == {"step": Money(10, "KWD")}


def test_offline_payment_is_not_refunded_through_gateway(invoice: Invoice, alice: Actor) -> None:
    with pytest.raises(Conflict) as refused:
        refund(personas.record_check(invoice, 10_000), 100, alice)
    assert refused.value.reason == "refund_without_gateway"


def test_refund_through_gateway_cannot_be_reversed(paid: Payment, alice: Actor) -> None:
    with pytest.raises(Conflict) as refused:
        outside_refunds.reverse(refund(paid, 100, alice), reason="Mistake.", by=alice, now=present())
    assert refused.value.reason == "reverse_gateway_refund"


# Its outcome


def test_refused_refund_is_put_back(paid: Payment, alice: Actor, gateway_driver: GatewayDriver) -> None:
    gateway_driver.inject_fault("refund_refused")
    row = refund(paid, 10_000, alice)
    assert row.status == "failed"
    assert row.failure_code in ("refund_refused", "not_refundable")
    assert figures(paid.invoice) == ("sent", 30_000, 0, 70_000)
    assert Alert.objects.get().kind == "refund_failed"
    assert Mail.objects.get(kind="refund_failed").to == ["alice@alder.example"]


def test_pending_refund_counts_and_succeeds_later(
    paid: Payment, alice: Actor, gateway_driver: GatewayDriver
) -> None:
    gateway_driver.inject_fault("refund_pending")
    row = refund(paid, 10_000, alice)
    assert (row.status, left_on(paid)) == ("pending", (20_000, 0, 10_000))
    assert not Mail.objects.filter(kind="refund").exists()
    gateway_driver.settle_refund(row.gateway_ref)
    assert refunds.refresh_refund(row, now=present()).status == "succeeded"
    assert Mail.objects.filter(kind="refund").count() == 1


@pytest.mark.parametrize("at_first", ["pending", "succeeded"])
def test_refund_that_fails_later_is_put_back(
    paid: Payment, alice: Actor, gateway_driver: GatewayDriver, at_first: str
) -> None:
    if at_first == "pending":
        gateway_driver.inject_fault("refund_pending")
    row = refund(paid, 10_000, alice)
    assert row.status == at_first
    gateway_driver.settle_refund(row.gateway_ref, "failed")
    for _ in range(2):
        refresh_payment(paid, now=present())
    row.refresh_from_db()
    assert (row.status, left_on(paid)) == ("failed", (30_000, 0, 0))
    assert figures(paid.invoice) == ("sent", 30_000, 0, 70_000)
    assert Event.objects.filter(type="refund.failed").count() == 1
    assert Alert.objects.get().kind == "refund_failed"


def test_failed_refund_that_no_longer_fits_is_credit(
    paid: Payment, alice: Actor, dana: Customer, gateway_driver: GatewayDriver
) -> None:
    row = refund(paid, 30_000, alice)
    personas.record_check(paid.invoice, 90_000)
    gateway_driver.settle_refund(row.gateway_ref, "failed")
    refresh_payment(paid, now=present())
    assert figures(paid.invoice) == ("paid", 100_000, 0, 0)
    assert credit.balances(dana) == [Money(20_000, "USD")]


def test_failed_refund_of_void_invoice_is_credit(
    paid: Payment, alice: Actor, dana: Customer, gateway_driver: GatewayDriver
) -> None:
    row = refund(paid, 30_000, alice)
    invoices.void(paid.invoice, by=alice, now=present())
    gateway_driver.settle_refund(row.gateway_ref, "failed")
    refresh_payment(paid, now=present())
    assert credit.balances(dana) == [Money(30_000, "USD")]


def test_failed_refund_leaves_room_for_committed_payment(
    paid: Payment, alice: Actor, gateway_driver: GatewayDriver
) -> None:
    row = refund(paid, 30_000, alice)
    debit = gateway_driver.start_and_pay(Invoice.objects.get(), "debit")
    gateway_driver.settle_refund(row.gateway_ref, "failed")
    refresh_payment(paid, now=present())
    assert left_on(paid) == (0, 30_000, 0)
    gateway_driver.settle_bank_debit(debit)
    refresh_payment(debit, now=present())
    assert figures(paid.invoice) == ("paid", 100_000, 0, 0)


def test_failed_refund_takes_its_reduction_back(
    paid: Payment, alice: Actor, gateway_driver: GatewayDriver
) -> None:
    personas.record_check(paid.invoice, 70_000)
    row = refund(paid, 10_000, alice, reduces_invoice=True)
    gateway_driver.settle_refund(row.gateway_ref, "failed")
    refresh_payment(paid, now=present())
    assert figures(paid.invoice) == ("paid", 100_000, 0, 0)
    assert Adjustment.objects.last().cause == "refund_failed"


def test_success_reported_after_failure_is_ignored(
    paid: Payment, alice: Actor, gateway_driver: GatewayDriver
) -> None:
    row = refund(paid, 10_000, alice)
    gateway_driver.settle_refund(row.gateway_ref, "failed")
    refresh_payment(paid, now=present())
    with pytest.raises(NotRefundable):
        refund(paid, 30_001, alice)
    assert refund(paid, 30_000, alice).status == "succeeded"


# A gateway that gives no answer


def after(row: RefundRow, minutes: float = 1) -> RefundRow:
    """Runs the worker after a while."""
    due_work.refresh_pending_refunds(now=present() + timedelta(minutes=minutes))
    row.refresh_from_db()
    return row


@pytest.mark.parametrize("fault", ["timeout_after_success", "garbage", "error_before"])
def test_refund_without_response_is_sent_once(
    paid: Payment, alice: Actor, gateway_driver: GatewayDriver, fault: str
) -> None:
    gateway_driver.inject_fault(fault, act="refund")
    row = refund(paid, 10_000, alice)
    assert (row.status, left_on(paid)) == ("pending", (20_000, 0, 10_000))
    assert after(row).status == "succeeded"
    assert gateway_driver.refunded_minor(paid) == 10_000
    assert GatewayCall.objects.filter(refund=row).count() == 1


def test_refund_is_repeated_under_its_key_while_gateway_may_be_at_work_on_it(
    paid: Payment, alice: Actor, gateway_driver: GatewayDriver
) -> None:
    gateway_driver.inject_fault("timeout_after_success", act="refund")
    row = refund(paid, 10_000, alice)
    # As a process does that read the list before the gateway had it there.
    refunds.send(row, now=present() + timedelta(hours=22))
    assert gateway_driver.refunded_minor(paid) == 10_000


def test_refund_gets_another_key_once_gateway_has_forgotten_the_first(
    paid: Payment, alice: Actor, gateway_driver: GatewayDriver
) -> None:
    gateway_driver.inject_fault("error_before", act="refund", count=2)
    row = refund(paid, 10_000, alice)
    calls = GatewayCall.objects.filter(refund=row)
    assert [(after(row, hours * 60).status, calls.count()) for hours in (22.9, 23.1, 24.1)] == [
        *(("pending", 1), ("pending", 1), ("succeeded", 2))
    ]
    assert gateway_driver.refunded_minor(paid) == 10_000


def test_refund_under_key_that_was_sent_with_other_details_is_not_known_to_have_failed(
    paid: Payment, alice: Actor, gateway_driver: GatewayDriver
) -> None:
    gateway_driver.inject_fault("error_before", act="refund")
    row = refund(paid, 10_000, alice)
    other = gateway_driver.start_and_pay(personas.request_payment(paid.invoice))
    key = GatewayCall.objects.get(refund=row).idempotency_key
    gateway_calls.gateway_for(other).refund(other.checkout_ref, row.amount, key)
    assert (after(row).status, left_on(paid)) == ("pending", (20_000, 0, 10_000))


def test_refund_is_not_sent_again_while_first_call_may_take_effect(
    paid: Payment, alice: Actor, gateway_driver: GatewayDriver
) -> None:
    gateway_driver.inject_fault("error_before", act="refund")
    row = refund(paid, 10_000, alice)
    assert refunds.refresh_refund(row, now=present()).status == "pending"
    assert GatewayCall.objects.filter(refund=row).count() == 1


def test_refund_waits_while_gateway_does_not_say_what_happened(
    paid: Payment, alice: Actor, gateway_driver: GatewayDriver
) -> None:
    gateway_driver.inject_fault("error_before", act="refund")
    row = refund(paid, 10_000, alice)
    gateway_driver.inject_fault("error_before", act="fetch")
    assert after(row).status == "pending"
    assert GatewayCall.objects.filter(refund=row).count() == 1
    assert after(row, 30).status == "succeeded"


def test_refund_of_process_killed_before_its_call_is_sent_by_worker(
    paid: Payment, alice: Actor, gateway_driver: GatewayDriver
) -> None:
    row, _ = refunds._begin(paid, NewRefund(Money(10_000, "USD"), "other"), alice, present())
    assert after(row).status == "succeeded"
    assert gateway_driver.refunded_minor(paid) == 10_000


@pytest.mark.parametrize(("outcome", "left"), [("open", 30_000), ("lost", 0)])
def test_refund_that_was_never_sent_fails_once_its_payment_is_disputed(
    paid: Payment, alice: Actor, gateway_driver: GatewayDriver, outcome: str, left: int
) -> None:
    row, _ = refunds._begin(paid, NewRefund(Money(10_000, "USD"), "other"), alice, present())
    disputed = gateway_driver.dispute(paid, 30_000)
    if outcome == "lost":
        gateway_driver.decide_dispute(disputed, outcome)
    assert (after(row).status, row.failure_code) == ("failed", "disputed")
    assert (gateway_driver.refunded_minor(paid), left_on(paid)) == (0, (left, 0, 0))
    assert not GatewayCall.objects.filter(refund=row).exists()
    assert Alert.objects.get(kind="refund_failed").params["reason"] == "disputed"


@pytest.mark.sandbox_only("Stripe refuses a refund of a payment of which a part is disputed")
def test_refund_that_fits_beside_a_dispute_is_sent(
    paid: Payment, alice: Actor, gateway_driver: GatewayDriver
) -> None:
    row, _ = refunds._begin(paid, NewRefund(Money(10_000, "USD"), "other"), alice, present())
    gateway_driver.dispute(paid, 20_000)
    assert after(row).status == "succeeded"


def test_disputed_refund_does_not_fail_while_its_call_may_take_effect(
    paid: Payment, alice: Actor, gateway_driver: GatewayDriver
) -> None:
    gateway_driver.inject_fault("error_before", act="refund")
    row = refund(paid, 10_000, alice)
    gateway_driver.dispute(paid, 30_000)
    assert refunds.refresh_refund(row, now=present()).status == "pending"
    assert after(row).failure_code == "disputed"


def test_refund_that_a_callback_booked_meanwhile_does_not_fail_because_of_a_dispute(
    paid: Payment, alice: Actor
) -> None:
    row = refund(paid, 10_000, alice)
    personas.dispute(paid, 30_000, "lost")
    assert not refunds._fail_if_disputed(row, now=present() + timedelta(hours=1))


def test_refund_pending_for_long_raises_alert_until_it_ends(
    paid: Payment, alice: Actor, gateway_driver: GatewayDriver
) -> None:
    gateway_driver.inject_fault("refund_pending")
    row = refund(paid, 10_000, alice)
    after(row, 60 * 24 * 11)
    alert = Alert.objects.get(kind="refund_unsettled")
    gateway_driver.settle_refund(row.gateway_ref)
    refresh_payment(paid, now=present())
    alert.refresh_from_db()
    assert alert.auto_resolution == "refund_settled"


@pytest.mark.every_gateway
def test_callback_before_response_is_one_refund(
    paid: Payment, alice: Actor, gateway_driver: GatewayDriver
) -> None:
    gateway_driver.inject_fault("timeout_after_success", act="refund")
    row = refund(paid, 10_000, alice)
    received = gateway_driver.callback(paid, "refunded")
    for _ in range(2):
        receive_callback(gateway_driver.account, body=received.body, headers=received.headers, now=present())
    row.refresh_from_db()
    assert (row.status, left_on(paid)) == ("succeeded", (20_000, 0, 10_000))
    assert Callback.objects.get(event_type=received.event["type"]).status == "processed"


# Made in the gateway's dashboard


def test_refund_in_dashboard_is_booked_once(paid: Payment, gateway_driver: GatewayDriver) -> None:
    gateway_driver.refund_at_gateway(paid, 10_000)
    for _ in range(2):
        refresh_payment(paid, now=present())
    row = RefundRow.objects.get()
    assert (row.mode, row.status, row.amount_minor, row.lost_minor) == ("dashboard", "succeeded", 10_000, 0)
    assert figures(paid.invoice) == ("sent", 20_000, 0, 80_000)
    assert Alert.objects.get().kind == "refunded_at_gateway"


def test_failed_refund_in_dashboard_is_put_back(paid: Payment, gateway_driver: GatewayDriver) -> None:
    ref = gateway_driver.refund_at_gateway(paid, 10_000)
    refresh_payment(paid, now=present())
    gateway_driver.settle_refund(ref, "failed")
    refresh_payment(paid, now=present())
    assert left_on(paid) == (30_000, 0, 0)


def test_refund_in_dashboard_that_failed_at_once_is_not_booked(
    paid: Payment, gateway_driver: GatewayDriver
) -> None:
    gateway_driver.settle_refund(gateway_driver.refund_at_gateway(paid, 10_000), "failed")
    refresh_payment(paid, now=present())
    assert not RefundRow.objects.exists()


def test_two_refunds_that_fail_in_one_report_leave_nothing_refunded_or_lost(invoice: Invoice) -> None:
    payment = personas.captured_payment(invoice, 10_000)
    failed = [personas.refund_in_dashboard(payment, each, ref=f"re_{each}") for each in (7_000, 6_000)]
    assert failed[1].lost_minor == 3_000
    personas.fail_refund(*failed)
    payment.refresh_from_db()
    assert (payment.refunded_minor, payment.unallocated_minor + payment.allocated_minor) == (0, 10_000)


def test_refund_in_dashboard_beyond_payment_is_a_loss(paid: Payment, gateway_driver: GatewayDriver) -> None:
    personas.give_back(paid, 25_000)
    gateway_driver.refund_at_gateway(paid, 30_000)
    refresh_payment(paid, now=present())
    row = RefundRow.objects.get(mode="dashboard")
    assert (row.amount_minor, row.lost_minor, left_on(paid)) == (30_000, 25_000, (0, 0, 30_000))
    assert Alert.objects.get().kind == "refunded_beyond_payment"


def test_loss_is_covered_once_another_refund_was_a_mistake(
    paid: Payment, alice: Actor, dana: Customer, gateway_driver: GatewayDriver
) -> None:
    by_mistake = personas.give_back(paid, 25_000)
    gateway_driver.refund_at_gateway(paid, 20_000)
    refresh_payment(paid, now=present())
    assert RefundRow.objects.get(mode="dashboard").lost_minor == 15_000
    outside_refunds.reverse(by_mistake, reason="It was never paid out.", by=alice, now=present())
    assert RefundRow.objects.get(mode="dashboard").lost_minor == 0
    assert (left_on(paid), credit.balances(dana)) == ((0, 10_000, 20_000), [Money(10_000, "USD")])


def test_refund_in_other_currency_is_flagged_and_not_booked(paid: Payment) -> None:
    yen = protocol.Refund("re_1", protocol.RefundStatus.SUCCEEDED, Money(100, "JPY"))
    refund_booking.apply(paid, [yen], {}, by=events.gateway_actor("sandbox"), now=present())
    assert not RefundRow.objects.exists()
    assert Alert.objects.get().kind == "refund_in_other_currency"


def test_refund_of_another_amount_than_ours_is_booked_as_it_is(paid: Payment, alice: Actor) -> None:
    row, _ = refunds._begin(paid, NewRefund(Money(10_000, "USD"), "other"), alice, present())
    reported = protocol.Refund(
        "re_1", protocol.RefundStatus.SUCCEEDED, Money(9_000, "USD"), f"{row.pk}:refund:1"
    )
    refunds._book(row, [reported], None, present())
    row.refresh_from_db()
    assert (row.failure_code, left_on(paid)) == ("another_amount", (21_000, 0, 9_000))
