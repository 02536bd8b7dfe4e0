"""Documents that leave the house as PDF: invoices, quotes and receipts, set anew each time and never stored.

    rows of billing → invoices.py, receipts.py → data.Document → plain.py → layout/document.typ → PDF
    a quote's rows → offers.py → quotes.py     ↗

What is printed is decided in Python; the layout only places it.
"""

from __future__ import annotations

from partway.billing.models import Invoice, Payment, Quote

from . import invoices, offers, quotes, receipts
from .answers import answer
from .pdf import File, file

__all__ = ["File", "answer", "of_invoice", "of_payment", "of_quote"]


def of_invoice(invoice: Invoice) -> File:
    """The invoice as it stands now."""
    return file(invoices.document(invoice))


def of_payment(payment: Payment) -> File:
    """The receipt of a payment that came in, which later payments do not change; ValueError for others."""
    return file(receipts.document(payment))


def of_quote(quote: Quote) -> File:
    """The quote as it stands now."""
    return file(quotes.document(offers.offer(quote)))
