"""The contract between Partway and every company that moves money."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Protocol

from partway.lib.money import Money


class GatewayError(Exception):
    """What a gateway can raise.

    GatewayError
    ├── Refused       a definite no: nothing happened, asking again will not help
    ├── Unknown       no answer, or none that can be read: it may have happened, fetch before trying again
    └── BadCallback   a callback that this gateway did not sign, or that makes no sense
    """


class Refused(GatewayError):
    """The gateway said no. `code` is ours and stable, `words` are the gateway's, for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class OutcomeUnknown(GatewayError):
    """A time-out, a broken connection, a 5xx or an unreadable answer: nobody knows what happened."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class BadCallback(GatewayError):
    """The signature, the timestamp or the body of a callback is wrong; store nothing, answer 400."""


class CheckoutStatus(StrEnum):
    """Where a checkout stands at the gateway. A decline inside an open checkout leaves it open."""

    OPEN = "open"  # waiting for the customer
    AUTHORIZED = "authorized"  # held on the card, not taken
    PROCESSING = "processing"  # taken, and not settled yet
    CAPTURED = "captured"
    CLOSED = "closed"  # closed, expired, canceled or lapsed: nothing was taken
    FAILED = "failed"  # it was processing and came to nothing


class CloseOutcome(StrEnum):
    """What became of an attempt to close."""

    CLOSED = "closed"  # nothing was taken and nothing can be any more
    TOO_LATE = "taken"  # too late: captured or processing
    UNKNOWN = "unknown"  # ask again


class RefundStatus(StrEnum):
    """Where a refund stands at the gateway; a succeeded one may still fail days later."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class CheckoutRequest:
    """What a checkout is for. `key` is the idempotency key: the same order again is the same checkout."""

    key: str
    amount: Money
    description: str
    reference: str  # ours, comes back in list_since
    return_url: str  # where the gateway sends the browser, paid or not
    callback_url: str
    expires_at: datetime  # the gateway takes no payment after this


@dataclass(frozen=True, slots=True)
class Checkout:
    """The gateway's page for paying: its name for it, and where to send the customer."""

    ref: str
    url: str


@dataclass(frozen=True, slots=True)
class Refund:
    """Money sent back, as the gateway tells it."""

    ref: str
    status: RefundStatus
    amount: Money
    reference: str = ""  # the key it was asked for with; empty when made in the gateway's own dashboard


@dataclass(frozen=True, slots=True)
class CheckoutState:
    """What the gateway knows about a checkout now.

    `captured` is what was really taken, before refunds, whatever amount and currency had been asked for;
    None after a capture means that the gateway does not say. `code` is our stable code (card_declined,
    insufficient_funds, too_many_declines, authorization_lapsed, checkout_expired, bank_debit_failed or empty)
    for the latest decline or the end; `words` are the gateway's, for people.
    """

    status: CheckoutStatus
    captured: Money | None
    authorized: Money | None
    method: str
    code: str
    message: str
    refunds: tuple[Refund, ...] = ()


@dataclass(frozen=True, slots=True)
class VerifiedCallback:
    """What a verified callback says; never enough to act on, always a reason to fetch."""

    event_id: str
    kind: str
    checkout_ref: str
    at: datetime


class CheckoutSummary(NamedTuple):
    """One line of list_since."""

    ref: str
    reference: str
    state: CheckoutState


class Gateway(Protocol):
    """A gateway account that is ready to talk; safe to share between threads.

    Every method that goes over the network raises Refused or Unknown. The same `key` with the same content
    always gets the same answer, however often it is asked.
    """

    @property
    def methods(self) -> tuple[str, ...]:
        """How a customer can pay, as `card`."""
        ...

    @property
    def checkout_origin(self) -> str:
        """scheme://host[:port] of the checkout, for the form-action of our pages."""
        ...

    def authorizes(self, method: str) -> bool:
        """Whether `method` holds the money first and takes it only when we capture."""
        ...

    def minimum(self, currency: str) -> int:
        """The least it takes, in minor units."""
        ...

    def step(self, currency: str) -> int:
        """An amount must be a multiple of this many minor units."""
        ...

    def check(self) -> None:
        """Return if the credentials are good, else raise."""
        ...

    def start(self, order: CheckoutRequest) -> Checkout:
        """Open a checkout for exactly this amount."""
        ...

    def fetch(self, ref: str) -> CheckoutState:
        """Ask what is true now."""
        ...

    def capture(self, ref: str, amount: Money, key: str) -> CheckoutState:
        """Take what was authorized, at most once and at most that much."""
        ...

    def close(self, ref: str, key: str) -> CloseOutcome:
        """Make it unpayable, and give up an authorization that was not captured."""
        ...

    def refund(self, ref: str, amount: Money, key: str) -> Refund:
        """Send back part or all of what was captured."""
        ...

    def read_callback(self, body: bytes, headers: Mapping[str, str]) -> VerifiedCallback:
        """Verify the raw `body`; raises BadCallback."""
        ...

    def list_since(self, at: datetime) -> Iterator[CheckoutSummary]:
        """Every checkout that changed at or after `at`, oldest change first."""
        ...
