"""The data classes of the model and the values derived from them: plain Python, minor units, nothing stored twice.

The rules are taken from docs/reference/design.md (M1 to M4, R1 to R7, P1 to P6, D1 to D4), not from the code.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import count

from tests.model.gateway_model import (
    Checkout,
    GatewayDispute,
    GatewayModel,
    GatewayPayout,
    GatewayRefund,
    PlainRepr,
)

STEP = {"USD": 1, "JPY": 1, "KWD": 10}  # the gateway's step
CHECKOUT_LIFETIME = timedelta(minutes=30)
EXPIRY_GRACE_PERIOD = timedelta(minutes=35)
UNSETTLED = ("pending", "capturing", "processing", "closing", "releasing")


_births = count(1)


class ActRefused(Exception):
    """A refused act; `code` is the error's code, for a link followed by the reason after a colon."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(eq=False)
class Quote(PlainRepr):
    """A quote; its deposit is frozen when it is sent."""

    name: str
    customer: int
    currency: str
    total: int
    percent: int
    valid_until: date
    state: str = "draft"
    invoice: Invoice | None = None

    @property
    def deposit(self) -> int:
        """The deposit in minor units; a percentage rounds half up."""
        return (self.total * self.percent + 50) // 100

    def __repr__(self) -> str:
        return f"<{self.name}: {self.currency} {self.total}, {self.state}>"


@dataclass(eq=False)
class Invoice(PlainRepr):
    """An invoice."""

    name: str
    customer: int
    currency: str
    total: int
    quote: Quote | None = None
    state: str = "draft"
    number: int | None = None
    settled: list[int] = field(default_factory=list)  # rests that need no payment, oldest first (M2)
    was_written_off: bool = False  # before it was paid

    def __repr__(self) -> str:
        return f"<{self.name}: {self.currency} {self.total}, {self.state}>"


@dataclass(eq=False)
class Request(PlainRepr):
    """A payment request."""

    name: str
    invoice: Invoice
    amount: int
    expires_at: datetime | None = None
    state: str = "open"
    reason: str = ""

    def is_over(self, at: datetime) -> bool:
        """Returns whether no new payment can begin by its link."""
        return self.expires_at is not None and at >= self.expires_at

    def __repr__(self) -> str:
        return f"<{self.name} of {self.invoice.name}: {self.amount}, {self.state} {self.reason}>"


@dataclass(eq=False)
class Payment(PlainRepr):
    """A payment; `allocations` is the allocated amount by invoice.

    `was_taken`: a deposit that an invoice took when it was sent, which happens once (D2).
    """

    name: str
    document: Invoice | Quote
    amount: int
    checkout_started_at: datetime
    request: Request | None = None
    offline: bool = False
    paid_on: date | None = None  # of an offline payment, where it was recorded later
    state: str = "pending"
    accepted: bool | None = None
    checkout: Checkout | None = None  # empty until the response of the start call arrived
    captured: int | None = None
    fee: int | None = None  # of the gateway, once it has said it
    settled_at: datetime | None = None
    allocations: dict[Invoice, int] = field(default_factory=dict)
    refunded: int = 0  # with the customer again (M8)
    disputes: list[Dispute] = field(default_factory=list)
    was_taken: bool = False
    given_back: bool = False

    @property
    def currency(self) -> str:
        return self.document.currency

    @property
    def is_unsettled(self) -> bool:
        return self.state in UNSETTLED

    @property
    def is_committed(self) -> bool:
        """Returns whether the payment holds money."""
        return self.state == "capturing" or (self.state == "processing" and bool(self.accepted))

    @property
    def is_unwanted(self) -> bool:
        """Returns whether a bank moves money that the document does not take."""
        return self.state == "processing" and not self.accepted

    @property
    def frozen(self) -> int:
        """The part that open disputes freeze, wherever it is (M3)."""
        return sum(one.amount - one.lost for one in self.disputes if one.state == "open")

    @property
    def lost(self) -> int:
        """The part that lost disputes have taken."""
        return sum(one.amount - one.lost for one in self.disputes if one.state == "lost")

    @property
    def spendable(self) -> int:
        """The unallocated part that no dispute freezes."""
        return max(0, self.unallocated - self.frozen)

    @property
    def unallocated(self) -> int:
        """The part that is neither allocated nor gone."""
        elsewhere = sum(self.allocations.values()) + self.refunded + self.lost
        return (self.captured or 0) - elsewhere if self.state == "succeeded" else 0

    def __repr__(self) -> str:
        return f"<{self.name} of {(self.request or self.document).name}: {self.amount}, {self.state}>"


