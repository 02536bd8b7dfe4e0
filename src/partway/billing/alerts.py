"""Raises and resolves what a human must look at."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from . import events
from .errors import Invalid, Stale
from .events import CLOCK, Actor
from .models import Alert, Payment
from .models.payments import UNSETTLED

MAX_RESOLUTION_LENGTH = 300

# These end by themselves with their trouble: nobody has to say that a gateway answers again.
AUTO_RESOLVED_KINDS = ("gateway_refused", "payment_unsettled", "gateway_list_unavailable")
# While it lasts it comes back, for what a member did about it did not help; but not while they wait for the answer.
_QUIET = timedelta(days=1)


def raise_for_payment(kind: str, payment: Payment, *, message: str, now: datetime) -> None:
    """Put a payment on the Attention page, once per kind, in words that say what happened and what to do."""
    about = {"payment": payment, "invoice_id": payment.invoice_id}
    _raise(kind, payment.pk, payment.organization_id, message, now, about)


def raise_for_organization(
    kind: str, subject: str, organization_id: str, *, message: str, now: datetime
) -> None:
    """The same for what belongs to no payment of ours; `subject` is what it is about, so that it is raised once."""
    _raise(kind, subject, organization_id, message, now, {})


def _raise(
    kind: str, subject: str, organization_id: str, message: str, now: datetime, about: dict[str, Any]
) -> None:
    """One stands open per kind and subject, and says the latest; what was dealt with comes back only as something new.

    The words name the amounts, so other words are another fact: a second refund after the first was dealt with. Trouble
    that passes is told again a day after it was dealt with, in whatever words.
    """
    message = message[:400]
    same = Alert.objects.filter(kind=kind, subject=subject)
    if same.filter(resolved_at__isnull=True).update(message=message):
        return
    last = same.order_by("-resolved_at", "-id").first()
    if last is not None and _is_told(last, message, now):
        return
    columns = {"organization_id": organization_id, "message": message, "created_at": now, **about}
    Alert.objects.get_or_create(kind=kind, subject=subject, resolved_at=None, defaults=columns)


def _is_told(last: Alert, message: str, now: datetime) -> bool:
    """Whether what was dealt with last says all that there is to say."""
    if last.kind in AUTO_RESOLVED_KINDS:
        return last.resolved_at is not None and now < last.resolved_at + _QUIET
    return last.message == message


@transaction.atomic
def resolve(alert: Alert, *, shown: str, by: Actor, now: datetime, resolution: str = "") -> None:
    """It is dealt with; the event says by whom, what it was about, and what was done. Raises Invalid, Stale.

    `shown` is the edition that was looked at: an open flag goes on telling the latest, and nobody deals with what they
    never saw. What is dealt with already stays as it is.
    """
    resolution = resolution.strip()
    if len(resolution) > MAX_RESOLUTION_LENGTH:
        raise Invalid({"resolution": f"Use at most {MAX_RESOLUTION_LENGTH} characters."})
    columns = {"resolved_at": now, "resolved_by": by.label, "resolution": resolution}
    still_open = Alert.objects.filter(pk=alert.pk, resolved_at__isnull=True)
    if shown == alert.message_digest and still_open.filter(message=alert.message).update(**columns):
        about = alert.payment or alert.invoice or alert.organization
        data = {"kind": alert.kind, "message": alert.message, "resolution": resolution}
        events.record("alert.resolved", about, by=by, now=now, data=data)
    elif still_open.exists():
        raise Stale("More has happened since you opened this page. Read what it says now, then mark it.")


def auto_resolve_settled(*, now: datetime, limit: int = 20) -> int:
    """Resolve flags about payments that were stuck and are settled now; answers how many."""
    stuck = Alert.objects.filter(
        resolved_at__isnull=True, kind__in=AUTO_RESOLVED_KINDS, payment__isnull=False
    )
    over = stuck.exclude(payment__status__in=UNSETTLED).select_related("payment")[:limit]
    for alert in over:
        _end(alert, "The payment is settled now.", now)
    return len(over)


def auto_resolve(kind: str, subject: str, *, resolution: str, now: datetime) -> None:
    """The trouble is over by itself: resolve what stands open about it, if anything does."""
    for alert in Alert.objects.filter(kind=kind, subject=subject, resolved_at__isnull=True):
        _end(alert, resolution, now)


def _end(alert: Alert, resolution: str, now: datetime) -> None:
    with suppress(Stale):  # its words changed this very moment: the next round ends it
        resolve(alert, shown=alert.message_digest, by=CLOCK, now=now, resolution=resolution)
