"""The form of the invoice editor: the content of a document, its due date, and what editing a sent invoice needs."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms

from partway.billing.documents.invoices import InvoiceDraft
from partway.billing.models import Invoice

from ..document_form import DocumentForm, stored_content
from ..forms import DayField, HiddenNumberField


class InvoiceForm(DocumentForm):
    """An invoice as a member writes it."""

    no_totals = ("customer", "due_on")

    due_on = DayField()
    paid_minor = HiddenNumberField()
    notify_customer = forms.BooleanField(required=False)

    def draft(self) -> InvoiceDraft:
        """Returns the draft of a valid form."""
        return InvoiceDraft(due_on=self.cleaned_data.get("due_on", date.min), **self.content())


def stored(invoice: Invoice) -> dict[str, Any]:
    """Returns `initial` and `lines` of the form for a stored invoice."""
    content = stored_content(invoice)
    return {**content, "initial": {**content["initial"], "due_on": invoice.due_on}}
