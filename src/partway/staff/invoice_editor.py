"""The page on which a member writes an invoice, new or a draft."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from django.http import HttpResponse
from django.shortcuts import redirect

from partway.billing import drafts, invoices
from partway.billing.errors import BillingError, Stale
from partway.billing.models import Customer, Invoice
from partway.billing.models.documents import DiscountKind
from partway.delivery.templatetags.partway import quantity
from partway.lib.money import EXPONENTS

from . import draft_form
from .access import find
from .forms import Form
from .visit import Visit

_MOST_CUSTOMERS = 2_000  # in the list to choose from


def new(visit: Visit) -> HttpResponse:
    """Write a new draft."""
    if not visit.posted:
        return _page(visit, Form(_fresh(visit)))
    form = draft_form.typed(visit.request.POST)
    if form.text("act") in _ONLY_SHOWN:
        return _ONLY_SHOWN[form.text("act")](visit, form, None)
    draft = draft_form.read(form, chosen_customer(visit, form))
    if draft is not None:
        try:
            made = invoices.create(visit.organization, draft=draft, by=visit.actor, now=visit.now)
        except BillingError as error:
            form.refuse(error)
        else:
            return visit.go(visit.url("invoice", made.pk), said="The draft is saved.")
    return _page(visit, form)


def edit(visit: Visit, invoice_id: str) -> HttpResponse:
    """Change a draft; when somebody saved it in the meantime, show theirs beside what was typed."""
    invoice = find(visit, Invoice.objects.select_related("customer", "organization"), invoice_id)
    if not visit.posted:
        if invoice.status != "draft":
            return redirect(visit.url("invoice", invoice.pk))
        return _page(visit, draft_form.stored(invoice), invoice)
    form = draft_form.typed(visit.request.POST)
    if form.text("act") in _ONLY_SHOWN:
        return _ONLY_SHOWN[form.text("act")](visit, form, invoice)
    draft = draft_form.read(form, chosen_customer(visit, form))
    if draft is not None:
        try:
            invoices.edit(invoice, draft=draft, version=version(form), by=visit.actor, now=visit.now)
        except Stale as error:
            form.refuse(error)
            return _stale(visit, form, invoice)
        except BillingError as error:
            form.refuse(error)
        else:
            return visit.go(visit.url("invoice", invoice.pk), said="The draft is saved.")
    return _page(visit, form, invoice)


def _stale(visit: Visit, form: Form, invoice: Invoice) -> HttpResponse:
    """Saving once more from here replaces the stored version, which by then has been seen."""
    invoice.refresh_from_db()
    form.values["version"] = str(invoice.version)
    return _page(visit, form, invoice, stored=invoice)


def _page(
    visit: Visit, form: Form, invoice: Invoice | None = None, stored: Invoice | None = None
) -> HttpResponse:
    spare = 0 if draft_form.count(form) and form.text("act") != "add_lines" else draft_form.SPARE_ROWS
    percent = visit.organization.default_tax_percent
    usual_tax = quantity(percent) if percent else ""
    context = {
        "form": form,
        "invoice": invoice,
        "stored": stored,
        "rows": draft_form.rows(form, spare, tax_percent=usual_tax),
        "usual_tax": usual_tax,
        "customers": customer_choices(visit),
        "currencies": sorted(EXPONENTS),
        "discount_kinds": DiscountKind.choices,
    }
    return visit.render("staff/invoices/editor.html", context, status=form.status)


def _figures(visit: Visit, form: Form, _: Invoice | None) -> HttpResponse:
    """What the lines add up to so far; for whom and by when does not matter to that."""
    draft = draft_form.read(form, Customer())
    context = {"figures": draft and drafts.figures(draft), "currency": draft and draft.currency}
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
    text = form.text("version")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
