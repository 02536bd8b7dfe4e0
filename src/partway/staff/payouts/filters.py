"""The filters of the list of payouts and of its files."""

from __future__ import annotations

from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from partway.billing.models import Payout
from partway.billing.models.fields import OrganizationQuerySet
from partway.lib.texts import gettext_noop

from ..context import MemberContext
from ..list_filters import Filtered, Reader, apply_to, one_of, range_label, read_range, shorten

Rows = OrganizationQuerySet[Payout]

STATES: dict[str, str | Promise] = {
    "pending": _("On its way"),
    "paid": _("Paid out"),
    "failed": _("Failed"),
}


def apply_filters(ctx: MemberContext) -> Filtered[Rows]:
    """Applies every filter of the address that can be read to the payouts of this organization."""
    return apply_to(Payout.objects.for_organization(ctx.organization), ctx, FILTERS)


def _read_arrives(rows: Rows, ctx: MemberContext, texts: list[str]) -> tuple[Rows, str]:
    first, last = read_range(texts)
    within = Q(arrives_on__gte=first) if first else Q()
    return rows.filter(within & Q(arrives_on__lte=last) if last else within), range_label(first, last)


# The parts of the address that each filter is made of, and its reader.
FILTERS: dict[tuple[str, ...], Reader[Rows]] = {
    ("state",): one_of(
        STATES,
        gettext_noop("There is no state “%(text)s”."),
        lambda rows, state: rows.filter(status=state),
    ),
    ("arrives_from", "arrives_until"): _read_arrives,
    # One payout, by its id or the gateway's.
    ("payout",): lambda rows, ctx, texts: (
        rows.filter(Q(pk=texts[0]) | Q(gateway_ref=texts[0])),
        shorten(texts[0]),
    ),
}
