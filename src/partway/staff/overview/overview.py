"""The first page of an organization: amounts due, amounts collected, open requests and overdue invoices."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Sum
from django.http import HttpResponse

from partway.billing.models import Invoice, Payment, PaymentRequest, Refund
from partway.billing.models.invoices import AMOUNT_DUE_MINOR
from partway.billing.snapshots import snapshot
from partway.lib.money import Money

from ..context import MemberContext
from ..invoice_rows import with_open_requests
from . import first_steps


@dataclass(frozen=True, slots=True)
class Figure:
    """A count of rows and their sums, one per currency, the organization's own first."""

    count: int
    amounts: list[Money]


def show(ctx: MemberContext) -> HttpResponse:
    """Figures, open requests and overdue invoices; before the first payment also the first steps."""
    mine = Invoice.objects.filter(organization=ctx.organization)
    requests = PaymentRequest.objects.for_organization(ctx.organization).filter(status="open")
    committed = Payment.objects.committed().filter(organization=ctx.organization)
    # Also a request beside a payment of the whole invoice is not to be reminded of.
    being_paid = Exists(committed.filter(invoice=OuterRef("invoice")))
    newest_requests = requests.annotate(being_paid=being_paid).select_related("invoice__customer")
    overdue_first = with_open_requests(mine.overdue(ctx.today)).order_by("due_on", "id")
    in_transit = committed.filter(status="processing").annotate(minor=F("amount_minor"))
    with snapshot():  # the figures are of the rows that are shown, and of one another
        collected, given_back = _collected(ctx)
        context = {
            "due": _figure(ctx, mine.due().annotate(minor=AMOUNT_DUE_MINOR)),
            "overdue": _figure(ctx, mine.overdue(ctx.today).annotate(minor=AMOUNT_DUE_MINOR)),
            "requested": _figure(ctx, requests.annotate(minor=F("amount_requested_minor"))),
            "in_transit": _figure(ctx, in_transit),
            "collected": collected,
            "given_back": given_back,
            "open_requests": list(newest_requests.order_by("-created_at", "-id")[:6]),
            "overdue_invoices": list(overdue_first[:6]),
            "onboarding": first_steps.onboarding(ctx),
            "has_sent": mine.exclude(status="draft").exists(),
        }
    return ctx.render("staff/overview.html", context)


def _figure(ctx: MemberContext, rows: QuerySet[Any], *, currency: str = "currency") -> Figure:
    """Adds up the annotation `minor` of the rows by the column `currency`."""
    sums = rows.order_by().values(currency).annotate(how_many=Count("pk"), sum_minor=Sum("minor"))
    own = ctx.organization.currency
    found = sorted(sums, key=lambda row: (row[currency] != own, row[currency]))
    amounts = [Money(row["sum_minor"], row[currency]) for row in found]
    return Figure(sum(row["how_many"] for row in found), amounts or [Money(0, own)])


def _collected(ctx: MemberContext) -> tuple[Figure, Figure]:
    """Payments since the first of the month where the organization is (D7), less what was given back; and that (M8).

    An offline payment counts on the day it was paid, whenever it was recorded, and a refund on the day it was given
    back, whenever its payment came: where more went back than came in, the figure is below zero. Credit that is applied
    to an invoice was counted when it was paid, and a reversed payment does not count.
    """
    first = ctx.today.replace(day=1)
    midnight = datetime.combine(first, time(), ZoneInfo(ctx.organization.time_zone))
    this_month = Q(paid_on__gte=first) | Q(paid_on__isnull=True, settled_at__gte=midnight)
    received = Payment.objects.succeeded().filter(this_month, organization=ctx.organization)
    came = _figure(ctx, received.annotate(minor=F("captured_minor")), currency="captured_currency")
    refunds = Refund.objects.succeeded().filter(organization=ctx.organization, refunded_on__gte=first)
    went = _figure(ctx, refunds.annotate(minor=F("amount_minor")))
    net = {amount.currency: amount for amount in came.amounts}
    for amount in went.amounts if went.count else ():
        net[amount.currency] = net.get(amount.currency, Money(0, amount.currency)) - amount
    return Figure(came.count, list(net.values())), went
