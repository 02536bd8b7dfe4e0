"""The first page of an organization: amounts due, amounts collected, open requests and overdue invoices."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Count, Exists, F, OuterRef, QuerySet, Sum
from django.db.models.functions import Coalesce
from django.http import HttpResponse

from partway.billing.models import Invoice, Payment, PaymentRequest, Refund
from partway.billing.models.invoices import AMOUNT_DUE_MINOR, InvoiceStatus
from partway.billing.snapshots import snapshot
from partway.lib.money import Money

from ..context import MemberContext
from ..invoice_rows import with_open_requests
from ..keyset_pages import MAX_COUNTED
from . import first_steps

_SENT = [status for status in InvoiceStatus.values if status != InvoiceStatus.DRAFT]
_KEPT_FOR = timedelta(minutes=1)
_MAX_KEPT = 1_000  # organizations of which a process keeps figures


@dataclass(frozen=True, slots=True)
class Figure:
    """A count of rows and their sums, one per currency, the organization's own first."""

    count: int
    amounts: list[Money]


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of one moment."""

    at: datetime
    due: Figure
    overdue: Figure
    requested: Figure
    in_transit: Figure
    collected: Figure
    given_back: Figure


# Of organizations whose figures are sums of many rows (docs/decisions/0072-bounded-work-of-a-page.md), by their ids.
_kept: dict[str, Figures] = {}


def show(ctx: MemberContext) -> HttpResponse:
    """Figures, open requests and overdue invoices; before the first payment also the first steps."""
    mine = Invoice.objects.filter(organization=ctx.organization)
    requests = PaymentRequest.objects.for_organization(ctx.organization).filter(status="open")
    # Also a request beside a payment of the whole invoice is not to be reminded of.
    being_paid = Exists(Payment.objects.committed().filter(invoice=OuterRef("invoice")))
    newest_requests = requests.annotate(being_paid=being_paid).select_related("invoice__customer")
    overdue_first = with_open_requests(mine.overdue(ctx.today)).order_by("due_on", "id")
    with snapshot():  # the figures are of the rows that are shown, and of one another
        figures = _figures(ctx)
        context = {
            "figures": figures,
            "is_kept": figures.at != ctx.now,
            "open_requests": list(newest_requests.order_by("-created_at", "-id")[:6]),
            "overdue_invoices": list(overdue_first[:6]),
            "onboarding": first_steps.onboarding(ctx),
            "has_sent": mine.filter(status__in=_SENT).exists(),
        }
    return ctx.render("staff/overview.html", context)


def _figures(ctx: MemberContext) -> Figures:
    """Adds up all figures; those of many rows at most once in _KEPT_FOR in each process."""
    kept = _kept.get(ctx.organization.pk)
    if kept and ctx.now - _KEPT_FOR < kept.at <= ctx.now:
        return kept
    mine = Invoice.objects.filter(organization=ctx.organization)
    requests = PaymentRequest.objects.for_organization(ctx.organization).filter(status="open")
    in_transit = Payment.objects.committed().filter(organization=ctx.organization, status="processing")
    collected, given_back = _collected(ctx)
    figures = Figures(
        at=ctx.now,
        due=_figure(ctx, mine.due().annotate(minor=AMOUNT_DUE_MINOR)),
        overdue=_figure(ctx, mine.overdue(ctx.today).annotate(minor=AMOUNT_DUE_MINOR)),
        requested=_figure(ctx, requests.annotate(minor=F("amount_requested_minor"))),
        in_transit=_figure(ctx, in_transit.annotate(minor=F("amount_minor"))),
        collected=collected,
        given_back=given_back,
    )
    if figures.due.count + figures.requested.count + collected.count + given_back.count > MAX_COUNTED:
        if len(_kept) >= _MAX_KEPT:
            _kept.clear()
        _kept[ctx.organization.pk] = figures
    return figures


def _figure(ctx: MemberContext, *parts: QuerySet[Any], currency: str = "currency") -> Figure:
    """Adds up the annotation `minor` of the rows of all parts by the column `currency`."""
    count = 0
    sums: dict[str, int] = {}
    for rows in parts:
        each = rows.order_by().values(currency).annotate(how_many=Count("*"), sum_minor=Sum("minor"))
        for row in each:
            count += row["how_many"]
            sums[row[currency]] = sums.get(row[currency], 0) + row["sum_minor"]
    own = ctx.organization.currency
    found = sorted(sums, key=lambda code: (code != own, code)) or [own]
    return Figure(count, [Money(sums.get(code, 0), code) for code in found])


def _collected(ctx: MemberContext) -> tuple[Figure, Figure]:
    """Payments since the first of the month where the organization is (D7), less what was given back; and that (M8).

    An offline payment counts on the day it was paid, whenever it was recorded, and a refund on the day it was given
    back, whenever its payment came: where more went back than came in, the figure is below zero. Credit that is applied
    to an invoice was counted when it was paid, and a reversed payment does not count.
    """
    first = ctx.today.replace(day=1)
    midnight = datetime.combine(first, time(), ZoneInfo(ctx.organization.time_zone))
    received: QuerySet[Any] = Payment.objects.succeeded().filter(organization=ctx.organization)
    received = received.annotate(minor=F("captured_minor"), moment=Coalesce("settled_at", "created_at"))
    # Apart, as an index has each; what came in has a moment at which it was settled.
    offline, online = received.filter(paid_on__gte=first), received.filter(paid_on=None, moment__gte=midnight)
    came = _figure(ctx, offline, online, currency="captured_currency")
    refunds = Refund.objects.succeeded().filter(organization=ctx.organization, refunded_on__gte=first)
    went = _figure(ctx, refunds.annotate(minor=F("amount_minor")))
    net = {amount.currency: amount for amount in came.amounts}
    for amount in went.amounts if went.count else ():
        net[amount.currency] = net.get(amount.currency, Money(0, amount.currency)) - amount
    return Figure(came.count, list(net.values())), went
