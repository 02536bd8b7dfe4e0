"""`verify` recomputes the books: each kind of damage is found, and the damaged row is named."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import models
from django.db.models import F

from partway.accounts.models import Organization
from partway.billing import invoices, payment_requests
from partway.billing.events import Actor
from partway.billing.models import Allocation, Event, Invoice, InvoiceLine, Payment, PaymentRequest
from partway.billing.verification import CHECKS, verify
from partway.lib.clock import now as present
from tests import personas
from tests.billing.world import World


@pytest.fixture
def books(db: None) -> None:
    """The books are wrong on purpose here."""


@pytest.fixture
def world(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """The ledger need not agree with what we damage."""
    monkeypatch.setattr(world, "agrees", lambda: None)
    return world


@pytest.fixture
def paid(world: World, invoice: Invoice) -> Payment:
    """A request of $300.00 that was paid; another, of $200.00, is open."""
    payment = world.collect(personas.ask(invoice, 30_000))
    personas.ask(invoice, 20_000)
    assert list(verify()) == []
    return payment


def over(rows: Callable[[], models.QuerySet], **columns: object) -> Callable[[], str]:  # type: ignore[type-arg]
    """Write over the first of these rows; answers which it is."""

    def damage() -> str:
        row = rows().first()
        assert row is not None
        rows().filter(pk=row.pk).update(**columns)
        return str(row.pk)

    return damage


def open_requests() -> models.QuerySet[PaymentRequest]:
    return PaymentRequest.objects.open()


DAMAGE: dict[str, tuple[str, Callable[[], str]]] = {
    "a line that is not quantity times price": ("M1", over(InvoiceLine.objects.all, amount_minor=99_999)),
    "totals that are not what the lines say": (
        "M1",
        over(Invoice.objects.all, subtotal_minor=F("subtotal_minor") + 1, total_minor=F("total_minor") + 1),
    ),
    "a discount that is not what was agreed": (
        "M1",
        over(Invoice.objects.all, discount_minor=100, total_minor=F("total_minor") - 100),
    ),
    "paid more than was allocated": ("M2", over(Invoice.objects.all, amount_paid_minor=30_001)),
    "allocated less than is said to be paid": ("M2", over(Invoice.objects.all, amount_paid_minor=0)),
    "allocated in another currency": ("M1", over(Allocation.objects.all, currency="CAD")),
    "sent, though nothing is due": ("M2", over(Invoice.objects.all, amount_paid_minor=100_000)),
    "paid, though something is due": ("M2", over(Invoice.objects.all, status="paid")),
    "void, though it holds money": ("M2", over(Invoice.objects.all, status="void")),
    "captured less than was allocated": (
        "M3",
        over(Payment.objects.all, captured_minor=29_999, allocated_minor=29_999),
    ),
    "allocated, though nothing was captured": (
        "M3",
        over(Payment.objects.all, status="failed", captured_minor=None, allocated_minor=0),
    ),
    "a request for more than is due": ("R2", over(open_requests, amount_requested_minor=70_001)),
    "a paid request that nobody paid": (
        "M6",
        over(open_requests, status="paid", ended_at=present()),
    ),
    "an end without its event": (
        "M6",
        over(open_requests, status="expired", ended_at=present()),
    ),
    "a payment that no event brought here": (
        "M6",
        over(Payment.objects.all, status="canceled", captured_minor=None, allocated_minor=0),
    ),
    "a number that was skipped": ("D4", over(Organization.objects.all, next_invoice_number=5)),
}


@pytest.mark.parametrize("what", DAMAGE)
def test_it_finds(paid: Payment, what: str) -> None:
    check, damage = DAMAGE[what]
    row = damage()
    assert (check, row) in {(difference.check, difference.row) for difference in verify()}


def test_it_finds_a_history_that_does_not_fit_together(paid: Payment) -> None:
    captured = Event.objects.filter(payment=paid, type="payment.capturing")
    captured.update(data={"from": "pending", "to": "capturing"})
    assert ("M6", paid.pk) in {(difference.check, difference.row) for difference in verify()}


def test_it_finds_an_event_that_is_missing(paid: Payment) -> None:
    Event.objects.filter(payment=paid, type="payment.authorized").delete()
    assert ("M6", paid.pk) in {(difference.check, difference.row) for difference in verify()}


def test_it_finds_a_payment_of_another_organization(paid: Payment) -> None:
    birch = personas.organization("birch", "Birch & Co")
    Payment.objects.filter(pk=paid.pk).update(organization=birch)
    assert ("D5", paid.pk) in {(difference.check, difference.row) for difference in verify()}


def test_a_difference_says_which_check_which_row_and_what(paid: Payment) -> None:
    Payment.objects.filter(pk=paid.pk).update(captured_minor=29_999, allocated_minor=29_999)
    [difference] = verify()
    assert str(difference) == f"M3: {paid.pk}: captured 29999, allocated 30000"


def test_right_books_in_every_state_have_no_difference(
    world: World, paid: Payment, alice: Actor, organization: Organization
) -> None:
    dana = personas.customer(organization)
    personas.draft(dana)
    invoices.void(personas.draft(dana), by=alice, now=present())
    invoices.void(personas.ask(personas.sent(dana)).invoice, by=alice, now=present())
    payment_requests.cancel(PaymentRequest.objects.open().get(), by=alice, now=present())
    world.collect(personas.sent(dana))
    world.collect(personas.sent(dana), "debit")
    world.collect(personas.sent(dana), "lapsing")
    assert [difference for check in CHECKS.values() for difference in check()] == []
