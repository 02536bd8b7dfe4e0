"""The one tree of business errors: a stable code, our words for people, and the HTTP status doors answer.

BillingError
├── Invalid               422  the input is wrong, field by field
├── PaymentsNotEnabled    403
├── RateLimited           429
├── GatewayUnavailable           503  nobody knows; nothing was charged twice, try again
└── Conflict              409  the input is fine, the moment is not
    ├── InvoiceNotSent
    ├── PaymentRequestOpen     names the open one
    ├── PaymentInProgress
    ├── TooLate
    ├── Stale
    ├── LastOwner
    ├── InvitationNotOpen
    └── NotPayable             with a reason for the customer's page
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .models import PaymentRequest


@dataclass(frozen=True, slots=True)
class FieldError:
    """One wrong field: `code` is stable, `params` are what its sentence needs (Money, dates, numbers, text).

    `partway.delivery.messages` turns it into a sentence.
    """

    code: str
    params: Mapping[str, Any] = field(default_factory=dict)


def field_error(code: str, **params: Any) -> FieldError:
    """Returns a FieldError with these parameters."""
    return FieldError(code, params)


class BillingError(Exception):
    """An act that is refused: `code` is stable, `reason` tells apart the sentences of one code, `params` fill them.

    `partway.delivery.messages` turns it into a sentence; nothing here is text for people.
    """

    code = "error"
    status = 400
    message = ""  # the sentence itself, where it has not moved to partway.delivery.messages yet

    def __init__(self, message: str = "", *, reason: str = "", **params: Any) -> None:
        self.message = message or self.message
        self.reason = reason
        self.params = params
        super().__init__(message or ".".join(part for part in (self.code, reason) if part))


class Invalid(BillingError):
    """Bad input: `fields` maps the name of each wrong field to its FieldError."""

    code = "invalid"
    status = 422

    def __init__(self, fields: Mapping[str, FieldError | str], code: str = "invalid") -> None:
        super().__init__()
        self.fields = fields
        self.code = code


class DepositNotDivisible(BillingError):
    """Somebody asked for a part of a deposit (DESIGN D1)."""

    code = "deposit_not_divisible"
    status = 422
    message = "A deposit is paid in full. Its amount comes from the quote."


class PaymentsNotEnabled(BillingError):
    """The organization's switch is off, or it has no gateway account."""

    code = "payments_not_enabled"
    status = 403
    message = "Payments are not enabled. An owner can turn them on in Settings → Payments."


class RateLimited(BillingError):
    """More checkouts than an honest customer needs (DESIGN P8)."""

    code = "rate_limited"
    status = 429
    message = "Too many attempts to pay from here. Wait an hour, or ask who sent you the link for another way to pay."


class GatewayUnavailable(BillingError):
    """The gateway did not answer, or not in a way that settles anything (DESIGN P5)."""

    code = "gateway_unavailable"
    status = 503
    message = "The payment service does not answer right now. Nothing was charged. Try again in a minute."


class Conflict(BillingError):
    """The input is fine; the state of things is not, or somebody was faster."""

    code = "conflict"
    status = 409


class InvoiceNotSent(Conflict):
    """The act needs an invoice in Sent status."""

    code = "invoice_not_sent"
    message = "This invoice is not in Sent status."


class PaymentRequestOpen(Conflict):
    """At most one request is open per invoice (DESIGN R1)."""

    code = "payment_request_open"

    def __init__(self, request: PaymentRequest) -> None:
        super().__init__(
            f"A request for {request.amount_requested} is already open for this invoice. "
            "Cancel it, or wait until it is paid, before asking again."
        )
        self.request = request


class PaymentInProgress(Conflict):
    """A payment holds the money, or nobody knows yet whether it does."""

    code = "payment_in_progress"
    message = "A payment is being processed right now. Wait until it is settled, then try again."


class TooLate(Conflict):
    """It has ended already."""

    code = "too_late"
    message = "Too late: it was already paid."


class Stale(Conflict):
    """Somebody else changed it since it was read (DESIGN D8)."""

    code = "stale"
    message = "Somebody else changed this in the meantime. Look at both versions before you save."


class LastOwner(Conflict):
    """Without an owner nobody could configure the organization any more."""

    code = "last_owner"
    message = "This is the only owner. Make somebody else an owner first."


class InvitationNotOpen(Conflict):
    """It was accepted, withdrawn, or is too old."""

    code = "invitation_over"
    message = "This invitation is over: it was accepted or withdrawn in the meantime."


class NotPayable(Conflict):
    """A link cannot be paid now: `reason` picks the page the customer sees.

    One of paid, canceled, expired, settled, void, payments_off, changed, busy, not_payable; of a quote also
    not_accepted, declined.
    """

    code = "not_payable"
    message = "This cannot be paid with this link."

    def __init__(self, reason: str, message: str = "", **params: Any) -> None:
        super().__init__(message, reason=reason, **params)
