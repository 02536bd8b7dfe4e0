"""The audit log of an organization: every event with its actor, newest first."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.utils.translation import gettext_lazy as _

from partway.billing.models import Event

from .. import timeline
from ..context import MemberContext
from ..forms import query_text
from ..list_filters import people

PAGE_ROWS = 50
KINDS = {
    "quote": _("Quotes"),
    "invoice": _("Invoices"),
    "payment_request": _("Payment requests"),
    "payment": _("Payments"),
    "payout": _("Payouts"),
    "credit": _("Credit"),
    "customer": _("Customers"),
    "member": _("Members"),
    "key": _("API keys"),
    "webhook_endpoint": _("Webhooks"),
    "organization": _("Settings"),
    "alert": _("Attention"),
    "mail": _("Mails"),
}
# Actors that are no members, by kind.
_OTHER_ACTORS = {
    "key": _("Programs"),
    "customer": _("Customers"),
    "gateway": _("Payment services"),
    "clock": _("Partway itself"),
    "operator": _("The operator"),
    "visitor": _("Visitors who are not signed in"),
}


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One event of the log; `message` and `detail` are those of the timeline."""

    event: Event
    message: str
    detail: str


def index(ctx: MemberContext) -> HttpResponse:
    """Filters by actor and kind; a link that starts after the last row leads to older events."""
    wanted = {name: query_text(ctx.request.GET, name) for name in ("by", "kind", "before")}
    found = list(_filtered(ctx, wanted)[: PAGE_ROWS + 1])
    context = {
        "rows": [
            AuditRow(event, timeline.message(event), timeline.detail(event)) for event in found[:PAGE_ROWS]
        ],
        "older": found[PAGE_ROWS - 1].pk if len(found) > PAGE_ROWS else "",
        # Every possible actor: members, former members, and actors that are no members.
        "people": [*people(ctx).items(), *((kind, str(label)) for kind, label in _OTHER_ACTORS.items())],
        "kinds": list(KINDS.items()),
        **wanted,
    }
    return ctx.render("staff/audit.html", context)


def _filtered(ctx: MemberContext, wanted: dict[str, str]) -> QuerySet[Event]:
    rows = Event.objects.for_organization(ctx.organization).select_related(
        "invoice", "quote", "customer", "payment", "payment_request"
    )
    if wanted["kind"] in KINDS:
        rows = rows.filter(type__startswith=f"{wanted['kind']}.")
    if wanted["by"] in _OTHER_ACTORS:
        rows = rows.filter(actor_kind=wanted["by"])
    elif wanted["by"]:
        rows = rows.filter(actor_id=wanted["by"])
    last = Event.objects.for_organization(ctx.organization).filter(pk=wanted["before"]).first()
    if last is not None:
        older = Q(created_at__lt=last.created_at) | Q(created_at=last.created_at, pk__lt=last.pk)
        rows = rows.filter(older)
    return rows.order_by("-created_at", "-pk")
