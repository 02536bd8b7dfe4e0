"""Recomputes the books from the facts, rule by rule of DESIGN section 5, and names each row that differs (M6)."""

from __future__ import annotations

from collections.abc import Iterator

from . import documents, figures, histories, mails, money, numbers, ownership, payments, requests
from .checks import Check, Difference
from .snapshot import snapshot

__all__ = ["CHECKS", "Check", "Difference", "snapshot", "verify"]

CHECKS: tuple[Check, ...] = (
    *figures.CHECKS,
    *money.CHECKS,
    *histories.CHECKS,
    *requests.CHECKS,
    *payments.CHECKS,
    *documents.CHECKS,
    *numbers.CHECKS,
    *ownership.CHECKS,
    *mails.CHECKS,
)


def verify() -> Iterator[Difference]:
    """Every difference in the whole installation; none when the books are right."""
    for check in CHECKS:
        yield from check.differences()
