"""`verify` recomputes where money stands: amounts paid, allocations, credit, and what was captured (M2 to M4)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from partway.billing.events import Actor
from partway.billing.models import Allocation, Customer, Invoice, Payment
from partway.billing.receivables import credit
from partway.lib.clock import now
from partway.lib.money import Money
from tests import personas
from tests.billing.test_offline_payments import record
from tests.billing.verification.damage import Case, again, found, names, naming, over, past

WITHIN, SIGN = "payment_allocated_within_captured", "allocation_sign_fits_cause"
OFFLINE = Payment.objects.filter(gateway_account=None)

DAMAGE: dict[str, Case] = {
    "paid more than was allocated": (
        "M2",
        "amount paid 30001, allocations 30000",
        over(Invoice, amount_paid_minor=30_001),
    ),
    "allocated, and not paid": ("M2", "amount paid 0, allocations 30000", over(Invoice, amount_paid_minor=0)),
    "sent, though nothing is due": (
        "M2",
        "sent with 100000 paid of 100000",
        over(Invoice, amount_paid_minor=100_000),
    ),
    "paid, though something is due": ("M2", "paid with 30000 paid of 100000", over(Invoice, status="paid")),
    "written off, though nothing is due": (
        "M2",
        "written_off with 100000",
        over(Invoice, status="written_off", amount_paid_minor=100_000),
    ),
    "paid less than nothing": (
        "M2",
        "with -1 paid",
        past(Invoice, "invoice_amount_due_not_negative", over(Invoice, amount_paid_minor=-1)),
    ),
    "a payment that counts less than it put": (
        "M3",
        "allocated 29999, allocations 30000",
        over(Payment, allocated_minor=29_999),
    ),
    "captured less than was allocated": (
        "M3",
        "captured 29999, allocated 30000",
        past(Payment, WITHIN, over(Payment, captured_minor=29_999)),
    ),
    "allocated, though nothing was captured": (
        "M3",
        "failed, but allocated 30000",
        past(Payment, WITHIN, over(Payment, status="failed", captured_minor=None)),
    ),
    "reversed, though a gateway took it": (
        "M3",
        "it came by a gateway",
        past(Payment, "payment_reversed_only_offline", over(Payment, status="reversed", allocated_minor=0)),
    ),
    "a negative allocation of a payment": (
        "M3",
        "-30000 because of payment",
        past(Allocation, SIGN, over(Allocation, amount_minor=-30_000)),
    ),
    "a positive one that takes off": (
        "M3",
        "30000 because of edited",
        past(Allocation, SIGN, over(Allocation, cause="edited")),
    ),
    "a cause that there is not": (
        "M3",
        "30000 because of luck",
        past(Allocation, SIGN, over(Allocation, cause="luck")),
    ),
    "money that nobody wanted, put all the same": (
        "M3",
        "was not wanted for",
        naming(Allocation, over(Payment, accepted=False)),
    ),
    "more taken off than was put": (
        "M3",
        "-70000 of",
        again(Allocation, amount_minor=-100_000, cause="released"),
    ),
    "captured another amount than its event tells": (
        "M4",
        "captured 30001 USD, which no event tells",
        over(Payment, captured_minor=30_001),
    ),
    "captured in another currency than its event tells": (
        "M4",
        "captured 30000 CAD, which no event tells",
        over(Payment, captured_currency="CAD"),
    ),
    "settled at another time than its event": (
        "M4",
        "which no event tells",
        over(Payment, settled_at=now() - timedelta(days=1)),
    ),
    "another amount than was asked, and no flag": (
        "M4",
        "where 40000 USD was asked, and no flag",
        over(Payment, amount_minor=40_000),
    ),
}


@pytest.mark.parametrize("what", DAMAGE)
def test_it_finds(paid: Payment, what: str) -> None:
    assert names(DAMAGE[what])


def test_it_finds_another_amount_than_was_recorded(invoice: Invoice, alice: Actor) -> None:
    record(invoice, 40_000, alice)
    assert names(("M4", "40000 USD was recorded, 40001 USD is booked", over(Payment, captured_minor=40_001)))


def test_it_finds_money_on_the_invoice_of_another_customer(paid: Payment, erin: Customer) -> None:
    other = personas.sent(erin)
    assert names(("M3", "on an invoice of another customer", over(Allocation, invoice=other)))


def test_it_finds_money_on_another_invoice_than_was_paid(paid: Payment, dana: Customer) -> None:
    other = personas.sent(dana)
    assert names(("M3", "was not wanted for", over(Allocation, invoice=other)))


def test_it_finds_a_deposit_that_is_of_no_quote_of_the_invoice(paid: Payment) -> None:
    assert names(("M3", "is no deposit of", over(Allocation, cause="deposit")))


def test_it_finds_a_customer_whose_money_is_not_where_it_came_from(
    paid: Payment, dana: Customer, erin: Customer
) -> None:
    Payment.objects.update(invoice=personas.sent(erin))
    told = dict(found("M3"))
    assert told[erin.pk] == "30000 USD came in, 0 stands on invoices, and the credit is 0"
    assert told[dana.pk] == "0 USD came in, 30000 stands on invoices, and the credit is 0"


def test_it_finds_a_credit_below_zero(invoice: Invoice, alice: Actor) -> None:
    record(invoice, 40_000, alice)
    damage = past(Payment, WITHIN, over(Payment, captured_minor=10_000))
    damage()
    assert (
        invoice.customer_id,
        "10000 USD came in, 40000 stands on invoices, and the credit is -30000",
    ) in found("M3")


def test_it_finds_a_waiting_deposit_that_is_not_counted(dana: Customer) -> None:
    personas.pay_deposit(personas.accept(personas.quote(dana)))
    assert found() == set()
    Payment.objects.update(allocated_minor=1)
    assert (dana.pk, "30000 USD came in, 0 stands on invoices, and the credit is 29999") in found("M3")


def test_credit_may_stand_on_another_invoice_of_the_customer(invoice: Invoice, alice: Actor) -> None:
    record(invoice, 110_000, alice, keep_rest_as_credit=True)
    other = personas.sent(invoice.customer)
    credit.apply(other, amount=Money(10_000, "USD"), by=alice, now=now())
    assert found() == set()
