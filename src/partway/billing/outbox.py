"""Mails as rows, queued in the transaction of the change; delivery/mail/kinds decides the rest when they are sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction

from partway.accounts import rate_limits
from partway.accounts.models import Member, User
from partway.accounts.rate_limits import Limit, LimitReached, Window

from . import events
from .errors import RateLimited
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


# Mails to others that a member sends, as often as they like. No limit stands in the way of an act that causes a mail by
# the way: a cancellation, a booking.
_LIMITED_KINDS = frozenset({"invoice_sent", "quote_sent", "payment_request", "invitation"})
_WINDOW = timedelta(hours=1)


def queue(kind: str, event: Event, recipients: Recipients) -> Mail:
    """Writes the mail's row in the transaction of the event that it is about (DESIGN D6).

    Raises RateLimited when a member sends more than a person does.
    """
    if kind in _LIMITED_KINDS and event.actor_kind == "member":
        _count(kind, event, recipients)
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


def _count(kind: str, event: Event, recipients: Recipients) -> None:
    # By the document and not by the request: one that is canceled and made anew mails the same people. An invitation
    # has none, so the invited address is counted.
    document = event.invoice_id or event.quote_id or f"{event.organization_id} {recipients.to[0].lower()}"
    per_link = settings.PARTWAY_MAILS_PER_LINK
    uses = {
        Limit("mail_link", Window(per_link, _WINDOW), Window(3 * per_link, timedelta(days=1))): (
            f"{kind} {document}"
        ),
        Limit("mail_member", Window(settings.PARTWAY_MAILS_PER_MEMBER, _WINDOW)): event.actor_id,
        Limit("mail_organization", Window(settings.PARTWAY_MAILS_PER_ORGANIZATION, _WINDOW)): (
            event.organization_id
        ),
    }
    try:
        rate_limits.consume(uses, now=event.created_at)
    except LimitReached as reached:
        raise RateLimited(reached.retry_after, reason=reached.limit.action) from reached


def requester(request: PaymentRequest) -> str:
    """Returns the address of the member who made the request, or the organization's once they have left it."""
    # The address of a former member may be read by a stranger, and the mail shows amounts of the organization.
    if request.reply_to and Member.objects.filter(pk=request.requested_by).exists():
        return request.reply_to
    return request.organization.email


def queue_receipt(payment: Payment, event: Event, stages: dict[str, int]) -> None:
    """Queues the receipt to the customer and the notice to the requester; `stages` are its figures in minor units."""
    request, document = payment.payment_request, payment.document
    to = request.to if request else [document.customer.email]
    office = document.organization.email
    asked_by = requester(request) if request else office
    # The figures are frozen with the row: a receipt shows what was true when the money came in, however late it
    # is sent.
    queue("receipt", event, Recipients(to=to, reply_to=asked_by, data=dict(stages)))
    notice = Recipients(to=[asked_by], reply_to=office, data=dict(stages))
    queue("payment_received", event, notice)


def queue_account_mail(user: User, kind: str, *, now: datetime, data: dict[str, Any] | None = None) -> Mail:
    """Writes the row of a mail about signing in, which belongs to a person and to no organization."""
    mail_data = {"user": user.pk, **(data or {})}
    return Mail.objects.create(
        kind=kind, to=[user.email], data=mail_data, created_at=now, next_attempt_at=now
    )


@transaction.atomic
def record_mail_failure(mail: Mail, *, code: str, params: Mapping[str, Any], now: datetime) -> None:
    """Records that a mail will not arrive, on the timeline of its subject."""
    about = mail.payment_request or mail.payment or mail.invoice or mail.quote or mail.organization
    if about is not None:
        events.record(
            "mail.failed",
            about,
            by=CLOCK,
            now=now,
            data={"to": mail.to, "kind": mail.kind, "code": code, "params": dict(params)},
        )
