"""The day of a refund by hand: not before the money was there, so that no liability is ever below zero (0054)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta

import pytest

from partway.billing.documents import invoices, quotes, voiding
from partway.billing.documents.voiding import Outcome, VoidPlan
from partway.billing.errors import FieldError, Invalid, field_error
from partway.billing.events import Actor
from partway.billing.models import Allocation, Customer, Event, Invoice, Payment
from partway.billing.receivables import credit, refund_effects, refunds
from partway.lib.clock import now, today
from partway.lib.money import Money
from tests.billing.journal.test_entries import (
    balances,
    check,
    check_journal,
    closing,
    deposit_of,
    edited,
    given_back,
    sent,
)
from tests.support import personas
from tests.support.days import DAY, NOW

AROSE = NOW - 10 * DAY


def day(ago: int) -> date:
    return today(NOW, "America/New_York") - ago * DAY


def error_of(payment: Payment, minor: int, by: Actor, ago: int) -> FieldError | str | None:
    """The error of the date of a refund of so many days ago that is recorded now; None where it is recorded."""
    try:
        given_back(payment, minor, by, NOW, ago)
    except Invalid as refused:
        return refused.fields["refunded_on"]
    return None


def release(payment: Payment, by: Actor) -> None:
    credit.deallocate(Invoice.objects.get(pk=payment.invoice_id), payment, by=by, now=AROSE)


def release_and_apply(payment: Payment, by: Actor) -> None:
    release(payment, by)
    second = sent(payment.document.customer, by, AROSE)
    credit.apply(second, amount=Money(60_000, "USD"), by=by, now=AROSE + timedelta(minutes=1))


def lower(payment: Payment, by: Actor) -> None:
    edited(Invoice.objects.get(pk=payment.invoice_id), by, AROSE, 10_000)


@pytest.mark.parametrize(("act", "minor"), [(release, 60_000), (release_and_apply, 60_000), (lower, 50_000)])
def test_money_is_not_given_back_before_it_was_free(
    dana: Customer, alice: Actor, act: Callable[[Payment, Actor], None], minor: int
) -> None:
    payment = check(sent(dana, alice, NOW - 20 * DAY), 60_000, alice, NOW - 18 * DAY)
    act(payment, alice)
    assert error_of(payment, minor, alice, 11) == field_error("refund_before_credit", since=day(10))
    assert error_of(payment, minor, alice, 10) is None
    check_journal(dana.organization, days=21)


def test_money_on_its_invoice_or_given_back_as_credit_first_is_of_its_day(
    dana: Customer, alice: Actor
) -> None:
    payment = check(sent(dana, alice, NOW - 20 * DAY, 40_000), 100_000, alice, NOW - 18 * DAY)
    second = sent(dana, alice, NOW - 12 * DAY)
    # Given back before it was put on the second invoice: what was put there was not there any more.
    credit.apply(second, amount=Money(60_000, "USD"), by=alice, now=AROSE)
    assert error_of(payment, 60_000, alice, 15) is None
    assert error_of(payment, 40_000, alice, 18) is None
    check_journal(dana.organization, days=21)


def test_credit_of_two_payments_is_given_back_since_the_later_of_both(dana: Customer, alice: Actor) -> None:
    for paid_at in (NOW - 18 * DAY, NOW - 17 * DAY):
        release(check(sent(dana, alice, NOW - 20 * DAY), 60_000, alice, paid_at), alice)
    typed = refunds.OutsideRefund(Money(100_000, "USD"), "Cash", day(11))
    with pytest.raises(Invalid) as refused:
        refunds.record(dana, refund=typed, by=alice, now=NOW)
    assert refused.value.fields == {"refunded_on": field_error("refund_before_credit", since=day(10))}


def test_rest_of_released_deposit_is_not_given_back_before_that(dana: Customer, alice: Actor) -> None:
    quote, deposit = deposit_of(dana, alice, NOW - 20 * DAY)
    made = invoices.send(quotes.create_invoice(quote, by=alice, now=NOW - 15 * DAY), by=alice, now=AROSE)
    credit.deallocate(made, deposit, by=alice, now=NOW - 5 * DAY)
    assert error_of(deposit, 30_000, alice, 7) == field_error("refund_before_credit", since=day(5))
    assert error_of(deposit, 30_000, alice, 5) is None
    check_journal(dana.organization, days=21)


def test_payment_of_void_invoice_is_not_given_back_before_it_was_on_it(dana: Customer, alice: Actor) -> None:
    payment = check(sent(dana, alice, NOW - 20 * DAY), 60_000, alice, NOW - 18 * DAY)
    release_and_apply(payment, alice)
    second = Invoice.objects.latest("number")
    plan = VoidPlan({payment.pk: 60_000}, {payment.pk: Outcome("outside", "Cash", day(11))})
    with pytest.raises(Invalid) as refused:
        voiding.void_paid(second, plan=plan, expected_version=second.version, by=alice, now=NOW)
    assert refused.value.fields == {
        f"payments.{payment.pk}.refunded_on": field_error("refund_before_credit", since=day(10))
    }


def back_by_failed_refund(payment: Payment, minor: int) -> None:
    personas.fail_refund(personas.refund_in_dashboard(payment, minor))


def back_by_won_dispute(payment: Payment, minor: int) -> None:
    for status in ("lost", "won"):
        personas.dispute(payment, minor, status)


COME_BACK = pytest.mark.parametrize("come_back", [back_by_failed_refund, back_by_won_dispute])


def nine_days_ago(payment: Payment) -> Payment:
    """The payment as if all of it until now were of then."""
    earlier: datetime = now() - 9 * DAY
    released = Event.objects.filter(type="credit.released")
    for rows in (Payment.objects.all(), Allocation.objects.all(), payment.events.all(), released):
        rows.update(created_at=earlier)
    Payment.objects.update(settled_at=earlier)
    return payment


@COME_BACK
def test_money_that_was_away_is_not_given_back_before_it_was_back(
    invoice: Invoice, alice: Actor, come_back: Callable[[Payment, int], None]
) -> None:
    payment = nine_days_ago(personas.captured_payment(invoice, 60_000))
    come_back(payment, 60_000)
    back_on = today(now(), "America/New_York")
    typed = refunds.OutsideRefund(Money(60_000, "USD"), "Cash", back_on - DAY)
    with pytest.raises(Invalid) as refused:
        refunds.record(invoice.customer, refund=typed, payment=payment, by=alice, now=now())
    assert refused.value.fields == {"refunded_on": field_error("refund_before_credit", since=back_on)}


@COME_BACK
def test_money_that_never_was_away_is_of_any_day_since_it_came(
    invoice: Invoice, alice: Actor, come_back: Callable[[Payment, int], None]
) -> None:
    payment = personas.captured_payment(invoice, 60_000)
    credit.deallocate(invoice, payment, by=alice, now=now())
    nine_days_ago(payment)
    mistake = personas.give_back(payment, 30_000)
    come_back(payment, 40_000)  # of which 10,000 was a loss: the payment had 30,000
    refunds.reverse(mistake, reason="It never happened.", by=alice, now=now())
    since = today(now(), "America/New_York") - 9 * DAY
    for minor, earliest in ((30_000, since), (30_001, since + 9 * DAY)):
        assert refund_effects.earliest_day(Payment.objects.get(), [("", minor)]) == earliest


def test_corrected_day_of_a_refund_is_that_day_alone(dana: Customer, alice: Actor) -> None:
    payment = check(sent(dana, alice, NOW - 20 * DAY), 60_000, alice, NOW - 18 * DAY)
    given_back(payment, 60_000, alice, NOW - 9 * DAY, 0)
    refunds.reverse(payment.refunds.get(), reason="Another day.", by=alice, now=NOW - 5 * DAY)
    assert error_of(payment, 60_000, alice, 8) is None
    check_journal(dana.organization, days=21)
    cash = [closing(balances(dana.organization, "USD", on, on), "mode:Cash") for on in (day(9), day(8))]
    assert cash == [0, -60_000]
