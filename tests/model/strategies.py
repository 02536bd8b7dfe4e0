"""Strategies for the arguments of rules: mostly objects for which the act can succeed, and named amounts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.model.gateway_model import Checkout, GatewayCallback, GatewayDispute, GatewayModel, GatewayRefund
from tests.model.organization_model import (
    STEP,
    ActRefused,
    Invoice,
    Payment,
    PaymentTarget,
    Quote,
    Request,
)
from tests.model.reference_model import ReferenceModel

Suitable = Callable[[ReferenceModel, Any], object]

currencies = st.sampled_from(["USD", "JPY", "KWD"])
totals = st.sampled_from([1000, 110, 999, 5000, 60_000])
customers = st.sampled_from([0, 0, 1])
members = st.sampled_from([0, 1])  # an owner and a collector
seldom = st.sampled_from([False] * 5 + [True])

# Parts of the amount due or available; the last four are refused.
portions = st.sampled_from(
    ["half", "all", "third", "least", "half", "all", "uneven", "too little", "too much", "nothing"]
)


def portion(of: str, most: int, currency: str) -> int:
    """Returns the amount of a named portion in minor units."""
    step, least = STEP[currency], GatewayModel.minimum[currency]
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


def one(model_entities: str, suitable: Suitable) -> SearchStrategy[Any]:
    """Returns one of the `model_entities`; four times in five a suitable one, if there is one."""
    return st.runner().flatmap(
        lambda machine: _mostly(machine.books, getattr(machine.books, model_entities), suitable)
    )


def link(suitable: Suitable) -> SearchStrategy[PaymentTarget]:
    """Returns an object with a link for the customer."""
    return st.runner().flatmap(lambda machine: _mostly(machine.books, _links(machine.books), suitable))


def _links(books: ReferenceModel) -> list[PaymentTarget]:
    return [*books.requests, *books.invoices, *books.quotes]


def allocated_part() -> SearchStrategy[tuple[Payment, Invoice]]:
    """Returns a payment and an invoice, mostly with an allocation between them."""
    return st.runner().flatmap(lambda machine: _mostly(machine.books, _pairs(machine.books), _stands))


def _pairs(books: ReferenceModel) -> list[tuple[Payment, Invoice]]:
    return [(payment, invoice) for payment in books.payments for invoice in books.invoices]


def _stands(_: ReferenceModel, pair: tuple[Payment, Invoice]) -> bool:
    payment, invoice = pair
    return bool(payment.allocations.get(invoice))


def tab(suitable: Suitable) -> SearchStrategy[Payment]:
    """Returns a payment whose checkout page a customer has open."""
    return st.runner().flatmap(lambda machine: _mostly(machine.books, machine.open_checkouts, suitable))


def checkout(status: str) -> SearchStrategy[Checkout]:
    """Returns a checkout in this status."""
    return st.runner().flatmap(lambda machine: st.sampled_from(machine.books.gateway.in_status(status)))


def refund_at_gateway() -> SearchStrategy[GatewayRefund]:
    """Returns a refund at the gateway, mostly one that is pending."""
    return st.runner().flatmap(
        lambda machine: _mostly(
            machine.books,
            [refund for checkout in machine.books.gateway.checkouts for refund in checkout.refunds],
            lambda _, refund: refund.state == "pending",
        )
    )


def dispute_at_gateway() -> SearchStrategy[GatewayDispute]:
    """Returns a dispute at the gateway, mostly an open one."""
    return st.runner().flatmap(
        lambda machine: _mostly(
            machine.books,
            [dispute for checkout in machine.books.gateway.checkouts for dispute in checkout.disputes],
            lambda _, dispute: dispute.state == "open",
        )
    )


def callback(suitable: Suitable) -> SearchStrategy[GatewayCallback]:
    """Returns a callback that the gateway sent, or tried to send."""
    return st.runner().flatmap(
        lambda machine: _mostly(machine.books, machine.books.gateway.callbacks, suitable)
    )


def _mostly(books: ReferenceModel, everything: list[Any], suitable: Suitable) -> SearchStrategy[Any]:
    good = [noun for noun in everything if suitable(books, noun)]
    if not good or len(good) == len(everything):
        return st.sampled_from(everything)
    return st.integers(0, 4).flatmap(lambda n: st.sampled_from(everything if n == 4 else good))


# Preconditions of rules


def has_candidate(model_entities: str, suitable: Suitable) -> Callable[[Any], bool]:
    """Precondition: there is a suitable object; sometimes true without one, so that refusals occur too."""

    def is_worth_it(machine: Any) -> bool:
        there = getattr(machine.books, model_entities)
        return any(suitable(machine.books, noun) for noun in there) or (bool(there) and rarely(machine))

    return is_worth_it


def rarely(machine: Any) -> bool:
    """Precondition of rules that would occur too often: true one time in four."""
    return bool(machine.acts % 4 == 0)


# Suitable objects


def is_draft(_: ReferenceModel, document: Invoice | Quote) -> bool:
    return document.state == "draft"


def is_sent(_: ReferenceModel, document: Invoice | Quote) -> bool:
    return document.state == "sent"


def is_editable(_: ReferenceModel, invoice: Invoice) -> bool:
    return invoice.state in ("draft", "sent", "paid")


def is_void_guided(books: ReferenceModel, invoice: Invoice) -> bool:
    """Returns whether it can be voided after its payments went their ways."""
    return invoice.state in ("sent", "paid") and books.paid(invoice) > 0


def is_written_off(_: ReferenceModel, invoice: Invoice) -> bool:
    return invoice.state == "written_off"


def is_owed(_: ReferenceModel, invoice: Invoice) -> bool:
    """Returns whether a payment can be allocated to it."""
    return invoice.state in ("sent", "written_off")


def is_requestable(books: ReferenceModel, invoice: Invoice) -> bool:
    """Returns whether a payment can be requested for it."""
    return invoice.state == "sent" and not books.open_request(invoice) and not books.committed(invoice)


def can_take_credit(books: ReferenceModel, invoice: Invoice) -> bool:
    """Returns whether credit can be allocated to it."""
    return is_owed(books, invoice) and books.credit(invoice.customer, invoice.currency) > 0


def is_open(_: ReferenceModel, request: Request) -> bool:
    return request.state == "open"


def is_reversible(_: ReferenceModel, payment: Payment) -> bool:
    return payment.offline and payment.state == "succeeded"


def is_settled(_: ReferenceModel, invoice: Invoice) -> bool:
    """A rest of it is settled, and can be due again."""
    return sum(invoice.settled) > 0 and invoice.state in ("sent", "paid")


def is_refundable(books: ReferenceModel, payment: Payment) -> bool:
    return payment.state == "succeeded" and books.left(payment) > 0


def is_refundable_online(books: ReferenceModel, payment: Payment) -> bool:
    """Returns whether the gateway can send some of it back."""
    return not payment.offline and is_refundable(books, payment)


def is_allocated(_: ReferenceModel, payment: Payment) -> bool:
    return any(payment.allocations.values())


def is_payable(books: ReferenceModel, source: PaymentTarget) -> bool:
    """Returns whether the page of this link has a Pay button."""
    try:
        books.view_link(source)
    except ActRefused:
        return False
    return True


def is_accepted(_: ReferenceModel, quote: Quote) -> bool:
    return quote.state == "accepted"


def is_withdrawable(books: ReferenceModel, quote: Quote) -> bool:
    return quote.state in ("sent", "accepted") and books.deposit_status(quote) in ("none", "due")


def deposit_is_due(books: ReferenceModel, quote: Quote) -> bool:
    return quote.state == "accepted" and books.deposit_status(quote) == "due"
