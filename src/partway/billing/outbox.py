"""Mails as rows, queued in the transaction of the change; delivery/mail/kinds decides the rest when they are sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction

from partway.accounts import rate_limits
from partway.accounts.models import Member, Role, User
from partway.accounts.prepared import Prepared, insert
from partway.accounts.rate_limits import Limit, LimitReached, Window
from partway.lib.email_addresses import distinct_addresses, same_address

from . import events
from .errors import RateLimited
from .events import CLOCK
from .models import Dispute, Event, Invoice, Mail, Payment, PaymentRequest, Quote, Refund


@dataclass(frozen=True, slots=True)
class Recipients:
    """To whom a mail goes; `data` holds the figures it must show, in minor units, and never a link."""

    to: Sequence[str]
    cc: Sequence[str] = ()
    bcc: Sequence[str] = ()
    reply_to: str = ""
    data: dict[str, Any] = field(default_factory=dict)


# Mails to others that a member or a program sends, as often as they like. No limit stands in the way of an act that
# causes a mail by the way: a cancellation, a booking.
_LIMITED_KINDS = frozenset({"invoice_sent", "quote_sent", "payment_request", "statement", "invitation"})
# A receipt is queued by a booking, and limited only where a member sends it again.
_LIMITED_EVENTS = frozenset({"payment.receipt_resent"})
_WINDOW = timedelta(hours=1)

_members = Prepared(lambda pk: Member.objects.filter(pk=pk))


def queue(kind: str, event: Event, recipients: Recipients) -> Mail:
    """Writes the mail's row in the transaction of the event that it is about (DESIGN D6).

    Raises RateLimited when a member sends more than a person does, or a program more than an organization may.
    """
    return queue_all(event, {kind: recipients})[0]


def queue_all(event: Event, recipients: Mapping[str, Recipients]) -> list[Mail]:
    """Writes one mail for each kind, in one statement; raises RateLimited as `queue` does."""
    mails = []
    for kind, each in recipients.items():
        is_limited = kind in _LIMITED_KINDS or event.type in _LIMITED_EVENTS
        if is_limited and event.actor_kind in ("member", "key"):
            _count(kind, event, each)
        mails.append(
            Mail(
                kind=kind,
                event=event,
                organization_id=event.organization_id,
                invoice_id=event.invoice_id,
                quote_id=event.quote_id,
                payment_request_id=event.payment_request_id,
                payment_id=event.payment_id,
                to=list(each.to),
                cc=list(each.cc),
                bcc=list(each.bcc),
                reply_to=each.reply_to,
                data=each.data,
                created_at=event.created_at,
                next_attempt_at=event.created_at,
            )
        )
    insert(*mails)
    return mails


def _count(kind: str, event: Event, recipients: Recipients) -> None:
    # By the document and not by the request: one that is canceled and made anew mails the same people. An invitation
    # and a statement of account have none, so their first address is counted.
    document = event.invoice_id or event.quote_id or f"{event.organization_id} {recipients.to[0].lower()}"
    per_link = settings.PARTWAY_MAILS_PER_LINK
    uses = {
        Limit("mail_link", Window(per_link, _WINDOW), Window(3 * per_link, timedelta(days=1))): (
            f"{kind} {document}"
        ),
        Limit("mail_organization", Window(settings.PARTWAY_MAILS_PER_ORGANIZATION, _WINDOW)): (
            event.organization_id
        ),
    }
    if event.actor_kind == "member":  # a program sends as much as all members of its organization together
        uses[Limit("mail_member", Window(settings.PARTWAY_MAILS_PER_MEMBER, _WINDOW))] = event.actor_id
    try:
        rate_limits.consume(uses, now=event.created_at)
    except LimitReached as reached:
        raise RateLimited(reached.retry_after, reason=reached.limit.action) from reached


def requester(request: PaymentRequest) -> str:
    """Returns the address of the member who made the request, or the organization's once they have left it."""
    # The address of a former member may be read by a stranger, and the mail shows amounts of the organization.
    if request.reply_to and _members.first(request.requested_by) is not None:
        return request.reply_to
    return request.organization.email


def receipt_recipients(
    document: Invoice | Quote, request: PaymentRequest | None = None
) -> tuple[list[str], list[str]]:
    """Returns To and Cc of the receipt of a payment: the customer, and those whom the money was asked of.

    request: the one that was paid. Without it, the last request of the invoice counts, unless it was paid by itself or
    withdrawn by a member; else the last mail that the document was sent with.
    """
    if request is None and document.kind == "invoice":
        last = document.payment_requests.order_by("created_at", "id").last()
        withdrawn = last is not None and (last.status == "paid" or last.cancel_reason == "by_member")
        request = None if withdrawn else last
    asked: PaymentRequest | Mail | None = request
    if asked is None:
        # The address of the customer may have changed since, while their contact pays by the link of this mail. A mail
        # that did not arrive does not count.
        sent = document.mails.filter(kind=f"{document.kind}_sent", status__in=("queued", "sent"))
        asked = sent.order_by("created_at", "id").last()
    if asked is None:
        return [document.customer.email], []
    to, cc = distinct_addresses(document.customer.email, *asked.to), distinct_addresses(*asked.cc)
    return to, [address for address in cc if not any(same_address(address, other) for other in to)]


