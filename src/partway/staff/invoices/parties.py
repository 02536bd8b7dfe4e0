"""The correction of a sent invoice's parties: what it says of seller and customer, beside what is stored now."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from partway.billing import parties
from partway.billing.documents import invoices
from partway.billing.models import Invoice

from ..access import get_invoice_or_404
from ..confirm import ConfirmForm, confirm
from ..context import MemberContext

_LABELS = {
    "name": _("Name"),
    "address": _("Address"),
    "email": _("Email"),
    "phone": _("Phone"),
    "tax_number": _("Tax number"),
    "payment_instructions": _("How to pay"),
}


class CorrectPartiesForm(ConfirmForm):
    """The parties to correct; the page shows only those that differ."""

    issued_by = forms.BooleanField(required=False)
    issued_to = forms.BooleanField(required=False)


def correct(ctx: MemberContext, invoice_id: str) -> HttpResponse:
    """Asks before the invoice shows its parties as they are stored now."""
    invoice = get_invoice_or_404(ctx, invoice_id)
    back = ctx.url("invoice", invoice.pk)

    def act(form: CorrectPartiesForm) -> HttpResponse:
        chosen = [name for name in ("issued_by", "issued_to") if form.cleaned_data[name]]
        version = form.cleaned_data["version"]
        done = invoices.correct_parties(
            invoice, columns=chosen, expected_version=version, by=ctx.actor, now=ctx.now
        )
        notice = gettext("%(number)s is corrected. The customer gets no mail of it unless you resend it.")
        return ctx.redirect(back, notice=notice % {"number": done.number})

    return confirm(
        ctx,
        invoice,
        "staff/invoices/correct_parties.html",
        form=CorrectPartiesForm(ctx.post_data, initial={"issued_by": True, "issued_to": True}),
        act=act,
        back=back,
        context=lambda: {"invoice": invoice, "changes": changes(invoice)},
    )


def changes(invoice: Invoice) -> dict[str, list[tuple[Any, str, str]]]:
    """Returns, by column of a party, label, old and new text of each field that changed since the invoice was sent."""
    if invoice.status not in ("sent", "paid"):
        return {}
    return {
        column: [(_LABELS[name], then, now) for name, (then, now) in fields.items()]
        for column, fields in parties.changes(invoice).items()
    }


def hints(invoice: Invoice) -> list[str]:
    """Returns a sentence for each party whose details changed since the invoice was sent, and what follows."""
    sentences = {
        "issued_to": gettext("Details of %(name)s have changed since this was sent (%(labels)s)."),
        "issued_by": gettext("Your organization’s details have changed since this was sent (%(labels)s)."),
    }
    changed = {
        column: ", ".join(str(label).lower() for label, _then, _now in fields)
        for column, fields in changes(invoice).items()
    }
    found = [
        sentence % {"name": invoice.customer.name, "labels": changed[column]}
        for column, sentence in sentences.items()
        if column in changed
    ]
    return [*found, gettext("The invoice keeps the earlier ones.")] if found else []
