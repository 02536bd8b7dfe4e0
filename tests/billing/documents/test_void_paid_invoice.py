"""Tests of voiding an invoice that was paid: each payment on it goes the way that the member chose, in one act."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from partway.billing.documents import invoices, quotes, voiding
from partway.billing.documents.voiding import Outcome, VoidPlan
from partway.billing.errors import BillingError, Conflict, Invalid, PaymentInProgress, Stale
from partway.billing.events import Actor
from partway.billing.ledger import allocations
from partway.billing.models import Alert, Customer, Event, Invoice, Mail, Payment, PaymentRequest, Refund
from partway.billing.payments import refunds
from partway.billing.payments.refresh import refresh_payment
from partway.billing.payments.refunds import NewRefund
from partway.billing.receivables import credit, write_offs
from partway.lib.clock import now as present
from partway.lib.clock import today
from partway.lib.money import Money
from tests.billing.receivables.test_settlements import figures
from tests.support import personas
from tests.support.gateway_driver import GatewayDriver

TODAY = today(present(), "America/New_York")  # where alder is


@pytest.fixture
def check(invoice: Invoice) -> Payment:
    """$200.00 of the invoice of $1,000.00, paid by check."""
    return personas.record_check(invoice, 20_000)


@pytest.fixture
def card(gateway_driver: GatewayDriver, open_request: PaymentRequest) -> Payment:
    """$300.00 of the invoice, paid by card."""
    return gateway_driver.start_and_pay(open_request)


def by_hand(**changes: Any) -> Outcome:
    return Outcome(**{"way": "outside", "method": "Cash", "refunded_on": TODAY, **changes})


def planned(invoice: Invoice, **changes: Any) -> VoidPlan:
    """Returns a plan for the payments that are on the invoice now: all of them become credit."""
    standing = {payment.pk: minor for payment, minor in allocations.payments_on_invoice(invoice)}
    ways = {pk: Outcome("credit") for pk in standing}
    return VoidPlan(
        **{"standing": standing, "outcomes": ways, "reason": "canceled", "idempotency_key": "form-1"}
        | changes
    )


def void(invoice: Invoice, by: Actor, plan: VoidPlan | None = None, **outcomes: Outcome) -> list[Refund]:
    """Voids it by this plan, or by the outcomes of some payments; the others become credit."""
    invoice.refresh_from_db()
    plan = plan or planned(invoice)
    plan = VoidPlan(
        plan.standing, {**plan.outcomes, **outcomes}, plan.reason, plan.note, plan.idempotency_key
    )
    return voiding.void_paid(invoice, plan=plan, expected_version=invoice.version, by=by, now=present())


def left_on(payment: Payment) -> tuple[int, int, int]:
    """Returns what the payment has allocated, as credit, and given back."""
    payment.refresh_from_db()
    return payment.allocated_minor, payment.unallocated_minor, payment.refunded_minor


# The ways


def test_voiding_paid_invoice_sends_refunds_records_and_credits(
    gateway_driver: GatewayDriver, invoice: Invoice, card: Payment, check: Payment, alice: Actor
) -> None:
    kept = personas.record_check(invoice, 10_000)
    recorded, sent = void(invoice, alice, **{card.pk: Outcome("gateway"), check.pk: by_hand(reference="T 7")})
    assert figures(invoice) == ("void", 0, 0, 100_000)
    assert [left_on(payment) for payment in (card, check, kept)] == [
        *((0, 0, 30_000), (0, 0, 20_000), (0, 10_000, 0)),
    ]
    assert (sent.status, sent.mode, sent.reason) == ("succeeded", "gateway", "canceled")
    assert (recorded.mode, recorded.method, recorded.reference) == ("offline", "Cash", "T 7")
    assert gateway_driver.refunded_minor(card) == 30_000


def test_voiding_paid_invoice_leaves_credit_and_other_invoices_of_its_payment(
    gateway_driver: GatewayDriver, dana: Customer, alice: Actor
) -> None:
    paid = personas.sent_invoice(dana, 60_000)
    payment = gateway_driver.start_and_pay(paid)
    credit.deallocate(paid, payment, by=alice, now=present())
    first, later = personas.sent_invoice(dana, 20_000), personas.sent_invoice(dana, 30_000)
    for other in (first, later):
        credit.apply(other, amount=other.total, by=alice, now=present())
    void(first, alice, **{payment.pk: Outcome("gateway")})
    assert (figures(first)[0], figures(later)) == ("void", ("paid", 30_000, 0, 0))
    assert left_on(payment) == (30_000, 10_000, 20_000)


def test_voiding_invoice_that_is_paid_and_settled_takes_rest_back(invoice: Invoice, alice: Actor) -> None:
    personas.record_check(invoice, 99_000)
    invoice.refresh_from_db()
    personas.settle_rest(invoice)
    void(invoice, alice)
    assert figures(invoice) == ("void", 0, 0, 100_000)
    assert credit.balances(invoice.customer) == [Money(99_000, "USD")]


def test_voiding_invoice_that_was_written_off_and_then_paid(invoice: Invoice, alice: Actor) -> None:
    write_offs.write_off(invoice, by=alice, now=present())
    personas.record_check(invoice, 100_000)
    void(invoice, alice)
    assert figures(invoice)[0] == "void"


def test_voiding_invoice_with_deposit_gives_it_back(dana: Customer, alice: Actor) -> None:
    quote = personas.accept_quote(personas.sent_quote(dana))
    deposit = personas.record_deposit_check(quote)
    invoice = invoices.send(quotes.create_invoice(quote, by=alice, now=present()), by=alice, now=present())
    void(invoice, alice, **{deposit.pk: by_hand()})
    quote.refresh_from_db()
    deposit.refresh_from_db()
    assert (quote.status, deposit.deposit_given_back) == ("accepted", True)
    assert not Alert.objects.exists()
    assert personas.record_deposit_check(quote).is_deposit


def test_voiding_invoice_with_deposit_keeps_it_as_credit(dana: Customer, alice: Actor) -> None:
    quote = personas.accept_quote(personas.sent_quote(dana))
    personas.record_deposit_check(quote)
    invoice = invoices.send(quotes.create_invoice(quote, by=alice, now=present()), by=alice, now=present())
    void(invoice, alice)
    assert credit.balances(dana) == [Money(30_000, "USD")]
    assert Alert.objects.get().kind == "deposit_unallocated"


def test_voiding_paid_invoice_ends_request_and_mails_no_link(
    invoice: Invoice, check: Payment, alice: Actor
) -> None:
    request = personas.request_payment(invoice, 10_000)
    void(invoice, alice)
    request.refresh_from_db()
    assert (request.status, request.cancel_reason) == ("canceled", "invoice_voided")


# What becomes of the refunds


def test_void_does_not_wait_for_its_refund_which_becomes_credit_when_it_fails(
    gateway_driver: GatewayDriver, invoice: Invoice, card: Payment, alice: Actor
) -> None:
    gateway_driver.inject_fault("refund_pending")
    (row,) = void(invoice, alice, **{card.pk: Outcome("gateway")})
    assert (row.status, figures(invoice)[0], left_on(card)) == ("pending", "void", (0, 0, 30_000))
    personas.fail_refund(row)
    assert figures(invoice) == ("void", 0, 0, 100_000)
    assert left_on(card) == (0, 30_000, 0)
    assert Alert.objects.get().kind == "refund_failed"


def test_refund_that_gateway_refuses_becomes_credit_of_voided_invoice(
    gateway_driver: GatewayDriver, invoice: Invoice, card: Payment, alice: Actor
) -> None:
    gateway_driver.inject_fault("refund_refused")
    (row,) = void(invoice, alice, **{card.pk: Outcome("gateway")})
    assert (row.status, figures(invoice)[0], left_on(card)) == ("failed", "void", (0, 30_000, 0))


def test_refund_that_was_pending_before_void_becomes_credit_when_it_fails(
    gateway_driver: GatewayDriver, invoice: Invoice, card: Payment, alice: Actor
) -> None:
    gateway_driver.inject_fault("refund_pending")
    new = NewRefund(Money(30_000, "USD"), "canceled")
    row = refunds.refund(card, new_refund=new, by=alice, now=present())
    invoices.void(invoice, by=alice, now=present())
    personas.fail_refund(row)
    assert (figures(invoice), left_on(card)) == (("void", 0, 0, 100_000), (0, 30_000, 0))


def test_refunds_after_one_without_response_are_left_to_worker(
    gateway_driver: GatewayDriver, invoice: Invoice, card: Payment, alice: Actor
) -> None:
    invoice.refresh_from_db()
    other = gateway_driver.start_and_pay(invoice)
    gateway_driver.inject_fault("error_before", operation="refund")
    rows = void(invoice, alice, **{card.pk: Outcome("gateway"), other.pk: Outcome("gateway")})
    assert [row.status for row in rows] == ["pending", "pending"]
    assert sorted(row.gateway_calls.count() for row in rows) == [0, 1]


# The form


def test_same_form_voids_and_refunds_once(
    gateway_driver: GatewayDriver, invoice: Invoice, card: Payment, check: Payment, alice: Actor
) -> None:
    ways = {card.pk: Outcome("gateway"), check.pk: by_hand()}
    plan = planned(invoice, outcomes=ways)
    first = void(invoice, alice, plan)
    assert void(invoice, alice, plan) == first
    assert gateway_driver.refunded_minor(card) == 30_000
    with pytest.raises(Conflict) as refused:
        void(invoice, alice, plan, **{check.pk: Outcome("credit")})
    assert refused.value.reason == "void_form_used"


def test_form_that_voided_one_invoice_voids_no_other(dana: Customer, alice: Actor) -> None:
    settled = [personas.sent_invoice(dana, 10_000) for _ in range(2)]
    for invoice in settled:
        personas.settle_rest(invoice)
    void(settled[0], alice)
    with pytest.raises(Conflict) as refused:
        void(settled[1], alice)
    assert (refused.value.reason, figures(settled[1])[0]) == ("void_form_used", "paid")


def test_payment_in_dispute_can_only_become_credit(
    gateway_driver: GatewayDriver, invoice: Invoice, card: Payment, alice: Actor
) -> None:
    gateway_driver.dispute(card, 10_000)
    refresh_payment(card, now=present())
    error = refusal(invoice, alice, planned(invoice), **{card.pk: Outcome("gateway")})
    assert isinstance(error, Invalid)
    assert error.fields[f"payments.{card.pk}.way"].params == {"left": Money(20_000, "USD")}
    void(invoice, alice)
    assert credit.balances(invoice.customer) == [Money(20_000, "USD")]


def refusal(invoice: Invoice, by: Actor, plan: VoidPlan, **outcomes: Outcome) -> BillingError:
    before = Event.objects.count(), Mail.objects.count()
    with pytest.raises(BillingError) as refused:
        void(invoice, by, plan, **outcomes)
    assert (Event.objects.count(), Mail.objects.count()) == before
    return refused.value


def test_void_is_stale_once_another_payment_came(invoice: Invoice, check: Payment, alice: Actor) -> None:
    plan = planned(invoice)
    personas.record_check(invoice, 10_000)
    error = refusal(invoice, alice, plan)
    assert (type(error), error.reason) == (Stale, "amount_paid_changed")
    assert error.params == {"paid": Money(30_000, "USD"), "expected": Money(20_000, "USD")}


def test_void_is_stale_once_a_payment_was_replaced_by_another(
    invoice: Invoice, check: Payment, alice: Actor
) -> None:
    plan = planned(invoice)
    personas.reverse_check(check)
    personas.record_check(invoice, 20_000)
    assert refusal(invoice, alice, plan).reason == "payments_changed"


def test_void_is_stale_once_invoice_was_edited(invoice: Invoice, check: Payment, alice: Actor) -> None:
    plan, version = planned(invoice), invoice.version
    personas.edit_invoice(invoice, 110_000)
    with pytest.raises(Stale) as refused:
        voiding.void_paid(invoice, plan=plan, expected_version=version, by=alice, now=present())
    assert refused.value.reason == "version_changed"


@pytest.mark.parametrize(
    ("outcome", "field"),
    [
        (Outcome(""), "way"),
        (Outcome("gateway"), "way"),  # no gateway took a check
        (by_hand(method="Barter"), "method"),
        (by_hand(refunded_on=TODAY - timedelta(days=400)), "refunded_on"),
        (by_hand(reference="x" * 121), "reference"),
    ],
)
def test_void_refuses_wrong_outcome_of_payment(
    invoice: Invoice, check: Payment, alice: Actor, outcome: Outcome, field: str
) -> None:
    error = refusal(invoice, alice, planned(invoice), **{check.pk: outcome})
    assert isinstance(error, Invalid)
    assert set(error.fields) == {f"payments.{check.pk}.{field}"}


def test_void_needs_outcome_of_each_payment(invoice: Invoice, check: Payment, alice: Actor) -> None:
    error = refusal(invoice, alice, planned(invoice, outcomes={}))
    assert isinstance(error, Invalid)


def test_void_refuses_refund_without_reason(invoice: Invoice, card: Payment, alice: Actor) -> None:
    error = refusal(invoice, alice, planned(invoice, reason=""), **{card.pk: Outcome("gateway")})
    assert isinstance(error, Invalid)
    assert set(error.fields) == {"reason"}


def test_paid_invoice_is_not_voided_while_a_payment_is_committed(
    gateway_driver: GatewayDriver, invoice: Invoice, check: Payment, alice: Actor
) -> None:
    invoice.refresh_from_db()
    gateway_driver.start_and_pay(invoice, "debit")
    assert isinstance(refusal(invoice, alice, planned(invoice)), PaymentInProgress)


@pytest.mark.parametrize("state", ["draft", "void", "written_off"])
def test_void_with_plan_is_refused_for_other_states(dana: Customer, alice: Actor, state: str) -> None:
    row = personas.draft_invoice(dana) if state == "draft" else personas.sent_invoice(dana)
    if state == "void":
        invoices.void(row, by=alice, now=present())
    elif state == "written_off":
        write_offs.write_off(row, by=alice, now=present())
    assert refusal(row, alice, planned(row)).reason == f"void_{state}"