@dataclass(eq=False)
class Refund(PlainRepr):
    """A refund through the gateway or in its dashboard; `taken` is what it took off each invoice.

    `reduced` are the entries of `settled` by which it reduced invoices.
    """

    payment: Payment
    amount: int
    mode: str
    state: str = "pending"
    born: int = field(default_factory=_births.__next__)  # their order, with that of disputes
    lost: int = 0  # sent back beyond the payment (M5)
    was_called: bool = False  # the gateway may have heard of it
    at_gateway: GatewayRefund | None = None  # once it is known there
    taken: dict[Invoice, int] = field(default_factory=dict)
    reduced: list[tuple[Invoice, int]] = field(default_factory=list)

    @property
    def is_counted(self) -> bool:
        return self.state in ("pending", "succeeded")

    def __repr__(self) -> str:
        return f"<refund of {self.amount} of {self.payment.name}: {self.state}>"


@dataclass(eq=False)
class Dispute(PlainRepr):
    """A dispute; `taken` is what it took off each invoice, as far as that was not put back.

    `settled` are the entries of `settled` by which that was taken as a loss.
    """

    payment: Payment
    amount: int
    at_gateway: GatewayDispute
    lost: int = 0  # beyond the payment (M5)
    state: str = "open"
    born: int = field(default_factory=_births.__next__)
    taken: dict[Invoice, int] = field(default_factory=dict)
    settled: list[tuple[Invoice, int]] = field(default_factory=list)

    @property
    def is_counted(self) -> bool:
        return self.state in ("open", "lost")

    def __repr__(self) -> str:
        return f"<dispute of {self.amount} of {self.payment.name}: {self.state}>"


@dataclass
class Mail:
    """The mail with the link of a request."""

    request: Request
    state: str = "queued"


PaymentTarget = Request | Invoice | Quote


def document_of(source: PaymentTarget) -> Invoice | Quote:
    """Returns the invoice or quote of a link."""
    return source.invoice if isinstance(source, Request) else source


def request_of(source: PaymentTarget) -> Request | None:
    """Returns the request of a link, if it has one."""
    return source if isinstance(source, Request) else None


