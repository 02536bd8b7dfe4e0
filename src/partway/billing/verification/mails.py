"""Checks that the mail of a change was queued with it (DESIGN D6)."""

from __future__ import annotations

from django.db.models import Case, Exists, OuterRef, Q, Value, When

from ..models import Event, Mail
from .checks import check, no_rows_where

# The mail that every event of a type queues; other mails depend on what a member chose.
_MAIL_KINDS = {
    "payment_request.sent": "payment_request",
    "payment_request.resent": "payment_request",
    "invoice.sent": "invoice_sent",
    "invoice.resent": "invoice_sent",
    "quote.sent": "quote_sent",
    "quote.resent": "quote_sent",
    "quote.accepted": "quote_accepted",
    "quote.declined": "quote_declined",
    "payment.succeeded": "receipt",
    "refund.failed": "refund_failed",
    "dispute.reminded": "dispute_reminder",
    "dispute.won": "dispute_closed",
    "dispute.lost": "dispute_closed",
    "member.invited": "invitation",
    "member.invitation_resent": "invitation",
}
_KIND = Case(*(When(type=event_type, then=Value(kind)) for event_type, kind in _MAIL_KINDS.items()))
_MAILS_OF_EVENT = Mail.objects.filter(event=OuterRef("pk"))

CHECKS = (
    check(
        "D6",
        "an event has the mails of its type, and a sent mail has a time",
        no_rows_where(
            Event,
            Q(type__in=[*_MAIL_KINDS])
            & ~Q(data__has_key="not_mailed")
            & ~Exists(_MAILS_OF_EVENT.filter(kind=OuterRef("expected_kind"))),
            "{type} without its mail “{expected_kind}”",
            expected_kind=_KIND,
        ),
        no_rows_where(
            Event,
            Q(type="payment.succeeded") & ~Exists(_MAILS_OF_EVENT.filter(kind="payment_received")),
            "{type} without its mail to the requester",
        ),
        no_rows_where(
            Event,
            Q(type="refund.succeeded")
            & ~Q(data__mode="offline")
            & ~Exists(_MAILS_OF_EVENT.filter(kind="refund")),
            "{type} without its mail to the customer",
        ),
        no_rows_where(
            Event,
            (Q(type="dispute.lost") | Q(type="dispute.updated", data__has_key="taken_minor"))
            & Q(data__reason="debit_returned")
            & ~Exists(_MAILS_OF_EVENT.filter(kind="debit_returned")),
            "{type} without its mail to the customer",
        ),
        no_rows_where(
            Event,
            Q(type="refund.failed", data__from="succeeded")
            & ~Exists(_MAILS_OF_EVENT.filter(kind="refund_not_received")),
            "{type} without its mail to the customer, who was told of the refund",
        ),
        *(
            no_rows_where(
                Event,
                Q(type="payment.failed", data__from="processing")
                & ~Exists(_MAILS_OF_EVENT.filter(kind=kind)),
                f"{{type}} without its mail “{kind}”, though a bank was moving the money",
            )
            for kind in ("payment_failed", "payment_failed_notice")
        ),
        no_rows_where(
            Mail,
            Q(status__in=("sent", "bounced"), sent_at__isnull=True)
            | Q(status__in=("queued", "failed", "dropped"), sent_at__isnull=False),
            "{status}, sent at {sent_at}",
        ),
    ),
)
