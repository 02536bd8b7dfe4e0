"""The form of the invoice editor: the content of a document, its due date, and what editing a sent invoice needs."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from partway.billing.documents.invoices import InvoiceDraft
from partway.billing.models import Invoice

from ..document_form import DocumentForm, stored_content
from ..forms import DayField, HiddenNumberField, WholeNumberField, text_field

DUE_KINDS = [("days", _("Days after sending")), ("date", _("On a day"))]


class InvoiceForm(DocumentForm):
    """An invoice as a member writes it."""

    no_totals = (*DocumentForm.no_totals, "due_days", "due_on")
    depends_on = {
        **DocumentForm.depends_on,
        "due_days": ("due_kind", ("days",)),
        "due_on": ("due_kind", ("date",)),
    }

    due_kind = text_field()
    due_days = WholeNumberField()
    due_on = DayField()
    paid_minor = HiddenNumberField()
    notify_customer = forms.BooleanField(required=False)

    def clean_due_kind(self) -> str:
        """Returns date for anything but days: the page of a sent invoice has a date alone and sends no kind."""
        return "days" if self.cleaned_data["due_kind"] == "days" else "date"

    def draft(self) -> InvoiceDraft:
        """Returns the draft of a valid form."""
        typed = self.cleaned_data
        return InvoiceDraft(due_on=typed.get("due_on"), due_days=typed.get("due_days"), **self.content())


def stored(invoice: Invoice) -> dict[str, Any]:
    """Returns `initial` and `lines` of the form for a stored invoice."""
    content = stored_content(invoice)
    return {**content, "initial": {**content["initial"], **due_initial(invoice.due_on, invoice.due_days)}}


def due_initial(due_on: date, due_days: int | None) -> dict[str, Any]:
    """Returns the initial values of the due fields."""
    days = "" if due_days is None else str(due_days)
    return {"due_kind": "days" if days else "date", "due_days": days, "due_on": due_on}
