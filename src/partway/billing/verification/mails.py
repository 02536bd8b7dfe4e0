"""The mail of a change was written with it (DESIGN D6)."""

from __future__ import annotations

from django.db.models import Case, Exists, OuterRef, Q, Value, When

from ..models import Event, Mail
from .checks import check, no_rows_where

# What every event of these types promises to whom it concerns; other mails depend on what a member chose.
_PROMISED = {
    "payment_request.sent": "payment_request",
    "payment_request.resent": "payment_request",
    "invoice.sent": "invoice_sent",
    "invoice.resent": "invoice_sent",
    "quote.sent": "quote_sent",
    "quote.resent": "quote_sent",
    "quote.accepted": "quote_accepted",
    "quote.declined": "quote_declined",
    "payment.succeeded": "receipt",
    "member.invited": "invitation",
    "member.invitation_resent": "invitation",
}
_KIND = Case(*(When(type=event_type, then=Value(kind)) for event_type, kind in _PROMISED.items()))
_WRITTEN = Mail.objects.filter(event=OuterRef("pk"))

CHECKS = (
    check(
        "D6",
        "an event that promises mails has them, and a mail that went out says when",
        no_rows_where(
            Event,
            Q(type__in=[*_PROMISED]) & ~Exists(_WRITTEN.filter(kind=OuterRef("promised"))),
            "{type} without its mail “{promised}”",
            promised=_KIND,
        ),
        no_rows_where(
            Event,
            Q(type="payment.succeeded") & ~Exists(_WRITTEN.filter(kind="payment_received")),
            "{type} without its news to who asked",
        ),
        no_rows_where(
            Mail,
            Q(status__in=("sent", "bounced"), sent_at__isnull=True)
            | Q(status__in=("queued", "failed", "dropped"), sent_at__isnull=False),
            "{status}, sent at {sent_at}",
        ),
    ),
)
