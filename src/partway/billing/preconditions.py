"""Compares what a member's page showed with what is true under the lock, so that no stale page acts (DESIGN D8)."""

from __future__ import annotations

from partway.lib.money import Money

from .errors import Stale
from .models import Invoice, Quote


def check_version(document: Invoice | Quote, version: int | None) -> None:
    """Raises Stale when the page showed another version; None where there was no page.

    A payment makes no new version: it changes nothing of what a document says.
    """
    if version is not None and document.version != version:
        raise Stale("Somebody else changed this in the meantime. Look at it again before you go on.")


def check_due(invoice: Invoice, due: Money | None) -> None:
    """Raises Stale when the page named another amount due; None where there was no page."""
    if due is not None and invoice.amount_due != due:
        raise Stale(f"In the meantime {invoice.amount_due} is due, not {due}. Look again before you go on.")