def queue_receipt(
    payment: Payment, event: Event, stages: dict[str, int], *, is_announced: bool = False
) -> Mail:
    """Queues and returns the receipt; `stages` are its figures in minor units, as they were when the money came in.

    is_announced: with the notice that the payment came in, to whom the receipt is answered.
    """
    request, office = payment.payment_request, payment.document.organization.email
    to, cc = receipt_recipients(payment.document, request)
    reply_to = requester(request) if request else office
    # The figures are frozen with the row, however late it is sent.
    mails = {"receipt": Recipients(to=to, cc=cc, reply_to=reply_to, data=dict(stages))}
    if is_announced:
        mails["payment_received"] = Recipients(to=[reply_to], reply_to=office, data=dict(stages))
    return queue_all(event, mails)[0]


def queue_unwanted_debit(payment: Payment, event: Event, *, is_final: bool) -> None:
    """Queues the mails to the customer and to the requester that a bank moves money that is not needed any more.

    is_final: whether its success is, so that the money is sent back by itself then; else it becomes credit.
    """
    request, office = payment.payment_request, payment.document.organization.email
    to, cc = receipt_recipients(payment.document, request)
    member = requester(request) if request else office
    debit = Recipients(to=to, cc=cc, reply_to=member, data={"is_final": is_final})
    queue_all(event, {"debit_not_needed": debit, "unwanted_debit": Recipients(to=[member], reply_to=office)})


def queue_payment_failure(payment: Payment, event: Event) -> None:
    """Queues the mails to the customer and to the requester that a payment failed that a bank was moving."""
    request, office = payment.payment_request, payment.document.organization.email
    to, cc = receipt_recipients(payment.document, request)
    member = requester(request) if request else office
    failure = Recipients(to=to, cc=cc, reply_to=member)
    notice = Recipients(to=[member], reply_to=office)
    queue_all(event, {"payment_failed": failure, "payment_failed_notice": notice})


def queue_refund_notice(refund: Refund, event: Event) -> None:
    """Queues the mail to the customer that money is on its way back to them."""
    payment = refund.payment
    to, cc = receipt_recipients(payment.document, payment.payment_request)
    reply_to = payment.document.organization.email
    queue("refund", event, Recipients(to=to, cc=cc, reply_to=reply_to, data={"refund": refund.pk}))


def queue_refund_failure(refund: Refund, event: Event, figures: Mapping[str, int]) -> None:
    """Queues the notice that a refund failed: to the member who made it, else to the organization.

    figures: how much of it is back on the invoice, and how much is credit, in minor units.
    """
    payment, office = refund.payment, refund.payment.document.organization.email
    started = payment.events.filter(type="refund.started", data__refund=refund.pk).first()
    made_by = Member.objects.select_related("user").filter(pk=started.actor_id).first() if started else None
    to = made_by.user.email if made_by else office
    data = {"refund": refund.pk, **figures}
    queue("refund_failed", event, Recipients(to=[to], reply_to=office, data=data))


def queue_refund_withdrawal(refund: Refund, event: Event, figures: Mapping[str, int]) -> None:
    """Queues the mail to the customer that a refund which was announced to them failed; `figures` as above."""
    payment = refund.payment
    to, cc = receipt_recipients(payment.document, payment.payment_request)
    office, data = payment.document.organization.email, {"refund": refund.pk, **figures}
    queue("refund_not_received", event, Recipients(to=to, cc=cc, reply_to=office, data=data))


def queue_dispute_notice(dispute: Dispute, event: Event, kind: str) -> None:
    """Queues a notice about a dispute to the organization: dispute_opened, dispute_reminder or dispute_closed."""
    office = dispute.payment.document.organization.email
    queue(kind, event, Recipients(to=[office], reply_to=office, data={"dispute": dispute.pk}))


def queue_debit_return(dispute: Dispute, event: Event) -> None:
    """Queues the mail to the customer that their bank returned a debit after it had settled."""
    payment = dispute.payment
    request, office = payment.payment_request, payment.document.organization.email
    to, cc = receipt_recipients(payment.document, request)
    reply_to = requester(request) if request else office
    queue("debit_returned", event, Recipients(to=to, cc=cc, reply_to=reply_to, data={"dispute": dispute.pk}))


def queue_to_owners(kind: str, event: Event, data: dict[str, Any]) -> None:
    """Queues a notice to each owner of the event's organization."""
    owners = Member.objects.filter(
        organization=event.organization_id, role=Role.OWNER, user__is_active=True
    ).select_related("user")
    for owner in owners.order_by("pk"):
        queue(kind, event, Recipients(to=[owner.user.email], data=data))


def redirect_member_mails(member: Member) -> None:
    """Gives the queued notices to a member who leaves to the organization: a stranger may read their address next."""
    Mail.objects.filter(
        organization=member.organization_id,
        status="queued",
        kind__in=(
            *("payment_received", "payment_request_ended", "refund_failed"),
            *("unwanted_debit", "payment_failed_notice"),
        ),
        to=[member.user.email],
    ).update(to=[member.organization.email])


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
