"""Gives invoices their numbers: no gaps and no twins, per organization (DESIGN D4)."""

from __future__ import annotations

from django.db.models import F

from partway.accounts.models import Organization


def next_invoice_number(organization_id: str) -> str:
    """The next number, as INV-0007; the organization's row stays locked until the invoice has it or nobody does."""
    row = Organization.objects.filter(pk=organization_id)
    row.update(next_invoice_number=F("next_invoice_number") + 1)
    prefix, following = row.values_list("invoice_prefix", "next_invoice_number").get()
    return f"{prefix}{following - 1:04d}"
