"""Tests of disputes as the gateway reports them: opened, won, lost, changed, and their races with refunds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from partway.billing.documents import invoices, quotes
from partway.billing.errors import Conflict, Invalid, NotRefundable
from partway.billing.events import Actor
from partway.billing.models import (
    Adjustment,
    Alert,
    Customer,
    Event,
    Invoice,
    Mail,
    Payment,
    PaymentRequest,
)
from partway.billing.models import Dispute as DisputeRow
from partway.billing.payments import dispute_booking, refunds
from partway.billing.payments.refresh import refresh_payment
from partway.billing.payments.refunds import NewRefund
from partway.billing.receivables import credit, dispute_losses
from partway.billing.reconciliation import due_work
from partway.billing.reconciliation.gateway_list import reconcile_gateway_lists
from partway.delivery.mail import kinds
from partway.gateways.protocol import Dispute, DisputeStatus
from partway.lib.clock import now as present
from partway.lib.money import Money
from tests.billing.receivables.test_settlements import figures
from tests.billing.verification.corruption import differences_of
from tests.support import personas
from tests.support.gateway_driver import GatewayDriver
from tests.support.personas import dispute


@pytest.fixture
def paid(invoice: Invoice) -> Payment:
    """$300.00 of an invoice of $1,000.00, paid by card."""
    return personas.captured_payment(invoice, 30_000)


def reported(amount_minor: int, status: str = "open") -> Dispute:
    return Dispute("dp_1", DisputeStatus(status), Money(amount_minor, "USD"), "fraudulent")


def sums(payment: Payment) -> tuple[int, int, int, int, int]:
    """Returns what the payment has allocated, as credit that can be spent, given back, frozen, and lost."""
    payment.refresh_from_db()
    gone = (payment.refunded_minor, payment.frozen_minor, payment.lost_minor)
    return payment.allocated_minor, payment.spendable_minor, *gone


# Opened


def test_open_dispute_freezes_units_where_they_are(paid: Payment) -> None:
    row = dispute(paid, 10_000)
    assert (row.status, row.counted_minor, sums(paid)) == ("open", 10_000, (30_000, 0, 0, 10_000, 0))
    assert figures(paid.invoice) == ("sent", 30_000, 0, 70_000)
    assert Alert.objects.get().kind == "dispute_opened"


def test_same_reports_book_a_dispute_once(paid: Payment) -> None:
    for _ in range(2):
        dispute(paid, 10_000)
    assert sums(paid) == (30_000, 0, 0, 10_000, 0)
    assert Event.objects.filter(type__startswith="dispute.").count() == 1


def test_disputed_part_cannot_be_refunded(paid: Payment, alice: Actor) -> None:
    dispute(paid, 10_000)
    with pytest.raises(NotRefundable) as refused:
        refunds.refund(paid, new_refund=NewRefund(Money(20_001, "USD"), "other"), by=alice, now=present())
    assert refused.value.params == {"left": Money(20_000, "USD")}
    personas.give_back(paid, 20_000)
    with pytest.raises(Conflict) as all_of_it:
        personas.give_back(paid, 1)
    assert all_of_it.value.reason == "refund_disputed"


def test_disputed_credit_cannot_be_spent_or_given_back(paid: Payment, dana: Customer, alice: Actor) -> None:
    credit.deallocate(paid.invoice, paid, by=alice, now=present())
    dispute(paid, 20_000)
    assert credit.balances(dana) == [Money(10_000, "USD")]
    with pytest.raises(Invalid):
        credit.apply(paid.invoice, amount=Money(10_001, "USD"), by=alice, now=present())
    with pytest.raises(Invalid):
        personas.give_back_credit(dana, Money(10_001, "USD"))
    credit.apply(paid.invoice, amount=Money(10_000, "USD"), by=alice, now=present())
    assert sums(paid) == (10_000, 0, 0, 20_000, 0)


def test_credit_released_from_disputed_payment_stays_frozen(
    paid: Payment, dana: Customer, alice: Actor
) -> None:
    dispute(paid, 30_000)
    credit.deallocate(paid.invoice, paid, by=alice, now=present())
    assert (sums(paid), credit.balances(dana)) == ((0, 0, 0, 30_000, 0), [])


def test_disputed_deposit_is_allocated_to_its_invoice(
    gateway_driver: GatewayDriver, dana: Customer, alice: Actor
) -> None:
    quote = personas.accept_quote(personas.sent_quote(dana))
    deposit = gateway_driver.start_and_pay(quote)
    dispute(deposit, 30_000)
    draft = quotes.create_invoice(quote, by=alice, now=present())
    assert invoices.send(draft, by=alice, now=present()).amount_paid_minor == 30_000
    dispute(deposit, 30_000, "lost")
    assert figures(draft) == ("sent", 0, 0, draft.total_minor)


# Lost


def test_lost_dispute_is_due_again_and_revives_no_request(dana: Customer) -> None:
    request = personas.request_payment(personas.sent_invoice(dana, 30_000))
    payment = personas.captured_payment(request.invoice, 30_000, request=request)
    dispute(payment, 30_000)
    row = dispute(payment, 30_000, "lost")
    request.refresh_from_db()
    assert (figures(request.invoice), request.status) == (("sent", 0, 0, 30_000), "paid")
    assert (row.status, sums(payment)) == ("lost", (0, 0, 0, 0, 30_000))
    assert [alert.kind for alert in Alert.objects.filter(resolved_at=None)] == ["dispute_lost"]


def test_partial_dispute_loses_its_amount_alone(paid: Payment) -> None:
    dispute(paid, 10_000, "lost")
    assert (figures(paid.invoice), sums(paid)) == (("sent", 20_000, 0, 80_000), (20_000, 0, 0, 0, 10_000))


def test_lost_dispute_takes_credit_first_then_latest_invoice(
    paid: Payment, dana: Customer, alice: Actor
) -> None:
    credit.deallocate(paid.invoice, paid, by=alice, now=present())
    later = personas.sent_invoice(dana, 20_000)
    credit.apply(later, amount=Money(20_000, "USD"), by=alice, now=present())
    dispute(paid, 15_000, "lost")
    assert (figures(later), sums(paid)) == (("sent", 15_000, 0, 5_000), (15_000, 0, 0, 0, 15_000))


def test_lost_dispute_of_waiting_deposit_ends_it(gateway_driver: GatewayDriver, dana: Customer) -> None:
    quote = personas.accept_quote(personas.sent_quote(dana))
    deposit = gateway_driver.start_and_pay(quote)
    dispute(deposit, 10_000, "lost")
    deposit.refresh_from_db()
    assert deposit.deposit_given_back
    assert credit.balances(dana) == [Money(20_000, "USD")]


def covered_by_refund(deposit: Payment) -> str:
    dispute(deposit, 30_000)
    personas.refund_in_dashboard(deposit, 30_000)  # beyond what is left, as long as all of it is disputed
    dispute(deposit, 30_000, "won")
    return "refund.loss_covered"


def covered_by_dispute(deposit: Payment) -> str:
    dispute(deposit, 30_000)
    dispute(deposit, 30_000, "lost", ref="dp_2")
    dispute(deposit, 30_000, "won")
    return "dispute.loss_covered"


def lost_more(deposit: Payment) -> str:
    dispute(deposit, 10_000, "lost")
    dispute(deposit, 30_000, "lost")
    return "dispute.updated"


@pytest.mark.parametrize("goes", [covered_by_refund, covered_by_dispute, lost_more])
def test_deposit_on_its_invoice_is_ended_once_all_of_it_is_gone(
    gateway_driver: GatewayDriver, dana: Customer, alice: Actor, goes: Callable[[Payment], str]
) -> None:
    quote = personas.accept_quote(personas.sent_quote(dana))
    deposit = gateway_driver.start_and_pay(quote)
    invoices.send(quotes.create_invoice(quote, by=alice, now=present()), by=alice, now=present())
    ends = goes(deposit)
    deposit.refresh_from_db()
    assert (deposit.deposit_given_back, deposit.held_minor) == (True, 0)
    assert Event.objects.get(payment=deposit, data__ends_deposit=True).type == ends


@pytest.mark.parametrize(
    ("goes", "kind"),
    [(covered_by_refund, "refunded_beyond_payment"), (covered_by_dispute, "disputed_beyond_payment")],
)
def test_alert_of_a_loss_is_resolved_when_the_payment_covers_it(
    paid: Payment, goes: Callable[[Payment], str], kind: str
) -> None:
    goes(paid)
    assert Alert.objects.get(kind=kind).auto_resolution == "loss_covered"


def test_alert_of_a_loss_stays_while_a_part_is_not_covered(paid: Payment) -> None:
    dispute(paid, 20_000)
    personas.refund_in_dashboard(paid, 30_000)
    dispute(paid, 20_000, "lost")
    dispute(paid, 10_000, "lost")
    assert paid.refunds.get().lost_minor == 10_000
    assert Alert.objects.get(kind="refunded_beyond_payment").resolved_at is None


def test_unreported_dispute_is_booked_with_its_whole_history(paid: Payment) -> None:
    dispute(paid, 30_000, "lost")
    history = Event.objects.filter(type__startswith="dispute.").order_by("created_at", "id")
    assert list(history.values_list("type", flat=True)) == ["dispute.opened", "dispute.lost"]


# Won, and changed later


def test_won_dispute_is_free_again(paid: Payment) -> None:
    dispute(paid, 30_000)
    assert dispute(paid, 30_000, "won").status == "won"
    assert (figures(paid.invoice), sums(paid)) == (("sent", 30_000, 0, 70_000), (30_000, 0, 0, 0, 0))
    assert not Alert.objects.filter(resolved_at=None).exists()
    personas.give_back(paid, 30_000)


def test_dispute_lost_after_it_was_won(paid: Payment) -> None:
    dispute(paid, 30_000, "won")
    assert dispute(paid, 30_000, "lost").status == "lost"
    assert sums(paid) == (0, 0, 0, 0, 30_000)


def test_dispute_that_is_lost_again_took_what_it_took_since_it_was_won(
    paid: Payment, dana: Customer, alice: Actor
) -> None:
    dispute(paid, 30_000, "lost")
    check = personas.record_check(paid.invoice, 80_000)
    dispute(paid, 30_000, "won")  # puts back $200.00, and $100.00 are credit
    later = personas.sent_invoice(dana, 10_000)
    credit.apply(later, amount=Money(10_000, "USD"), by=alice, now=present())
    row = dispute(paid, 30_000, "lost")  # $100.00 of the later invoice, $200.00 of the first
    personas.reverse_check(check)
    assert dispute_losses.left_to_settle(row) == {paid.invoice_id: 20_000, later.pk: 10_000}
    assert differences_of() == set()
    dispute(paid, 30_000, "won")
    assert (figures(paid.invoice), figures(later)) == (("sent", 20_000, 0, 80_000), ("paid", 10_000, 0, 0))
    assert differences_of() == set()


def test_lost_dispute_that_is_won_is_put_back_where_it_fits(paid: Payment, dana: Customer) -> None:
    dispute(paid, 30_000, "lost")
    personas.record_check(paid.invoice, 90_000)
    dispute(paid, 30_000, "won")
    assert (figures(paid.invoice), sums(paid)) == (("paid", 100_000, 0, 0), (10_000, 20_000, 0, 0, 0))
    assert credit.balances(dana) == [Money(20_000, "USD")]


@pytest.mark.parametrize(("then", "due"), [(12_000, 82_000), (30_000, 100_000)])
def test_other_amount_of_lost_dispute_is_no_new_decision(paid: Payment, then: int, due: int) -> None:
    dispute(paid, 20_000, "lost")
    request = personas.request_payment(paid.invoice, 82_000)
    row = dispute(paid, then, "lost")
    assert (row.amount_minor, sums(paid)) == (then, (30_000 - then, 0, 0, 0, then))
    assert figures(paid.invoice) == ("sent", 30_000 - then, 0, due)
    request.refresh_from_db()
    assert request.status == "open"
    assert Mail.objects.filter(kind="dispute_closed").count() == 1
    assert Alert.objects.get(kind="dispute_lost").params["amount"]["amount_minor"] == then


def test_less_is_lost_than_was_taken_as_a_loss(paid: Payment, alice: Actor) -> None:
    row = dispute(paid, 30_000, "lost")
    dispute_losses.settle(row, expected=Money(30_000, "USD"), by=alice, now=present())
    dispute(paid, 12_000, "lost")
    assert (figures(paid.invoice), sums(paid)) == (
        ("sent", 18_000, 12_000, 70_000),
        (18_000, 0, 0, 0, 12_000),
    )


def test_dispute_of_another_amount_is_won_after_all(paid: Payment) -> None:
    dispute(paid, 30_000, "lost", reason="debit_returned")
    row = dispute(paid, 12_000, "won", reason="debit_returned")
    assert (row.amount_minor, sums(paid)) == (12_000, (30_000, 0, 0, 0, 0))
    # All that it took comes back at once: the customer is not told that it took the new amount.
    assert Mail.objects.filter(kind="debit_returned").count() == 1


def test_what_lost_dispute_takes_by_a_slower_clock_is_put_back_too(paid: Payment) -> None:
    personas.report_disputes(paid, reported(10_000, "lost"), at=present() + timedelta(minutes=1))
    for status in ("lost", "won"):
        personas.report_disputes(paid, reported(15_000, status))
    assert sums(paid) == (30_000, 0, 0, 0, 0)


def test_what_lost_dispute_takes_of_a_failed_refund_by_a_slower_clock_is_put_back_too(paid: Payment) -> None:
    row = personas.refund_in_dashboard(paid, 25_000)
    personas.report_disputes(paid, reported(20_000, "lost"), at=present() + timedelta(minutes=1))
    personas.fail_refund(row)
    dispute(paid, 20_000, "won")
    assert figures(paid.invoice) == ("sent", 30_000, 0, 70_000)


def test_open_dispute_follows_its_amount_and_last_day(paid: Payment) -> None:
    due_at = present() + timedelta(days=9)
    dispute(paid, 10_000)
    row = dispute(paid, 25_000, evidence_due_at=due_at)
    assert (sums(paid)[3], row.evidence_due_at) == (25_000, due_at)
    assert row.remind_at == due_at - dispute_booking.REMIND_BEFORE
    assert Alert.objects.get().params["evidence_due_at"] == due_at.isoformat()


def test_fee_of_dispute_comes_back_when_it_is_won(paid: Payment) -> None:
    dispute(paid, 10_000, fee=Money(1_500, "USD"))
    row = dispute(paid, 10_000, "won")
    assert row.fee is None
    changed = Event.objects.get(type="dispute.fee_changed").data
    assert (changed["fee_before_minor"], changed["fee_minor"]) == (1_500, 0)


def test_unknown_reason_is_stored_as_unknown(paid: Payment) -> None:
    assert dispute(paid, 10_000, reason="moon phase").reason == "unknown"
    dispute(paid, 10_000, reason="moon phase")
    assert Event.objects.filter(type__startswith="dispute.").count() == 1


@pytest.mark.parametrize(
    ("second", "frozen", "lost"), [("lost", 0, 10_000), ("won", 0, 0), ("open", 10_000, 0)]
)
def test_dispute_that_is_won_covers_another_in_the_same_report(
    paid: Payment, second: str, frozen: int, lost: int
) -> None:
    dispute(paid, 30_000, ref="dp_1")
    dispute(paid, 10_000, ref="dp_2")  # beyond the payment as long as the first is open
    first = replace(reported(30_000), ref="dp_1", status=DisputeStatus.WON)
    other = replace(reported(10_000), ref="dp_2", status=DisputeStatus(second), evidence_due_at=present())
    personas.report_disputes(paid, first, other)
    assert sums(paid)[3:] == (frozen, lost)


def test_dispute_that_is_lost_again_is_raised_again(paid: Payment) -> None:
    for status in ("open", "lost", "won", "lost"):
        dispute(paid, 10_000, status)
    assert Alert.objects.filter(kind="dispute_lost", resolved_at=None).exists()


# Reports out of order


@pytest.mark.parametrize(("newest", "late"), [("won", "open"), ("lost", "open")])
def test_late_report_of_open_dispute_is_ignored(paid: Payment, newest: str, late: str) -> None:
    dispute(paid, 10_000, newest)
    assert dispute(paid, 10_000, late).status == newest


@pytest.mark.parametrize(("newest", "late"), [("won", "lost"), ("lost", "won")])
def test_state_fetched_before_another_booking_is_not_booked_after_it(
    paid: Payment, newest: str, late: str
) -> None:
    row = dispute(paid, 10_000)
    known = dispute_booking.versions(paid)
    dispute(paid, 10_000, newest)
    personas.report_disputes(paid, reported(10_000, late), known=known)
    row.refresh_from_db()
    assert row.status == newest
    assert dispute(paid, 10_000, late).status == late


def test_state_fetched_before_dispute_was_opened_still_decides_it(paid: Payment) -> None:
    row = dispute(paid, 10_000)
    personas.report_disputes(paid, reported(9_000, "lost"), known={})
    row.refresh_from_db()
    assert (row.status, row.amount_minor) == ("lost", 10_000)


# More than is left


def test_dispute_beyond_payment_is_a_loss(paid: Payment) -> None:
    personas.give_back(paid, 25_000)
    row = dispute(paid, 30_000, "lost")
    assert (row.lost_minor, sums(paid)) == (25_000, (0, 0, 25_000, 0, 5_000))
    assert Alert.objects.filter(kind="disputed_beyond_payment").count() == 1


def test_refund_beyond_open_dispute_is_covered_when_it_is_won(paid: Payment) -> None:
    """Older ones that the payment had all money for have nothing to be covered."""
    personas.refund_in_dashboard(paid, 1_000, ref="re_older")
    dispute(paid, 1_000, "lost", ref="dp_older")
    dispute(paid, 18_000)
    row = personas.refund_in_dashboard(paid, 25_000)
    assert (row.lost_minor, sums(paid)) == (15_000, (18_000, 0, 11_000, 18_000, 1_000))
    dispute(paid, 18_000, "won")
    row.refresh_from_db()
    assert (row.lost_minor, sums(paid)) == (0, (3_000, 0, 26_000, 0, 1_000))


def test_refund_beyond_open_dispute_is_covered_when_less_is_disputed(paid: Payment) -> None:
    dispute(paid, 20_000)
    row = personas.refund_in_dashboard(paid, 25_000)
    dispute(paid, 8_000)
    row.refresh_from_db()
    assert (row.lost_minor, sums(paid)) == (3_000, (8_000, 0, 22_000, 8_000, 0))


@pytest.mark.parametrize(
    ("status", "then"), [("open", (30_000, 0, 0, 20_000, 0)), ("lost", (10_000, 0, 0, 0, 20_000))]
)
def test_dispute_beyond_refund_is_covered_when_that_fails(
    paid: Payment, status: str, then: tuple[int, ...]
) -> None:
    row = personas.refund_in_dashboard(paid, 25_000)
    assert dispute(paid, 20_000, status).lost_minor == 15_000
    personas.fail_refund(row)
    assert (DisputeRow.objects.get().lost_minor, sums(paid)) == (0, then)


def test_refund_that_failed_under_lost_dispute_is_put_back_with_it(paid: Payment) -> None:
    row = personas.refund_in_dashboard(paid, 10_000)
    request = personas.request_payment(paid.invoice, 80_000)
    assert dispute(paid, 30_000, "lost").lost_minor == 10_000
    personas.fail_refund(row)  # the dispute has taken all of it now
    request.refresh_from_db()
    assert (figures(paid.invoice), request.status) == (("sent", 0, 0, 100_000), "open")
    dispute(paid, 30_000, "won")
    assert (figures(paid.invoice), sums(paid)) == (("sent", 30_000, 0, 70_000), (30_000, 0, 0, 0, 0))


def test_dispute_won_under_a_lost_one_cancels_no_request(paid: Payment) -> None:
    dispute(paid, 30_000, "lost")
    second = dispute(paid, 30_000, "lost", ref="dp_2")
    request = personas.request_payment(paid.invoice, 100_000)
    dispute(paid, 30_000, "won")
    request.refresh_from_db()
    assert (figures(paid.invoice), request.status) == (("sent", 0, 0, 100_000), "open")
    assert dispute_losses.left_to_settle(DisputeRow.objects.get(pk=second.pk)) == {paid.invoice_id: 30_000}


def test_two_disputes_of_one_payment_are_capped(paid: Payment) -> None:
    dispute(paid, 20_000)
    second = dispute(paid, 20_000, ref="dp_2")
    assert (second.lost_minor, sums(paid)[3]) == (10_000, 30_000)
    dispute(paid, 20_000, "won")
    second.refresh_from_db()
    assert (second.lost_minor, sums(paid)[3]) == (0, 20_000)


def test_two_disputes_lost_in_one_report(paid: Payment) -> None:
    second = replace(reported(5_000, "lost"), ref="dp_2")
    personas.report_disputes(paid, reported(10_000, "lost"), second)
    assert (figures(paid.invoice), sums(paid)) == (("sent", 15_000, 0, 85_000), (15_000, 0, 0, 0, 15_000))


def test_dispute_in_other_currency_is_flagged_and_not_booked(paid: Payment) -> None:
    personas.report_disputes(paid, replace(reported(100), amount=Money(100, "JPY")))
    assert not DisputeRow.objects.exists()
    assert Alert.objects.get().kind == "dispute_in_other_currency"


# Mails


def test_organization_is_told_when_dispute_opens_and_ends(paid: Payment) -> None:
    dispute(paid, 10_000)
    dispute(paid, 10_000, "lost")
    told = Mail.objects.filter(kind__startswith="dispute_").order_by("created_at", "id")
    assert [(mail.kind, mail.to) for mail in told] == [
        ("dispute_opened", ["billing@alder.example"]),
        ("dispute_closed", ["billing@alder.example"]),
    ]


def test_customer_is_told_once_that_bank_returned_their_debit(paid: Payment) -> None:
    dispute(paid, 10_000, "lost", reason="fraudulent", ref="dp_2")
    assert not Mail.objects.filter(kind="debit_returned").exists()
    for _ in range(2):
        dispute(paid, 10_000, "lost", reason="debit_returned")
    first = Mail.objects.get(kind="debit_returned")
    assert (first.to, kinds.is_valid(first, now=present())) == ([paid.customer.email], True)
    # The bank returned more than it had said, before the mail left: only the new amount is mailed.
    dispute(paid, 12_000, "lost", reason="debit_returned")
    [old, new] = Mail.objects.filter(kind="debit_returned").order_by("created_at", "id")
    assert [kinds.is_valid(mail, now=present()) for mail in (old, new)] == [False, True]
    dispute(paid, 12_000, "won", reason="debit_returned")
    assert not kinds.is_valid(new, now=present())


def test_evidence_is_reminded_of_once_before_it_is_due(paid: Payment) -> None:
    due_at = present() + timedelta(days=9)
    dispute(paid, 10_000, evidence_due_at=due_at)
    assert due_work.remind_of_evidence(now=due_at - timedelta(days=3)) == 0
    for expected in (1, 0):
        assert due_work.remind_of_evidence(now=due_at - timedelta(days=1)) == expected
    assert Mail.objects.filter(kind="dispute_reminder").count() == 1


@pytest.mark.parametrize("days", [None, 1])
def test_dispute_without_time_for_a_reminder_has_none(paid: Payment, days: int | None) -> None:
    due_at = present() + timedelta(days=days) if days else None
    assert dispute(paid, 10_000, evidence_due_at=due_at).remind_at is None


# Taken as a loss


def test_owner_takes_lost_dispute_as_a_loss(paid: Payment, alice: Actor) -> None:
    row = dispute(paid, 30_000, "lost")
    for _ in range(2):
        dispute_losses.settle(row, expected=Money(30_000, "USD"), by=alice, now=present())
    assert figures(paid.invoice) == ("sent", 0, 30_000, 70_000)
    assert not Alert.objects.filter(resolved_at=None).exists()


def test_loss_is_taken_back_when_dispute_is_won_after_all(paid: Payment, alice: Actor) -> None:
    row = dispute(paid, 30_000, "lost")
    dispute_losses.settle(row, expected=Money(30_000, "USD"), by=alice, now=present())
    dispute(paid, 30_000, "won")
    assert (figures(paid.invoice), sums(paid)) == (("sent", 30_000, 0, 70_000), (30_000, 0, 0, 0, 0))
    assert Adjustment.objects.last().cause == "dispute_won"


def test_loss_is_no_more_than_is_still_due(paid: Payment, alice: Actor) -> None:
    row = dispute(paid, 30_000, "lost")
    personas.record_check(paid.invoice, 80_000)
    with pytest.raises(Conflict) as refused:
        dispute_losses.settle(row, expected=Money(30_000, "USD"), by=alice, now=present())
    assert refused.value.params == {"left": Money(20_000, "USD")}
    dispute_losses.settle(row, expected=Money(20_000, "USD"), by=alice, now=present())
    assert figures(paid.invoice) == ("paid", 80_000, 20_000, 0)


def test_loss_that_was_taken_before_a_win_is_not_the_next_one(paid: Payment, alice: Actor) -> None:
    row = dispute(paid, 30_000, "lost")
    dispute_losses.settle(row, expected=Money(30_000, "USD"), by=alice, now=present())
    dispute(paid, 30_000, "won")
    credit.deallocate(paid.invoice, paid, by=alice, now=present())
    row = dispute(paid, 30_000, "lost")  # of credit alone
    with pytest.raises(Conflict):
        dispute_losses.settle(row, expected=Money(0, "USD"), by=alice, now=present())


@pytest.mark.parametrize("status", ["open", "won"])
def test_only_lost_dispute_is_taken_as_a_loss(paid: Payment, alice: Actor, status: str) -> None:
    with pytest.raises(Conflict) as refused:
        dispute_losses.settle(dispute(paid, 100, status), expected=Money(100, "USD"), by=alice, now=present())
    assert refused.value.reason == f"settle_dispute_{status}"


# From the gateway


def by_return(payment: Payment, minutes: int) -> None:
    refresh_payment(payment, now=present())


def by_list(payment: Payment, minutes: int) -> None:
    assert reconcile_gateway_lists(now=present() + timedelta(minutes=minutes)) == 1


@pytest.mark.parametrize("hear", [by_return, by_list])
def test_dispute_at_gateway_is_heard_of(
    open_request: PaymentRequest, gateway_driver: GatewayDriver, hear: Callable[[Payment, int], None]
) -> None:
    paid = gateway_driver.start_and_pay(open_request)
    ref = gateway_driver.dispute(paid, 10_000, reason="duplicate")
    hear(paid, 10)
    row = DisputeRow.objects.get()
    assert (row.gateway_ref, row.status, row.reason) == (ref, "open", "duplicate")
    assert row.fee == Money(1_500, "USD")
    gateway_driver.decide_dispute(ref, "lost")
    hear(paid, 30)
    assert figures(Invoice.objects.get(pk=paid.invoice_id)) == ("sent", 20_000, 0, 80_000)
