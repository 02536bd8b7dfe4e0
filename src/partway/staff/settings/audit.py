"""Who did what and when in this organization: every event, newest first."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q, QuerySet
from django.http import HttpResponse

from partway.billing.models import Event

from .. import timeline
from ..context import MemberContext
from ..forms import strip_nul

PAGE_ROWS = 50
KINDS = {
    "quote": "Quotes",
    "invoice": "Invoices",
    "payment_request": "Payment requests",
    "payment": "Payments",
    "credit": "Credit",
    "customer": "Customers",
    "member": "Members",
    "organization": "Settings",
    "alert": "Attention",
    "mail": "Mails",
}
# Besides members, who a person is not: named by what caused the change.
_OTHERS = {
    "customer": "Customers",
    "gateway": "Payment services",
    "clock": "Partway itself",
    "operator": "The operator",
}


@dataclass(frozen=True, slots=True)
class Row:
    """An event as the list shows it."""

    event: Event
    message: str
    detail: str


def index(ctx: MemberContext) -> HttpResponse:
    """Narrow by person and kind; older ones by a link that starts after the last row."""
    wanted = {name: strip_nul(ctx.request.GET.get(name, "")) for name in ("by", "kind", "before")}
    found = list(_narrowed(ctx, wanted)[: PAGE_ROWS + 1])
    context = {
        "rows": [Row(event, timeline.message(event), timeline.detail(event)) for event in found[:PAGE_ROWS]],
        "older": found[PAGE_ROWS - 1].pk if len(found) > PAGE_ROWS else "",
        "people": _people(ctx),
        "kinds": list(KINDS.items()),
        **wanted,
    }
    return ctx.render("staff/audit.html", context)


def _narrowed(ctx: MemberContext, wanted: dict[str, str]) -> QuerySet[Event]:
    rows = Event.objects.for_organization(ctx.organization).select_related(
        "invoice", "quote", "customer", "payment", "payment_request"
    )
    if wanted["kind"] in KINDS:
        rows = rows.filter(type__startswith=f"{wanted['kind']}.")
    if wanted["by"] in _OTHERS:
        rows = rows.filter(actor_kind=wanted["by"])
    elif wanted["by"]:
        rows = rows.filter(actor_id=wanted["by"])
    last = Event.objects.for_organization(ctx.organization).filter(pk=wanted["before"]).first()
    if last is not None:
        older = Q(created_at__lt=last.created_at) | Q(created_at=last.created_at, pk__lt=last.pk)
        rows = rows.filter(older)
    return rows.order_by("-created_at", "-pk")


def _people(ctx: MemberContext) -> list[tuple[str, str]]:
    """(id, name) of everybody who could have done something: members, those who left, and what is no person."""
    here = {member.pk: member.user.name for member in ctx.organization.members.select_related("user")}
    left = (
        Event.objects.for_organization(ctx.organization)
        .filter(type="member.removed")
        .values_list("data", flat=True)
    )
    gone = {str(data["member"]): f"{data['name']} (left)" for data in left if "member" in data}
    return [*sorted({**gone, **here}.items(), key=lambda item: item[1].lower()), *_OTHERS.items()]
