"""Mails as rows: queued with the change they tell of, and asked again whether they still hold before they leave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction

from partway.accounts.models import Invitation, InvitationStatus, Member, User
from partway.lib.clock import today

from . import events
from .events import CLOCK
from .models import Event, Mail, Payment, PaymentRequest


@dataclass(frozen=True, slots=True)
class Recipients:
    """To whom a mail goes; `data` holds the figures it must show, in minor units, and never a link."""

    to: Sequence[str]
    cc: Sequence[str] = ()
    bcc: Sequence[str] = ()
    reply_to: str = ""
    data: dict[str, Any] = field(default_factory=dict)


def queue(kind: str, event: Event, recipients: Recipients) -> Mail:
    """Write the mail's row in the transaction of the event it tells of (DESIGN D6)."""
    return Mail.objects.create(
        kind=kind,
        event=event,
        organization_id=event.organization_id,
        invoice_id=event.invoice_id,
        quote_id=event.quote_id,
        payment_request_id=event.payment_request_id,
        payment_id=event.payment_id,
        to=list(recipients.to),
        cc=list(recipients.cc),
        bcc=list(recipients.bcc),
        reply_to=recipients.reply_to,
        data=recipients.data,
        created_at=event.created_at,
        next_attempt_at=event.created_at,
    )


def requester(request: PaymentRequest) -> str:
    """Where whoever asked is reached: the member who did, or the office once they are no member any more."""
    if request.reply_to and Member.objects.filter(pk=request.requested_by).exists():
        return request.reply_to
    return request.organization.email


def queue_receipt(payment: Payment, event: Event, stages: dict[str, int]) -> None:
    """A receipt to the customer, and the news to whoever asked; `stages` are the figures it tells, in minor units."""
    request, document = payment.payment_request, payment.document
    to = request.to if request else [document.customer.email]
    asked_by = requester(request) if request else document.organization.email
    queue("receipt", event, Recipients(to=to, reply_to=asked_by, data=dict(stages)))
    news = Recipients(to=[asked_by], reply_to=document.organization.email, data=dict(stages))
    queue("payment_received", event, news)


def queue_account_mail(user: User, kind: str, *, now: datetime, data: dict[str, Any] | None = None) -> Mail:
    """Write the row of a mail about signing in, which belongs to a person and to no organization."""
    told = {"user": user.pk, **(data or {})}
    return Mail.objects.create(kind=kind, to=[user.email], data=told, created_at=now, next_attempt_at=now)


def is_still_valid(mail: Mail, *, now: datetime) -> bool:
    """Whether what a mail says is still so: no dead link is mailed (R5), no thanks for a bounced check."""
    if mail.kind == "payment_request":
        asked = PaymentRequest.objects.open().filter(pk=mail.payment_request_id).first()
        return asked is not None and not asked.has_expired(now)
    if mail.kind == "invoice_sent" and mail.invoice is not None:
        return mail.invoice.status in ("sent", "paid")
    if mail.kind == "quote_sent" and mail.quote is not None:
        sent = mail.quote.status == "sent" and mail.quote.valid_until >= today(
            now, mail.quote.organization.time_zone
        )
        return sent or mail.quote.status == "accepted"
    if mail.kind in ("receipt", "payment_received") and mail.payment is not None:
        return mail.payment.status != "reversed"
    if mail.kind == "invitation":
        standing = Invitation.objects.filter(pk=mail.data["invitation"], status=InvitationStatus.OPEN)
        return standing.exists()
    if mail.organization_id is None:
        return User.objects.filter(pk=mail.data["user"], is_active=True).exists()
    return True


@transaction.atomic
def record_mail_failure(mail: Mail, *, message: str, now: datetime) -> None:
    """Record that a mail will not arrive, on the timeline of what it was about."""
    about = mail.payment_request or mail.payment or mail.invoice or mail.quote or mail.organization
    if about is not None:
        events.record(
            "mail.failed",
            about,
            by=CLOCK,
            now=now,
            data={"to": mail.to, "message": message, "kind": mail.kind},
        )
