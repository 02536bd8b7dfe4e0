"""Numbers invoices and quotes without gaps and duplicates, per organization (DESIGN D4)."""

from __future__ import annotations

from django.db.models import F

from partway.accounts.models import Organization

from ..models import QuoteTerms


def next_invoice_number(organization_id: str) -> str:
    """Returns the next number, as INV-0007, and counts on.

    The organization's row stays locked until the transaction ends, so that a number is used or given again.
    """
    row = Organization.objects.filter(pk=organization_id)
    # The update takes the lock: a read before it could give two transactions the same number.
    row.update(next_invoice_number=F("next_invoice_number") + 1)
    prefix, following = row.values_list("invoice_prefix", "next_invoice_number").get()
    return f"{prefix}{following - 1:04d}"


def next_quote_number(organization_id: str) -> str:
    """Returns the next number, as QUO-0007, and counts on, under the lock of the quote terms."""
    row = QuoteTerms.objects.filter(pk=organization_id)
    if not row.update(next_number=F("next_number") + 1):
        QuoteTerms.objects.get_or_create(pk=organization_id)
        row.update(next_number=F("next_number") + 1)
    prefix, following = row.values_list("prefix", "next_number").get()
    return f"{prefix}{following - 1:04d}"
