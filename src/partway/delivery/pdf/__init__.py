"""Documents as PDF: invoices, quotes, receipts and statements of account, set anew each time and never stored.

    rows of billing → invoice.py, quote.py, receipt.py, statement.py → content.Document → serialization.py
    → a child process: layout/document.typ → PDF

Python decides every text and figure, in the locale in which the document was issued; the layout only places them.
"""

from __future__ import annotations

from datetime import datetime

from partway.billing.models import Event, Invoice, Payment, Quote
from partway.billing.receivables.statements import Statement

from ..formats import use_locale
from . import invoice as invoices
from . import quote as quotes
from . import receipt as receipts
from . import statement as statements
from .response import pdf_response
from .typesetters import TypesettingFailed
from .typesetting import PdfFile, file

__all__ = [
    "PdfFile",
    "TypesettingFailed",
    "invoice_pdf",
    "pdf_response",
    "quote_pdf",
    "receipt_pdf",
    "statement_pdf",
]


def invoice_pdf(invoice: Invoice, *, with_link: bool = True) -> PdfFile:
    """Returns the invoice as it stands now; without the customer's link for readers who may not use it."""
    with use_locale(invoice.seller.locale):
        return file(invoices.document(invoice, with_link=with_link))


def receipt_pdf(payment: Payment) -> PdfFile:
    """Returns the receipt of a succeeded payment, which later payments do not change; raises ValueError for others."""
    with use_locale(payment.seller.locale):
        return file(receipts.document(payment))


def quote_pdf(quote: Quote, *, with_link: bool = True) -> PdfFile:
    """Returns the quote as it stands now; without the customer's link for readers who may not use it."""
    with use_locale(quote.seller.locale):
        return file(quotes.document(quote, with_link=with_link))


def statement_pdf(statement: Statement, *, now: datetime, event: Event | None = None) -> PdfFile:
    """Returns the statement of account made at this time; with the link of the event that it was sent by."""
    with use_locale(statement.customer.organization.locale):
        return file(statements.document(statement, event, now))
