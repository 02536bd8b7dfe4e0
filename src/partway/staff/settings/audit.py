"""The audit log of an organization: every event with its actor, newest first."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from partway.billing.models import Event
from partway.lib.natural_sort import sort_key

from .. import timeline
from ..context import MemberContext
from ..forms import query_text

PAGE_ROWS = 50
KINDS = {
    "quote": _("Quotes"),
    "invoice": _("Invoices"),
    "payment_request": _("Payment requests"),
    "payment": _("Payments"),
    "credit": _("Credit"),
    "customer": _("Customers"),
    "member": _("Members"),
    "organization": _("Settings"),
    "alert": _("Attention"),
    "mail": _("Mails"),
}
# Actors that are no members, by kind.
_OTHER_ACTORS = {
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
        "people": _people(ctx),
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


def _people(ctx: MemberContext) -> list[tuple[str, str]]:
    """(id, name) of every possible actor: members, former members, and actors that are no members."""
    here = {member.pk: member.user.name for member in ctx.organization.members.select_related("user")}
    left = (
        Event.objects.for_organization(ctx.organization)
        .filter(type="member.removed")
        .values_list("data", flat=True)
    )
    gone = {
        str(data["member"]): gettext("%(name)s (left)") % {"name": data["name"]}
        for data in left
        if "member" in data
    }
    return [
        *sorted({**gone, **here}.items(), key=lambda item: (sort_key(item[1]), item[0])),
        *((kind, str(label)) for kind, label in _OTHER_ACTORS.items()),
    ]
