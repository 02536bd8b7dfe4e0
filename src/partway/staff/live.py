"""Pages that follow what happens: the version of the page of an invoice or a quote, and the payment that is under way.

A script of the page asks for it again and again, so the question whether anything has changed is one statement
beside those of the access (docs/decisions/0046).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from django.db.models import Count, Exists, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import Http404, HttpResponse, HttpResponseBase
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag

from partway.accounts.prepared import PreparedValues
from partway.billing.checkouts.payability import CHECKOUT_LIFETIME
from partway.billing.models import Event, Invoice, Mail, MailAttempt, Payment, PaymentRequest, Quote

from .context import MemberContext
from .forms import strip_nul

# Columns that may change through another document, without an event of this one.
_COLUMNS: dict[type[Invoice | Quote], tuple[str, ...]] = {
    Invoice: ("status", "version", "amount_paid_minor", "adjusted_minor"),
    Quote: ("status", "version"),
}
_COUNTS = ("events", "mails", "attempts", "queued", "unsettled", "at_checkout", "expired")
_FOLLOWED_STATUSES = {Invoice: ("sent",), Quote: ("sent", "accepted")}


@dataclass(frozen=True, slots=True)
class LivePage:
    """The state of a document as one member sees it: `etag` is another one whenever the page would be.

    `is_followed` is False where nothing more is expected to happen by itself.
    """

    url: str
    etag: str
    is_followed: bool


def live_page(ctx: MemberContext, model: type[Invoice | Quote], row_id: str) -> LivePage:
    """Returns the state of a document of this organization, in one statement; raises Http404 for another one's."""
    noun = model.kind
    values = (strip_nul(row_id), ctx.organization.pk, ctx.now - CHECKOUT_LIFETIME, ctx.now)
    rows = _state_of(model).all(*values)
    if not rows:
        raise Http404
    found = dict(zip((*_COLUMNS[model], *_COUNTS), rows[0], strict=True))
    is_busy = found["queued"] or found["unsettled"]
    return LivePage(
        url=ctx.url(f"{noun}_live", row_id),
        etag=quote_etag("-".join(str(part) for part in (ctx.member.role, *found.values()))),
        is_followed=found["status"] in _FOLLOWED_STATUSES[model] or bool(is_busy),
    )


@cache
def _state_of(model: type[Invoice | Quote]) -> PreparedValues:
    """Returns the query of a document by its id, its organization, the start of the oldest open checkout, and now."""
    noun = model.kind
    mine = {noun: OuterRef("pk")}
    mails, payments = Mail.objects.filter(**mine), Payment.objects.filter(**mine)

    def rows(
        row_id: Any, organization_id: Any, checkouts_since: Any, now: Any
    ) -> QuerySet[Any, tuple[Any, ...]]:
        # Each transition writes an event; a mail has none of its own while it is queued, tried and sent.
        counts: dict[str, Any] = {
            "events": _count(Event.objects.filter(**mine), noun),
            "mails": _count(mails, noun),
            "attempts": _count(
                MailAttempt.objects.filter(**{f"mail__{noun}": OuterRef("pk")}), f"mail__{noun}"
            ),
            "queued": _count(mails.filter(status="queued"), noun),
            "unsettled": Exists(payments.unsettled()),
            # These two change with the time alone.
            "at_checkout": Exists(payments.filter(status="pending", created_at__gt=checkouts_since)),
            "expired": Exists(
                PaymentRequest.objects.open().filter(invoice=OuterRef("pk"), expires_at__lte=now)
            ),
        }
        document = model.objects.filter(pk=row_id, organization=organization_id)
        counted = document.annotate(**{f"live_{name}": counts[name] for name in _COUNTS})
        return counted.values_list(*_COLUMNS[model], *(f"live_{name}" for name in _COUNTS))

    return PreparedValues(rows)


def _count(rows: QuerySet[Any], of: str) -> Coalesce:
    return Coalesce(Subquery(rows.order_by().values(of).annotate(count=Count("pk")).values("count")), 0)


def response(
    ctx: MemberContext,
    model: type[Invoice | Quote],
    row_id: str,
    show: Callable[[MemberContext, str], HttpResponse],
) -> HttpResponseBase:
    """Returns what the script of a page asked for: 304 where its version is still that of the document.

    Else the page by `show`, whose template extends `ctx.page_frame`; or with ?part=payment only the note of a dialog.
    """
    page = live_page(ctx, model, row_id)
    unchanged = get_conditional_response(ctx.request, etag=page.etag)
    if unchanged is not None:
        return unchanged
    if ctx.request.GET.get("part") == "payment":
        document = model.objects.get(pk=strip_nul(row_id))
        payment = payment_under_way(document, now=ctx.now)
        return ctx.render("staff/parts/live_payment.html", {"live": page, "payment": payment})
    return show(ctx, row_id)


def payment_under_way(document: Invoice | Quote, *, now: datetime) -> Payment | None:
    """Returns the payment that the customer may be making now, or that is being processed; None where there is none.

    A checkout ends with its lifetime, and one that is being closed can hardly be paid any more.
    """
    payment = document.payments.under_way().exclude(status__in=("closing", "releasing")).first()
    if payment is None or (payment.status == "pending" and payment.created_at <= now - CHECKOUT_LIFETIME):
        return None
    return payment