@dataclass
class OrganizationModel:
    """The books of one organization and the values derived from them."""

    gateway: GatewayModel
    now: datetime
    checkouts_per_link: int
    payments_on: bool = True
    invoices: list[Invoice] = field(default_factory=list)
    quotes: list[Quote] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    payments: list[Payment] = field(default_factory=list)
    refunds: list[Refund] = field(default_factory=list)
    mails: list[Mail] = field(default_factory=list)
    payouts: dict[GatewayPayout, tuple[str, int, str, int, int]] = field(default_factory=dict)  # as read last
    flags: set[tuple[str, Payment]] = field(default_factory=set)
    forms: dict[str, tuple[object, int, Payment | None]] = field(default_factory=dict)

    def paid_out(self) -> dict[GatewayPayout, tuple[str, int]]:
        """Returns the payouts that have arrived, as far as they were read, each with its currency and amount."""
        return {one: facts[:2] for one, facts in self.payouts.items() if facts[2] == "paid"}

    def paid(self, invoice: Invoice) -> int:
        """Returns the sum of the allocations of an invoice (M2)."""
        return sum(payment.allocations.get(invoice, 0) for payment in self.payments)

    def due(self, invoice: Invoice) -> int:
        return invoice.total - self.paid(invoice) - sum(invoice.settled)

    def open_request(self, invoice: Invoice | Quote) -> Request | None:
        found = [
            request for request in self.requests if request.invoice is invoice and request.state == "open"
        ]
        return found[0] if found else None

    def under_way(self, document: Invoice | Quote) -> Payment | None:
        """Returns the payment that the document waits for: of an unwanted debit it does not (P1)."""
        theirs = [payment for payment in self.payments if payment.document is document]
        found = [payment for payment in theirs if payment.is_unsettled and not payment.is_unwanted]
        assert len(found) < 2, f"{found} are under way at once"
        return found[0] if found else None

    def committed(self, document: Invoice | Quote) -> Payment | None:
        payment = self.under_way(document)
        return payment if payment and payment.is_committed else None

    def deposit_of(self, quote: Quote) -> Payment | None:
        """Returns the succeeded and accepted payment of a deposit."""
        theirs = [payment for payment in self.payments if payment.document is quote]
        paid = [payment for payment in theirs if payment.state == "succeeded" and payment.accepted]
        paid = [payment for payment in paid if not payment.given_back]
        return paid[0] if paid else None

    def deposit_status(self, quote: Quote) -> str:
        if quote.deposit == 0:
            return "none"
        if self.deposit_of(quote):
            return "paid"
        return "processing" if self.committed(quote) else "due"

    def with_credit(self, customer: int, currency: str) -> list[Payment]:
        """Returns the customer's payments with credit, the oldest first."""
        theirs = [
            payment
            for payment in self.payments
            if payment.document.customer == customer and payment.spendable
        ]
        credit = [payment for payment in theirs if payment.currency == currency and not self.waits(payment)]
        return sorted(credit, key=lambda payment: (payment.settled_at, self.payments.index(payment)))

    def credit(self, customer: int, currency: str) -> int:
        return sum(payment.spendable for payment in self.with_credit(customer, currency))

    def waits(self, deposit: Payment) -> bool:
        """Returns whether the deposit is reserved for the invoice of its quote, which is not sent yet (D2)."""
        quote = deposit.document
        if not isinstance(quote, Quote) or not deposit.accepted or deposit.was_taken or deposit.given_back:
            return False
        return quote.state == "accepted" or (quote.invoice is not None and quote.invoice.state == "draft")

    # Whether a link can be paid, R3

    def check_payable(
        self, document: Invoice | Quote, request: Request | None, checkout_started_at: datetime
    ) -> None:
        """Raises ActRefused with the reason that the customer's page shows."""
        reason = (
            self._deposit_unavailable_reason(document)
            if isinstance(document, Quote)
            else self._request_unavailable_reason(request, checkout_started_at)
            or self._invoice_unavailable_reason(document, request)
        )
        if reason:
            raise ActRefused(f"not_payable:{reason}")

    def _deposit_unavailable_reason(self, quote: Quote) -> str:
        reasons = {"draft": "not_payable", "sent": "not_accepted", "invoiced": "settled"}
        if quote.state != "accepted":
            return reasons.get(quote.state, quote.state)
        if not self.payments_on:
            return "payments_off"
        return "settled" if self.deposit_status(quote) in ("none", "paid") else ""

    def _request_unavailable_reason(self, request: Request | None, checkout_started_at: datetime) -> str:
        ended = {"invoice_voided": "void", "invoice_written_off": "not_payable"}
        if request is None:
            return ""
        if request.state != "open":
            if request.reason in ("invoice_paid", "offline_payment") and not self.due(request.invoice):
                return "settled"
            return ended.get(request.reason, request.state)
        return "expired" if request.is_over(checkout_started_at) else ""

    def _invoice_unavailable_reason(self, invoice: Invoice, request: Request | None) -> str:
        reasons = {
            "paid": "settled",
            "void": "void",
            "written_off": "not_payable",
            "draft": "not_payable",
        }
        if invoice.state != "sent":
            return reasons[invoice.state]
        if not self.payments_on:
            return "payments_off"
        return "changed" if request and request.amount > self.due(invoice) else ""

    def amount_to_pay(self, document: Invoice | Quote, request: Request | None) -> int:
        """Returns the amount that a link charges, independent of the page (D1); of an invoice a multiple of a step."""
        if isinstance(document, Quote):
            return document.deposit
        if request:
            return request.amount
        due = self.due(document)
        payable = due - due % STEP[document.currency]
        return payable if payable >= self.gateway.minimum[document.currency] else due

    def is_wanted(self, payment: Payment) -> bool:
        """Returns whether the payment is payable when the money is captured."""
        most = payment.document.deposit if isinstance(payment.document, Quote) else self.due(payment.document)
        try:
            self.check_payable(payment.document, payment.request, payment.checkout_started_at)
        except ActRefused:
            return False
        return payment.amount <= most
