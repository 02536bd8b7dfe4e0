"""`partway verify` finds a quote whose deposit, payment or invoice is not what the facts say."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from partway.billing import quotes
from partway.billing.models import Customer, Event, Invoice, Mail, Payment, Quote
from partway.billing.verification import verify
from partway.lib.clock import now as present
from tests import personas


@pytest.fixture
def books(db: None) -> None:
    """Here they are wrong on purpose."""


@pytest.fixture
def quote(dana: Customer) -> Quote:
    """Accepted, the deposit paid, and made into an invoice."""
    made = personas.accept(personas.quote(dana))
    personas.pay_deposit(made)
    quotes.make_invoice(made, by=personas.actor_of(dana.organization), now=present())
    return made


def found() -> set[str]:
    return {difference.check for difference in verify()}


def test_a_right_one_has_no_differences(quote: Quote) -> None:
    assert found() == set()


@pytest.mark.parametrize(
    ("check", "break_it"),
    [
        ("D1", lambda: Quote.objects.update(deposit_minor=29_999)),
        ("D1", lambda: Payment.objects.update(amount_minor=10_000)),
        ("D2", lambda: Quote.objects.update(status="accepted")),
        ("D2", lambda: Invoice.objects.update(quote=None)),
        ("M1", lambda: Quote.objects.update(subtotal_minor=1, total_minor=1, deposit_minor=0)),
        ("M6", lambda: Event.objects.filter(type="quote.accepted").delete()),
        ("M6", lambda: Event.objects.filter(type="payment.recorded").update(data={"from": "x", "to": "y"})),
    ],
)
def test_what_is_wrong_is_named(quote: Quote, check: str, break_it: Callable[[], object]) -> None:
    Mail.objects.all().delete()  # they hold their events fast
    break_it()
    assert check in found()
