"""Documents that leave as PDF: invoices, quotes and receipts, set anew each time and never stored.

    rows of billing → invoice.py, receipt.py → content.Document → serialization.py → layout/document.typ → PDF
    a quote's rows → quote_rows.py → quote.py     ↗

What is printed is decided in Python; the layout only places it.
"""

from __future__ import annotations

from partway.billing.models import Invoice, Payment, Quote

from .invoice import document as invoice_document
from .quote import document as quote_document
from .quote_rows import offer
from .receipt import document as receipt_document
from .response import pdf_response
from .typesetting import PdfFile, file

__all__ = ["PdfFile", "invoice_pdf", "pdf_response", "quote_pdf", "receipt_pdf"]


def invoice_pdf(invoice: Invoice) -> PdfFile:
    """Returns the invoice as it stands now."""
    return file(invoice_document(invoice))


def receipt_pdf(payment: Payment) -> PdfFile:
    """Returns the receipt of a succeeded payment, which later payments do not change; raises ValueError for others."""
    return file(receipt_document(payment))


def quote_pdf(quote: Quote) -> PdfFile:
    """Returns the quote as it stands now."""
    return file(quote_document(offer(quote)))
