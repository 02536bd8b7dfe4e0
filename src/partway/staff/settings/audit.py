"""The audit log of an organization: every event with its actor, newest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import HttpResponse
from django.utils.translation import gettext_lazy as _

from partway.billing.models import Event

from .. import timeline
from ..context import MemberContext
from ..forms import query_text
from ..keyset_pages import Order, Readable, Stream, few_or_walked, read_page
from ..list_filters import people

_NEWEST = Order(("-created_at", "-id"), is_whole=True)
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
_ALONE = ("clock", "operator", "visitor")  # of whom there is one
_OF_MANY = ("key", "customer", "gateway")


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One event of the log; `message` and `detail` are those of the timeline."""

    event: Event
    message: str
    detail: str


def index(ctx: MemberContext) -> HttpResponse:
    """Filters by actor and kind, and paginates."""
    wanted = {name: query_text(ctx.request.GET, name) for name in ("by", "kind")}
    related = ("invoice", "quote", "customer", "payment", "payment_request")
    page = read_page(
        ctx.request,
        _streams(ctx, **wanted),
        _NEWEST,
        count=None,
        fetch=lambda ids: Event.objects.select_related(*related).in_bulk(ids),
    )
    context = {
        "page": page,
        "rows": [AuditRow(event, timeline.message(event), timeline.detail(event)) for event in page.entries],
        # Every possible actor: members, former members, and actors that are no members.
        "people": [*people(ctx).items(), *((kind, str(label)) for kind, label in _OTHER_ACTORS.items())],
        "kinds": list(KINDS.items()),
        **wanted,
    }
    return ctx.render("staff/audit.html", context)


def _streams(ctx: MemberContext, *, by: str, kind: str) -> Sequence[Readable]:
    """Returns the events of an actor, of a kind or both, as an index has them; else all."""
    mine = Event.objects.for_organization(ctx.organization)
    of_kind, chosen = [mine], mine
    if kind in KINDS:
        every = Event.objects.types(ctx.organization)
        types = [name for name in every if name.startswith(f"{kind}.")]
        of_kind, chosen = [mine.filter(type=name) for name in types], mine.filter(type__in=types)
    elif by in _ALONE:
        of_kind = [mine.filter(actor_kind=by, actor_id="")]
    elif by and by not in _OTHER_ACTORS:  # only an actor of these kinds is one of many
        of_kind = [mine.filter(actor_kind=each, actor_id=by) for each in ("member", "key")]
    walked = [Stream(rows) for rows in of_kind]
    if not by or (kind not in KINDS and by not in _OF_MANY):
        return walked
    by_id = {"actor_kind__in": ("member", "key"), "actor_id": by}
    acted = {"actor_kind": by} if by in _OTHER_ACTORS else by_id
    return few_or_walked(chosen.filter(**acted), [mine.filter(**acted), chosen], walked=walked)[0]
