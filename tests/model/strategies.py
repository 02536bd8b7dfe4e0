"""What a rule is done with: nouns of the model, mostly those for which it may succeed, and amounts by their meaning."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.model.gateway_model import Checkout, GatewayCallback
from tests.model.organization_model import (
    MINIMUM,
    STEP,
    ActRefused,
    Invoice,
    Payment,
    PaymentTarget,
    Quote,
    Request,
)
from tests.model.reference_model import ReferenceModel

Apt = Callable[[ReferenceModel, Any], object]

currencies = st.sampled_from(["USD", "JPY", "KWD"])
totals = st.sampled_from([1000, 110, 999, 5000, 60_000])
customers = st.sampled_from([0, 0, 1])
members = st.sampled_from([0, 1])  # an owner and a collector
seldom = st.sampled_from([False] * 5 + [True])

# Of what is due, or of what there is; the last four are refused.
portions = st.sampled_from(
    ["half", "all", "third", "least", "half", "all", "uneven", "too little", "too much", "nothing"]
)


def portion(of: str, most: int, currency: str) -> int:
    """The amount that a word means, in minor units."""
    step, least = STEP[currency], MINIMUM[currency]
    amounts = {
        "all": most,
        "half": most // 2 // step * step,
        "third": most // 3 // step * step,
        "uneven": most // 2 // step * step + 1,
        "least": least,
        "too little": least - step,
        "too much": most + step,
        "nothing": 0,
    }
    return amounts[of]


# One of many


def one(model_entities: str, apt: Apt) -> SearchStrategy[Any]:
    """One of the model's `model_entities`; four times in five one of those that are apt, if there are any."""
    return st.runner().flatmap(
        lambda machine: _mostly(machine.books, getattr(machine.books, model_entities), apt)
    )


def link(apt: Apt) -> SearchStrategy[PaymentTarget]:
    """Something that a customer has a link to."""
    return st.runner().flatmap(lambda machine: _mostly(machine.books, _links(machine.books), apt))


def _links(books: ReferenceModel) -> list[PaymentTarget]:
    return [*books.requests, *books.invoices, *books.quotes]


def allocated_part() -> SearchStrategy[tuple[Payment, Invoice]]:
    """A payment and an invoice; mostly such that something of the one stands on the other."""
    return st.runner().flatmap(lambda machine: _mostly(machine.books, _pairs(machine.books), _stands))


def _pairs(books: ReferenceModel) -> list[tuple[Payment, Invoice]]:
    return [(payment, invoice) for payment in books.payments for invoice in books.invoices]


def _stands(_: ReferenceModel, pair: tuple[Payment, Invoice]) -> bool:
    payment, invoice = pair
    return bool(payment.allocations.get(invoice))


def tab(apt: Apt) -> SearchStrategy[Payment]:
    """A payment whose page at the company some customer has open."""
    return st.runner().flatmap(lambda machine: _mostly(machine.books, machine.open_checkouts, apt))


def checkout(status: str) -> SearchStrategy[Checkout]:
    """A checkout that stands so at the company."""
    return st.runner().flatmap(lambda machine: st.sampled_from(machine.books.gateway.in_status(status)))


def callback(apt: Apt) -> SearchStrategy[GatewayCallback]:
    """Something the company told us, or tried to."""
    return st.runner().flatmap(lambda machine: _mostly(machine.books, machine.books.gateway.callbacks, apt))


def _mostly(books: ReferenceModel, everything: list[Any], apt: Apt) -> SearchStrategy[Any]:
    good = [noun for noun in everything if apt(books, noun)]
    if not good or len(good) == len(everything):
        return st.sampled_from(everything)
    return st.integers(0, 4).flatmap(lambda n: st.sampled_from(everything if n == 4 else good))


# When a rule is worth a step


def has_candidate(model_entities: str, apt: Apt) -> Callable[[Any], bool]:
    """A precondition: one of these is apt; now and then it need not be, so that refusals are seen too."""

    def is_worth_it(machine: Any) -> bool:
        there = getattr(machine.books, model_entities)
        return any(apt(machine.books, noun) for noun in there) or (bool(there) and rarely(machine))

    return is_worth_it


def rarely(machine: Any) -> bool:
    """A precondition for what would crowd out the rest: one act in four."""
    return bool(machine.acts % 4 == 0)


# What is apt


def is_draft(_: ReferenceModel, document: Invoice | Quote) -> bool:
    return document.state == "draft"


def is_sent(_: ReferenceModel, document: Invoice | Quote) -> bool:
    return document.state == "sent"


def is_editable(_: ReferenceModel, invoice: Invoice) -> bool:
    return invoice.state in ("draft", "sent", "paid")


def is_written_off(_: ReferenceModel, invoice: Invoice) -> bool:
    return invoice.state == "written_off"


def is_owed(_: ReferenceModel, invoice: Invoice) -> bool:
    """Money can be put on it."""
    return invoice.state in ("sent", "written_off")


def is_askable(books: ReferenceModel, invoice: Invoice) -> bool:
    """A request could be made of it."""
    return invoice.state == "sent" and not books.open_request(invoice) and not books.committed(invoice)


def can_take_credit(books: ReferenceModel, invoice: Invoice) -> bool:
    """Credit could be put on it."""
    return is_owed(books, invoice) and books.credit(invoice.customer, invoice.currency) > 0


def is_open(_: ReferenceModel, request: Request) -> bool:
    return request.state == "open"


def is_reversible(_: ReferenceModel, payment: Payment) -> bool:
    return payment.offline and payment.state == "succeeded"


def stands_somewhere(_: ReferenceModel, payment: Payment) -> bool:
    return any(payment.allocations.values())


def is_payable(books: ReferenceModel, source: PaymentTarget) -> bool:
    """The page of this link offers to pay."""
    try:
        books.view_link(source)
    except ActRefused:
        return False
    return True


def is_accepted(_: ReferenceModel, quote: Quote) -> bool:
    return quote.state == "accepted"


def deposit_is_due(books: ReferenceModel, quote: Quote) -> bool:
    return quote.state == "accepted" and books.deposit_status(quote) == "due"
