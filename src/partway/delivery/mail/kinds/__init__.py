"""The kinds of mail, one module each: to whom it goes, whether it still holds, its subject, content and attachments.

Recipients are computed by the act that queues the mail (billing/outbox.py), for the row must show them; each module
names them. Validity and content are computed when the mail leaves (DESIGN R8);
../validity.py has the conditions that several kinds share.
"""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from partway.accounts.permissions import Permission
from partway.billing.models import Mail

from ..content import Content
from . import (
    debit_not_needed,
    debit_returned,
    dispute_closed,
    dispute_opened,
    dispute_reminder,
    gateway_left,
    invitation,
    invoice_sent,
    password_reset,
    payment_failed,
    payment_failed_notice,
    payment_received,
    payment_request,
    payment_request_ended,
    quote_accepted,
    quote_declined,
    quote_sent,
    receipt,
    refund,
    refund_failed,
    refund_not_received,
    sign_in_attempts,
    sign_in_changed,
    statement,
    unwanted_debit,
    webhook_endpoint_disabled,
)


class MailKind(Protocol):
    """A module of this package."""

    # The permission that a member needs to read a stored mail of this kind: of what its links let their holder do.
    read_permission: Permission

    def is_valid(self, mail: Mail, *, now: datetime) -> bool:
        """Returns whether the mail still holds; one that does not is dropped."""

    def content(self, mail: Mail) -> Content:
        """Returns subject, context and attachments as they are now; raises LookupError for an incomplete row."""


KINDS: dict[str, MailKind] = {
    "debit_not_needed": debit_not_needed,
    "debit_returned": debit_returned,
    "dispute_closed": dispute_closed,
    "dispute_opened": dispute_opened,
    "dispute_reminder": dispute_reminder,
    "gateway_left": gateway_left,
    "invitation": invitation,
    "invoice_sent": invoice_sent,
    "password_reset": password_reset,
    "payment_failed": payment_failed,
    "payment_failed_notice": payment_failed_notice,
    "payment_received": payment_received,
    "payment_request": payment_request,
    "payment_request_ended": payment_request_ended,
    "quote_accepted": quote_accepted,
    "quote_declined": quote_declined,
    "quote_sent": quote_sent,
    "receipt": receipt,
    "refund": refund,
    "refund_failed": refund_failed,
    "refund_not_received": refund_not_received,
    "sign_in_attempts": sign_in_attempts,
    "sign_in_changed": sign_in_changed,
    "statement": statement,
    "unwanted_debit": unwanted_debit,
    "webhook_endpoint_disabled": webhook_endpoint_disabled,
}


def is_valid(mail: Mail, *, now: datetime) -> bool:
    """Returns whether what the mail says is still so; raises KeyError for an unknown kind."""
    return KINDS[mail.kind].is_valid(mail, now=now)
