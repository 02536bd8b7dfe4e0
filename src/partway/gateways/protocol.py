"""The protocol between Partway and the companies that move money; amounts are Money, times are aware datetimes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import NamedTuple, Protocol

from partway.lib.links import mask_links
from partway.lib.money import Money

from .connection_report import ConnectionReport


class GatewayError(Exception):
    """The base of the errors that a gateway raises.

    GatewayError
    ├── Refused          a definite no: nothing happened, and the same call will be refused again
    ├── OutcomeUnknown   no readable response: it may have happened, so fetch before another attempt
    └── BadCallback      a callback with a wrong signature or an unreadable body
    """


class Refused(GatewayError):
    """The gateway refused a call: `code` is ours and stable, `message` is the gateway's text for people.

    Its links are masked: the text may quote the return URL, and members read it who may not use that link.
    """

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        self.message = mask_links(message)
        super().__init__(f"{code}: {self.message}")


class OutcomeUnknown(GatewayError):
    """A time-out, a broken connection, a 5xx or an unreadable response: the call may have taken effect (DESIGN P5)."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class BadCallback(GatewayError):
    """The signature, the timestamp or the body of a callback is wrong; the door stores nothing and responds 400."""


class CheckoutStatus(StrEnum):
    """The status of a checkout at the gateway; a decline inside an open checkout leaves it open."""

    OPEN = "open"  # waits for the customer
    AUTHORIZED = "authorized"  # the money is held on the card, not captured
    PROCESSING = "processing"  # taken, not settled yet
    CAPTURED = "captured"
    CLOSED = "closed"  # closed, expired, canceled or lapsed: no money was taken
    FAILED = "failed"  # was processing, then failed: no money was taken


class CloseOutcome(StrEnum):
    """The outcome of closing a checkout."""

    CLOSED = "closed"  # no money was taken, and none can be any more
    TOO_LATE = "taken"  # the money is captured or processing
    UNKNOWN = "unknown"  # close again later


class RefundStatus(StrEnum):
    """The status of a refund at the gateway; one that succeeded can still fail days later."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class DisputeStatus(StrEnum):
    """The status of a dispute at the gateway; one that was won can still be lost, and the other way round."""

    OPEN = "open"  # evidence can be submitted, or the bank decides
    WON = "won"  # the money stays here, or came back
    LOST = "lost"  # the money is with the customer


@dataclass(frozen=True, slots=True)
class CheckoutRequest:
    """A checkout to open. `key` is the idempotency key: the same request with the same key is the same checkout."""

    key: str
    amount: Money
    description: str
    reference: str  # our id of the payment; `list_since` returns it
    return_url: str  # where the gateway sends the browser that paid
    callback_url: str
    expires_at: datetime  # the gateway takes no payment after this
    # What a gateway may use or ignore; empty for nothing.
    cancel_url: str = ""  # where it sends the browser that did not pay; empty for `return_url`
    customer_email: str = ""  # filled in on its page
    locale: str = ""  # the language of its page, as `de` or `pt_BR`
    statement: str = ""  # to be recognised by on the statement of a card: the number of the document
    methods: tuple[str, ...] = ()  # that the customer may choose from; empty for all of the gateway's
    application_fee: Money | None = (
        None  # for the operator, of an account that a platform connected; None for none
    )
    organization: str = ""  # our id of it: another installation may use the same account at the gateway


@dataclass(frozen=True, slots=True)
class Checkout:
    """An open checkout: the gateway's id for it, and the URL of its page for the customer."""

    ref: str
    url: str


@dataclass(frozen=True, slots=True)
class Refund:
    """A refund as the gateway reports it."""

    ref: str
    status: RefundStatus
    amount: Money
    reference: str = ""  # the idempotency key of our request; empty when made in the gateway's own dashboard
    fee: Money | None = None  # as of CheckoutState


@dataclass(frozen=True, slots=True)
class Dispute:
    """A dispute of a captured amount as the gateway reports it; `amount` is the part that is disputed.

    `reason` is our stable code: fraudulent, unrecognized, duplicate, not_received, not_as_described, canceled,
    credit_not_processed, debit_returned or unknown. `fee` is what the gateway charges for it by now, None for nothing.
    """

    ref: str
    status: DisputeStatus
    amount: Money
    reason: str
    evidence_due_at: datetime | None = None  # until when evidence can be submitted at the gateway
    fee: Money | None = None


@dataclass(frozen=True, slots=True)
class CheckoutState:
    """The state of a checkout as the gateway reports it.

    `captured` is what was really taken, before refunds, whatever amount and currency had been requested; None
    after a capture means that the gateway does not say. `code` is our stable code for the latest decline or the end:
    card_declined, insufficient_funds, expired_card, incorrect_security_code, incorrect_number, processing_error,
    authentication_failed, card_not_supported, limit_exceeded, too_many_declines, authorization_lapsed,
    checkout_expired, bank_debit_failed or empty. `message` is the gateway's text for people, with links masked as in
    Refused. `fee` is what the gateway takes for the payment: in the currency that it settles in, negative when it gives
    something back, None until it says it.
    """

    status: CheckoutStatus
    captured: Money | None
    authorized: Money | None
    method: str
    code: str
    message: str
    refunds: tuple[Refund, ...] = ()
    fee: Money | None = None
    disputes: tuple[Dispute, ...] = ()
    settles_by: datetime | None = None  # while processing: when the gateway expects to know the outcome
    authorized_until: datetime | None = (
        None  # while authorized: when the authorization lapses, where it says it
    )

    def __post_init__(self) -> None:
        object.__setattr__(self, "message", mask_links(self.message))


