"""The tree of business errors: each has a stable code and the HTTP status that doors respond with.

BillingError
├── Invalid               422  the input is wrong, field by field
├── DepositNotDivisible   422  a part of a deposit was asked for (DESIGN D1)
├── PaymentsNotEnabled    403
├── RateLimited           429
├── GatewayRefused        422  the gateway does not accept these credentials
├── GatewayUnavailable    503  the outcome is unknown; nothing was charged, try again
└── Conflict              409  the input is fine, the moment is not
    ├── InvoiceNotSent
    ├── PaymentRequestOpen     names the open one
    ├── PaymentInProgress
    ├── TooLate
    ├── Stale
    ├── ExternalReferenceTaken     names the row that has it
    ├── LastOwner
    ├── InvitationNotOpen
    ├── GatewayNotAllowed      a test account on a live installation, or the other way round
    ├── GatewayNotReady        payments are not turned on before the check of the connection passes
    └── NotPayable             with a reason for the customer's page
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from math import ceil
from typing import TYPE_CHECKING, Any

from partway.lib.email_addresses import InvalidAddress

if TYPE_CHECKING:
    from .models import Customer, Invoice, PaymentRequest, Quote


@dataclass(frozen=True, slots=True)
class FieldError:
    """One wrong field: `code` is stable, "code" or "code.reason"; `params` fill its sentence.

    Params are Money, dates, numbers and text. `partway.delivery.messages` turns the code into a sentence.
    """

    code: str
    params: Mapping[str, Any] = field(default_factory=dict)


def field_error(code: str, **params: Any) -> FieldError:
    """Returns a FieldError with these parameters."""
    return FieldError(code, params)


def address_error(error: InvalidAddress) -> FieldError:
    """Returns the error of a field with this mail address."""
    return field_error(f"bad_address.{error.reason}", address=error.text[:80])


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


# The codes of a wrong field that programs rely on as the code of the whole error (DESIGN section 8).
PROMISED_FIELD_CODES = ("amount_exceeds_due", "amount_too_small")


class Invalid(BillingError):
    """Bad input: `fields` maps the name of each wrong field to its FieldError."""

    code = "invalid"
    status = 422

    def __init__(self, fields: Mapping[str, FieldError | str], code: str = "") -> None:
        """Takes its code from the only wrong field when that code is one of PROMISED_FIELD_CODES."""
        super().__init__()
        self.fields = fields
        codes = [wrong.code.partition(".")[0] for wrong in fields.values() if isinstance(wrong, FieldError)]
        only = codes[0] if len(fields) == 1 and codes else ""
        self.code = code or (only if only in PROMISED_FIELD_CODES else "invalid")


class DepositNotDivisible(BillingError):
    """A payment request for a part of a deposit (DESIGN D1)."""

    code = "deposit_not_divisible"
    status = 422


class PaymentsNotEnabled(BillingError):
    """The organization's switch is off, or it has no gateway account."""

    code = "payments_not_enabled"
    status = 403


class RateLimited(BillingError):
    """More checkouts than an honest customer needs (DESIGN P8), or, with a reason, more mails (DESIGN section 12).

    retry_after: how long to wait; in the sentence as `minutes`.
    """

    code = "rate_limited"
    status = 429

    def __init__(self, retry_after: timedelta, *, reason: str = "") -> None:
        self.retry_after = retry_after
        super().__init__(reason=reason, minutes=max(ceil(retry_after.total_seconds() / 60), 1))


class GatewayUnavailable(BillingError):
    """The gateway did not respond (DESIGN P5), or refused: then with reason `refused` and its message.

    Reason `refund_failed`: a refund, of which nothing was sent.
    """

    code = "gateway_unavailable"
    status = 503


class GatewayRefused(BillingError):
    """The gateway refused the credentials of a new account; `message_of_gateway` is its text for people."""

    code = "gateway_refused"
    status = 422


class Conflict(BillingError):
    """The input is valid, but the state does not allow the act, or a concurrent act was first."""

    code = "conflict"
    status = 409


class NotRefundable(Conflict):
    """More than is left of the payment, of which `left` is the amount: another refund may have been first (M5)."""

    code = "not_refundable"


class InvoiceNotSent(Conflict):
    """The act needs an invoice in Sent status."""

    code = "invoice_not_sent"


class PaymentRequestOpen(Conflict):
    """At most one request is open per invoice (DESIGN R1)."""

    code = "payment_request_open"

    def __init__(self, request: PaymentRequest) -> None:
        super().__init__(amount=request.amount_requested)
        self.request = request


class PaymentInProgress(Conflict):
    """A committed payment holds the money, or the outcome of an unsettled one is unknown."""

    code = "payment_in_progress"


class TooLate(Conflict):
    """It has ended already."""

    code = "too_late"


class Stale(Conflict):
    """Another person changed it since it was read (DESIGN D8); `reason` says what changed."""

    code = "stale"


class ExternalReferenceTaken(Conflict):
    """Another row of its kind has this reference of a program; `id` is that row's."""

    code = "external_reference_taken"

    def __init__(self, other: Customer | Invoice | Quote | PaymentRequest) -> None:
        super().__init__(external_reference=other.external_reference, id=other.pk)


class LastOwner(Conflict):
    """The organization would lose its last owner, the only one who can configure it."""

    code = "last_owner"


class InvitationNotOpen(Conflict):
    """The invitation was accepted or withdrawn, or is past `expires_at`."""

    code = "invitation_not_open"


class GatewayNotAllowed(Conflict):
    """This gateway cannot be connected on this installation."""

    code = "gateway_not_allowed"


class GatewayNotReady(Conflict):
    """Payments cannot be turned on: no account is connected.

    With reason `check_failed` its check does not pass, with `not_approved` the operator has not allowed them.
    """

    code = "gateway_not_ready"


class NotPayable(Conflict):
    """A link cannot be paid now: `reason` picks the page the customer sees.

    One of paid, canceled, expired, settled, void, payments_off, changed, busy, not_payable, amount_not_payable (with
    the amount); of a quote also not_accepted, declined, withdrawn.
    """

    code = "not_payable"

    def __init__(self, reason: str, **params: Any) -> None:
        super().__init__(reason=reason, **params)
