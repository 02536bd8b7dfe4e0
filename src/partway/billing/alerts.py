"""Raises and resolves alerts, which the Attention page lists.

An alert is its kind and its params, never a sentence: other params are another fact.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from partway.accounts.permissions import Permission, needs
from partway.lib.money import Money

from . import events
from .errors import Invalid, Stale, field_error
from .events import CLOCK, Actor
from .models import Alert, Dispute, Mail, Payment
from .models.payments import UNSETTLED

MAX_RESOLUTION_LENGTH = 300

# The clock resolves these when their cause is over, as when the gateway responds again.
AUTO_RESOLVED_KINDS = (
    *("gateway_refused", "payment_unsettled", "gateway_list_unavailable"),
    *("sender_address_invalid", "refund_unsettled", "unwanted_debit", "payout_list_unavailable"),
)
# While the cause lasts they are raised again, but not earlier than this after a member resolved them.
_QUIET_PERIOD = timedelta(days=1)


def raise_for_payment(kind: str, payment: Payment, *, now: datetime, **params: object) -> None:
    """Raises an alert about a payment; `params` are what its sentence needs (Money, text, numbers)."""
    related = {"payment": payment, "invoice_id": payment.invoice_id}
    _raise(kind, payment.organization_id, payment.pk, related, params, now)


def raise_for_dispute(kind: str, about: Dispute, /, *, now: datetime, **params: object) -> None:
    """Raises an alert about a dispute, beside its payment; an open one waits for evidence until its last day."""
    payment, waits = about.payment, kind == "dispute_opened"
    due_at = about.evidence_due_at if waits else None
    related = {"payment": payment, "invoice_id": payment.invoice_id, "due_at": due_at}
    _raise(kind, payment.organization_id, about.pk, related, params, now)


def raise_for_mail(kind: str, mail: Mail, *, now: datetime, **params: object) -> None:
    """Raises an alert about a mail of an organization, beside the invoice or the payment that the mail is about."""
    related = {"invoice_id": mail.invoice_id, "payment_id": mail.payment_id}
    _raise(kind, str(mail.organization_id), mail.pk, related, params, now)


def raise_for_organization(
    kind: str, organization_id: str, *, subject: str, now: datetime, **params: object
) -> None:
    """Raises an alert about something that is no payment of ours; `subject` identifies it."""
    _raise(kind, organization_id, subject, {}, params, now)


def _raise(
    kind: str,
    organization_id: str,
    subject: str,
    related: dict[str, Any],
    params: dict[str, object],
    now: datetime,
) -> None:
    """Keeps one open alert per kind and subject, with the latest params; a resolved one is raised again if it is news.

    New params are news, such as a second refund after the first was resolved. A cause that passes by itself is news
    again a day after a member resolved it, whatever its params.
    """
    data = {
        name: {"amount_minor": value.amount_minor, "currency": value.currency}
        if isinstance(value, Money)
        else value
        for name, value in params.items()
    }
    same = Alert.objects.filter(kind=kind, subject=subject)
    # An update first: two workers that find the same cause at once both end at one row.
    latest = {"params": data, "due_at": related.get("due_at")}
    if same.filter(resolved_at__isnull=True).update(**latest):
        return
    last = same.order_by("-resolved_at", "-id").first()
    if last is not None and last.resolved_at is not None:
        passes = kind in AUTO_RESOLVED_KINDS
        # What a member has dealt with is not raised again; what passed by itself and happens anew is.
        is_known = last.params == data and not last.auto_resolution
        if (now < last.resolved_at + _QUIET_PERIOD) if passes else is_known:
            return
    columns = {"organization_id": organization_id, "params": data, "created_at": now, **related}
    # A unique constraint allows one open alert per kind and subject, and get_or_create returns the one of a race.
    Alert.objects.get_or_create(kind=kind, subject=subject, resolved_at=None, defaults=columns)


@needs(Permission.RESOLVE_ALERTS)
@transaction.atomic
def resolve(
    alert: Alert,
    *,
    expected_digest: str,
    by: Actor,
    now: datetime,
    resolution: str = "",
    auto_resolution: str = "",
) -> None:
    """Resolves an open alert and writes the event; an alert resolved before stays as it is.

    expected_digest: the digest of the alert that the member saw, because an open alert changes with the facts.
    resolution: the member's words. auto_resolution: the code of the clock's reason.
    Raises Invalid for a resolution that is too long, Stale when the alert has changed since.
    """
    resolution = resolution.strip()
    if len(resolution) > MAX_RESOLUTION_LENGTH:
        raise Invalid({"resolution": field_error("resolution_too_long", longest=MAX_RESOLUTION_LENGTH)})
    still_open = Alert.objects.filter(pk=alert.pk, resolved_at__isnull=True)
    # The params are compared by the database too: the facts may change between the check and the update.
    resolved = expected_digest == alert.digest and still_open.filter(params=alert.params).update(
        resolved_at=now, resolved_by=by.label, resolution=resolution, auto_resolution=auto_resolution
    )
    if resolved:
        about = alert.payment or alert.invoice or alert.organization
        data = {"kind": alert.kind, "params": alert.params, "resolution": resolution}
        if auto_resolution:
            data["auto_resolution"] = auto_resolution
        events.record("alert.resolved", about, by=by, now=now, data=data)
    elif still_open.exists():
        raise Stale(reason="alert_changed")


def auto_resolve_settled(*, now: datetime, limit: int = 20) -> int:
    """Resolves the alerts about unsettled payments that are settled now; returns how many it looked at."""
    waiting = Alert.objects.filter(
        resolved_at__isnull=True, kind__in=("gateway_refused", "payment_unsettled", "unwanted_debit")
    )
    over = waiting.exclude(payment__status__in=UNSETTLED).select_related("payment")[:limit]
    for alert in over:
        _auto_resolve(alert, "payment_settled", now)
    return len(over)


def auto_resolve(kind: str, *, subject: str, auto_resolution: str, now: datetime) -> None:
    """Resolves the open alert of this kind and subject, if there is one, because its cause is over."""
    for alert in Alert.objects.filter(kind=kind, subject=subject, resolved_at__isnull=True):
        _auto_resolve(alert, auto_resolution, now)


def _auto_resolve(alert: Alert, auto_resolution: str, now: datetime) -> None:
    with suppress(Stale):  # its params changed this very moment: the next round resolves it
        resolve(alert, expected_digest=alert.digest, by=CLOCK, now=now, auto_resolution=auto_resolution)