class PayoutStatus(StrEnum):
    """The status of a payout; one that was paid can still come back from the bank days later."""

    PENDING = "pending"
    PAID = "paid"
    FAILED = "failed"


class PayoutItemKind(StrEnum):
    """The kinds of entries of a balance; a fee by itself is none of a payment, as for the month."""

    PAYMENT = "payment"
    REFUND = "refund"
    DISPUTE = "dispute"
    FEE = "fee"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class PayoutItem:
    """One entry of the gateway's balance in a payout: negative amounts take from it.

    `net` is what the gateway says, and not computed: normally `amount` less `fee`.
    """

    ref: str  # the gateway's id of the entry
    kind: PayoutItemKind
    amount: Money
    fee: Money
    net: Money
    checkout_ref: str = ""  # empty where it is about no checkout
    source_ref: str = ""  # the gateway's id of the refund or the dispute
    reference: str = ""  # our id of the payment, where the gateway says that and not the checkout


@dataclass(frozen=True, slots=True)
class Payout:
    """Money that the gateway sends to the bank account of the business, and all that it is made of, in one currency.

    Raises ValueError when an item is in another currency.
    """

    ref: str
    status: PayoutStatus
    amount: Money
    arrives_on: date  # at the bank, as far as is known
    items: tuple[PayoutItem, ...]

    def __post_init__(self) -> None:
        amounts = [money for item in self.items for money in (item.amount, item.fee, item.net)]
        if any(money.currency != self.amount.currency for money in amounts):
            raise ValueError(f"{self.ref} has items in another currency than {self.amount.currency}")


@dataclass(frozen=True, slots=True)
class VerifiedCallback:
    """A callback whose signature is right. It only names a checkout or a payout to fetch; its content is never booked.

    Where it names another object of a checkout, as a refund, that is `object_ref`, for `Gateway.find_checkout`. All
    that it does not name is empty; all three are, when it is about the account.
    """

    event_id: str
    kind: str
    checkout_ref: str
    at: datetime
    payout_ref: str = ""
    object_ref: str = ""


class FoundCheckout(NamedTuple):
    """A checkout of Partway that an object at the gateway belongs to: the gateway's id for it, and our reference.

    `organization` is that of its request; empty where the gateway does not say it.
    """

    ref: str
    reference: str
    organization: str = ""


class CheckoutSummary(NamedTuple):
    """One row of `list_since`; `organization` as of FoundCheckout."""

    ref: str
    reference: str
    state: CheckoutState
    organization: str = ""


class Capabilities(Protocol):
    """The capabilities of a gateway, known without a network call."""

    methods: tuple[str, ...]  # as `card`
    currencies: frozenset[str]  # ISO 4217 codes

    def authorizes(self, method: str) -> bool:
        """Returns whether `method` holds the money first and takes it only on `capture` (DESIGN P2)."""
        ...

    def success_is_final(self, method: str) -> bool:
        """Returns whether the bank of a customer can no longer take money back that was captured by `method`.

        Apart from a dispute, which names a reason. Without a doubt about that, unwanted money is sent back by itself.
        """
        ...

    def minimum(self, currency: str) -> int:
        """Returns the least amount, in minor units."""
        ...

    def step(self, currency: str) -> int:
        """Returns the number of minor units that an amount must be a multiple of."""
        ...


class Gateway(Capabilities, Protocol):
    """One gateway account; safe to share between threads.

    Every method that uses the network raises Refused or OutcomeUnknown. A repeated call with the same `key` and the
    same content has the same result and no further effect, for a day at least.
    """

    # The scheme://host[:port] of its checkout pages, for the form-action of our Content Security Policy.
    checkout_origin: str

    def check(self, callback_url: str, now: datetime) -> ConnectionReport:
        """Returns what is right and what is missing about the account; raises Refused where it cannot be read at all.

        Changes nothing at the gateway. `callback_url` is where its callbacks should arrive.
        """
        ...

    def start(self, request: CheckoutRequest) -> Checkout:
        """Opens a checkout for exactly this amount."""
        ...

    def fetch(self, ref: str) -> CheckoutState:
        """Returns the current state of a checkout."""
        ...

    def capture(self, ref: str, amount: Money, key: str) -> CheckoutState:
        """Captures an authorization, at most once and at most that much."""
        ...

    def close(self, ref: str, key: str) -> CloseOutcome:
        """Makes a checkout unpayable and releases an authorization that was not captured."""
        ...

    def refund(self, ref: str, amount: Money, key: str) -> Refund:
        """Sends back part or all of what was captured."""
        ...

    def read_callback(self, body: bytes, headers: Mapping[str, str]) -> VerifiedCallback:
        """Verifies the signature over the raw `body`; raises BadCallback."""
        ...

    def find_checkout(self, object_ref: str) -> FoundCheckout | None:
        """Returns the checkout that the object of a callback belongs to; None for one that is not of Partway.

        The same account at the gateway may serve other applications, whose objects are none of our business.
        """
        ...

    def list_since(self, at: datetime) -> Iterator[CheckoutSummary]:
        """Yields every checkout that changed at or after `at`, each once; new ones in the order of their creation."""
        ...

    def payouts_since(self, at: datetime) -> Iterator[Payout]:
        """Yields every payout that changed at or after `at`, oldest change first; none where the gateway has none."""
        ...
