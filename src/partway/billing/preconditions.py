"""Compares what a member's page showed with the row under its lock, so that no outdated page acts (DESIGN D8)."""

from __future__ import annotations

from partway.lib.money import Money

from .errors import Stale
from .models import Invoice, Quote


def check_version(document: Invoice | Quote, version: int | None) -> None:
    """Raises Stale when the page showed another version; None where there was no page.

    A payment makes no new version, because it changes nothing of the document's text.
    """
    if version is not None and document.version != version:
        raise Stale(reason="version_changed")


def check_due(invoice: Invoice, due: Money | None) -> None:
    """Raises Stale when the page named another amount due; None where there was no page."""
    if due is not None and invoice.amount_due != due:
        raise Stale(reason="amount_due_changed", due=invoice.amount_due, expected=due)
