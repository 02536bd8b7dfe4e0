"""Raises and resolves what a human must look at."""

from __future__ import annotations

from datetime import datetime

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


def resolve(flag: Flag, *, now: datetime) -> None:
    """A member has dealt with it."""
    Flag.objects.filter(pk=flag.pk, resolved_at__isnull=True).update(resolved_at=now)
