"""Recomputes stored amounts and states from lines, allocations and events, rule by rule of DESIGN section 5 (M6)."""

from __future__ import annotations

from collections.abc import Iterator

from . import (
    allocations,
    document_totals,
    documents,
    event_history,
    fees,
    journal,
    mails,
    numbering,
    ownership,
    parties,
    payment_requests,
    payments,
    payouts,
    text_keys,
)
from .checks import Check, Difference
from .snapshot import snapshot

__all__ = ["CHECKS", "Check", "Difference", "snapshot", "verify"]

CHECKS: tuple[Check, ...] = (
    *document_totals.CHECKS,
    *allocations.CHECKS,
    *event_history.CHECKS,
    *fees.CHECKS,
    *payment_requests.CHECKS,
    *payments.CHECKS,
    *payouts.CHECKS,
    *documents.CHECKS,
    *numbering.CHECKS,
    *parties.CHECKS,
    *ownership.CHECKS,
    *journal.CHECKS,
    *mails.CHECKS,
    *text_keys.CHECKS,
)


def verify() -> Iterator[Difference]:
    """Yields every difference in the whole installation."""
    for check in CHECKS:
        yield from check.differences()
