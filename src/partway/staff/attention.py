"""What no rule can settle, until a member says it is dealt with."""

from __future__ import annotations

from django.http import HttpResponse

from partway.billing import flags
from partway.billing.models import Flag

from .access import find
from .visit import Visit


def index(visit: Visit) -> HttpResponse:
    """What waits, and what was dealt with lately."""
    mine = Flag.objects.of(visit.organization).select_related("invoice__customer")
    context = {
        "waiting": mine.filter(resolved_at__isnull=True).order_by("-created_at"),
        "resolved": mine.filter(resolved_at__isnull=False).order_by("-resolved_at")[:20],
    }
    return visit.render("staff/attention.html", context)


def resolve(visit: Visit, flag_id: str) -> HttpResponse:
    """Take it off the list; asking again changes nothing."""
    flag = find(visit, Flag.objects.all(), flag_id)
    if visit.posted:
        flags.resolve(flag, by=visit.actor, now=visit.now)
    return visit.go(visit.url("attention"), said="Marked as dealt with." if visit.posted else "")
