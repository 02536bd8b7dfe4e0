"""The page on which a member writes an invoice: a new one, a draft, or one that was sent."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from django.http import HttpResponse
from django.shortcuts import redirect

from partway.billing.documents import drafts, invoices
from partway.billing.documents.invoices import Draft
from partway.billing.errors import BillingError, Stale
from partway.billing.models import Customer, Invoice
from partway.billing.models.documents import DiscountKind
from partway.delivery.templatetags.partway import quantity
from partway.lib.money import EXPONENTS, Money

from .. import document_form
from ..access import find
from ..context import Visit
from ..forms import Form
from . import sent_editor

_MOST_CUSTOMERS = 2_000  # in the list to choose from


def new(visit: Visit) -> HttpResponse:
    """Write a new draft."""
    if not visit.posted:
        return _page(visit, Form(_fresh(visit)))
    form = document_form.typed(visit.request.POST)
    if form.text("act") in _ONLY_SHOWN:
        return _ONLY_SHOWN[form.text("act")](visit, form, None)
    draft = document_form.read(form, chosen_customer(visit, form))
    if draft is not None:
        try:
            made = invoices.create(visit.organization, draft=draft, by=visit.actor, now=visit.now)
        except BillingError as error:
            form.refuse(error)
        else:
            return visit.go(visit.url("invoice", made.pk), said="The draft is saved.")
    return _page(visit, form)


def edit(visit: Visit, invoice_id: str) -> HttpResponse:
    """Change an invoice; when somebody saved it in the meantime, show theirs beside what was typed."""
    invoice = find(visit, Invoice.objects.select_related("customer", "organization"), invoice_id)
    if not visit.posted:
        if invoice.status not in sent_editor.EDITABLE:
            return redirect(visit.url("invoice", invoice.pk))
        return _page(visit, document_form.stored(invoice), invoice)
    form = document_form.typed(visit.request.POST)
    _keep_fixed(form, invoice)
    if form.text("act") in _ONLY_SHOWN:
        return _ONLY_SHOWN[form.text("act")](visit, form, invoice)
    draft = document_form.read(form, chosen_customer(visit, form))
    if draft is not None:
        try:
            return _save(visit, form, invoice, draft)
        except Stale as error:
            form.refuse(error)
            return _stale(visit, form, invoice)
        except BillingError as error:
            form.refuse(error)
    return _page(visit, form, invoice)


def _keep_fixed(form: Form, invoice: Invoice) -> None:
    """Where customer and currency are fixed the page shows them and sends nothing."""
    if _is_fixed(invoice):
        form.values |= {"customer": invoice.customer_id, "currency": invoice.currency}


def _is_fixed(invoice: Invoice | None) -> bool:
    return invoice is not None and (invoice.status != "draft" or invoice.quote_id is not None)


def _save(visit: Visit, form: Form, invoice: Invoice, draft: Draft) -> HttpResponse:
    """Save, and say what else that did; raises what billing raises."""
    paid = Money(number(form, "paid_minor"), invoice.currency)
    tell = form.text("tell_customer") == "yes"
    seen = version(form)
    edited = invoices.edit(
        invoice, draft=draft, version=seen, by=visit.actor, now=visit.now, paid=paid, tell_customer=tell
    )
    if edited.status == "draft":
        return visit.go(visit.url("invoice", edited.pk), said="The draft is saved.")
    mailed = f" The changed invoice is on its way to {edited.customer.email}." if tell else ""
    said = sent_editor.happened(edited, at=visit.now)
    return visit.go(visit.url("invoice", edited.pk), said=f"{said}{mailed}")


def _stale(visit: Visit, form: Form, invoice: Invoice) -> HttpResponse:
    """Saving once more from here replaces the stored version, which by then has been seen."""
    invoice.refresh_from_db()
    overtaken = version(form) != invoice.version  # else only a payment came in, and the refusal says so
    form.values["version"] = str(invoice.version)
    return _page(visit, form, invoice, stored=invoice if overtaken else None)


def _page(
    visit: Visit, form: Form, invoice: Invoice | None = None, stored: Invoice | None = None
) -> HttpResponse:
    spare = 0 if document_form.count(form) and form.text("act") != "add_lines" else document_form.SPARE_ROWS
    percent = visit.organization.default_tax_percent
    usual_tax = quantity(percent) if percent else ""
    context = {
        "form": form,
        "invoice": invoice,
        "stored": stored,
        "rows": document_form.rows(form, spare, tax_percent=usual_tax),
        "usual_tax": usual_tax,
        "customers": customer_choices(visit),
        "currencies": sorted(EXPONENTS),
        "discount_kinds": DiscountKind.choices,
        "fixed": _is_fixed(invoice),
        "sent": sent_editor.standing(invoice) if invoice and invoice.status != "draft" else None,
    }
    return visit.render("staff/invoices/editor.html", context, status=form.status)


def _figures(visit: Visit, form: Form, invoice: Invoice | None) -> HttpResponse:
    """What the lines add up to so far, and what that would do; for whom and by when does not matter to it."""
    draft = document_form.read(form, Customer())
    # Numbers that no draft may have cannot be added up either; saving says which.
    figures = drafts.figures(draft) if draft and drafts.can_add_up(draft) else None
    context: dict[str, object] = {"figures": figures, "currency": draft and draft.currency}
    if figures and invoice and invoice.status != "draft":
        context |= sent_editor.foreseen(invoice, figures.total_minor)
    return visit.render("staff/invoices/figures.html", context)


# What the editor asks for without saving anything.
_ONLY_SHOWN: dict[str, Callable[[Visit, Form, Invoice | None], HttpResponse]] = {
    "add_lines": _page,
    "figures": _figures,
}


def customer_choices(visit: Visit) -> list[tuple[str, str]]:
    """Whom a document can be for."""
    mine = Customer.objects.of(visit.organization).order_by("name", "id")[:_MOST_CUSTOMERS]
    return [(customer.pk, f"{customer.name} · {customer.email}") for customer in mine]


def _fresh(visit: Visit) -> dict[str, str]:
    """What the organization's settings say a new invoice starts with."""
    usual = timedelta(days=visit.organization.default_due_days)
    return {
        "customer": visit.request.GET.get("customer", ""),
        "currency": visit.organization.currency,
        "due_on": (visit.today + usual).isoformat(),
    }


def chosen_customer(visit: Visit, form: Form) -> Customer | None:
    """Who was chosen, if it is one of this organization's."""
    return Customer.objects.of(visit.organization).filter(pk=form.text("customer")).first()


def version(form: Form) -> int:
    """Which version the page showed; 0, which no row has, for anything odd."""
    return number(form, "version")


def number(form: Form, name: str) -> int:
    """A number the page itself wrote into the form; 0 for anything odd."""
    text = form.text(name)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0
