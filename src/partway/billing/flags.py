"""Raises and resolves what a human must look at."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from . import events
from .events import Actor
from .models import Flag, Payment


def raise_flag(kind: str, payment: Payment, *, words: str, now: datetime) -> None:
    """Put a payment on the Attention page, once per kind, in words that say what happened and what to do."""
    Flag.objects.get_or_create(
        kind=kind,
        subject=payment.pk,
        defaults={
            "organization_id": payment.organization_id,
            "payment": payment,
            "invoice_id": payment.invoice_id,
            "words": words,
            "created_at": now,
        },
    )


def flag_callback(subject: str, organization_id: str, *, words: str, now: datetime) -> None:
    """Put a report that fits no payment of ours on the Attention page."""
    Flag.objects.get_or_create(
        kind="unknown_callback",
        subject=subject,
        defaults={"organization_id": organization_id, "words": words, "created_at": now},
    )


@transaction.atomic
def resolve(flag: Flag, *, by: Actor, now: datetime) -> None:
    """A member has dealt with it; the event says who, and what it was about."""
    if Flag.objects.filter(pk=flag.pk, resolved_at__isnull=True).update(resolved_at=now):
        about = flag.payment or flag.invoice or flag.organization
        events.record("flag.resolved", about, by=by, now=now, data={"kind": flag.kind, "words": flag.words})
