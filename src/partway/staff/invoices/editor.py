"""The page on which a member writes an invoice: a new one, a draft, or one that was sent."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from django.http import HttpResponse
from django.shortcuts import redirect

from partway.billing.documents import drafts, invoices
from partway.billing.documents.invoices import InvoiceDraft
from partway.billing.errors import BillingError, Stale
from partway.billing.models import Customer, Invoice
from partway.billing.models.documents import DiscountKind
from partway.delivery.templatetags.partway import quantity
from partway.lib.money import EXPONENTS, Money

from .. import document_form
from ..access import get_own_or_404
from ..context import MemberContext
from ..forms import Form
from . import sent_editor

_MAX_CUSTOMER_CHOICES = 2_000  # in the list to choose from


def new(ctx: MemberContext) -> HttpResponse:
    """Write a new draft."""
    if not ctx.is_post:
        return _page(ctx, Form(_defaults(ctx)))
    form = document_form.from_data(ctx.request.POST)
    if form.text("act") in _WITHOUT_SAVING:
        return _WITHOUT_SAVING[form.text("act")](ctx, form, None)
    draft = document_form.read(form, chosen_customer(ctx, form))
    if draft is not None:
        try:
            made = invoices.create(ctx.organization, draft=draft, by=ctx.actor, now=ctx.now)
        except BillingError as error:
            form.add_error(error)
        else:
            return ctx.redirect(ctx.url("invoice", made.pk), notice="The draft is saved.")
    return _page(ctx, form)


def edit(ctx: MemberContext, invoice_id: str) -> HttpResponse:
    """Change an invoice; when somebody saved it in the meantime, show theirs beside what was typed."""
    invoice = get_own_or_404(ctx, Invoice.objects.select_related("customer", "organization"), invoice_id)
    if not ctx.is_post:
        if invoice.status not in sent_editor.EDITABLE:
            return redirect(ctx.url("invoice", invoice.pk))
        return _page(ctx, document_form.stored(invoice), invoice)
    form = document_form.from_data(ctx.request.POST)
    _keep_fixed(form, invoice)
    if form.text("act") in _WITHOUT_SAVING:
        return _WITHOUT_SAVING[form.text("act")](ctx, form, invoice)
    draft = document_form.read(form, chosen_customer(ctx, form))
    if draft is not None:
        try:
            return _save(ctx, form, invoice, draft)
        except Stale as error:
            form.add_error(error)
            return _stale(ctx, form, invoice)
        except BillingError as error:
            form.add_error(error)
    return _page(ctx, form, invoice)


def _keep_fixed(form: Form, invoice: Invoice) -> None:
    """Where customer and currency are fixed the page shows them and sends nothing."""
    if _is_fixed(invoice):
        form.values |= {"customer": invoice.customer_id, "currency": invoice.currency}


def _is_fixed(invoice: Invoice | None) -> bool:
    return invoice is not None and (invoice.status != "draft" or invoice.quote_id is not None)


def _save(ctx: MemberContext, form: Form, invoice: Invoice, draft: InvoiceDraft) -> HttpResponse:
    """Save, and say what else that did; raises what billing raises."""
    paid = Money(number(form, "paid_minor"), invoice.currency)
    tell = form.text("notify_customer") == "yes"
    seen = version(form)
    edited = invoices.edit(
        invoice, draft=draft, version=seen, by=ctx.actor, now=ctx.now, paid=paid, notify_customer=tell
    )
    if edited.status == "draft":
        return ctx.redirect(ctx.url("invoice", edited.pk), notice="The draft is saved.")
    mailed = f" The changed invoice is on its way to {edited.customer.email}." if tell else ""
    notice = sent_editor.summary(edited, at=ctx.now)
    return ctx.redirect(ctx.url("invoice", edited.pk), notice=f"{notice}{mailed}")


def _stale(ctx: MemberContext, form: Form, invoice: Invoice) -> HttpResponse:
    """Saving once more from here replaces the stored version, which by then has been seen."""
    invoice.refresh_from_db()
    overtaken = version(form) != invoice.version  # else only a payment came in, and the refusal says so
    form.values["version"] = str(invoice.version)
    return _page(ctx, form, invoice, stored=invoice if overtaken else None)


def _page(
    ctx: MemberContext, form: Form, invoice: Invoice | None = None, stored: Invoice | None = None
) -> HttpResponse:
    spare = 0 if document_form.count(form) and form.text("act") != "add_lines" else document_form.SPARE_ROWS
    percent = ctx.organization.default_tax_percent
    default_tax = quantity(percent) if percent else ""
    context = {
        "form": form,
        "invoice": invoice,
        "stored": stored,
        "rows": document_form.rows(form, spare, tax_percent=default_tax),
        "default_tax": default_tax,
        "customers": customer_choices(ctx),
        "currencies": sorted(EXPONENTS),
        "discount_kinds": DiscountKind.choices,
        "fixed": _is_fixed(invoice),
        "sent": sent_editor.current_amounts(invoice) if invoice and invoice.status != "draft" else None,
    }
    return ctx.render("staff/invoices/editor.html", context, status=form.status)


def _figures(ctx: MemberContext, form: Form, invoice: Invoice | None) -> HttpResponse:
    """What the lines add up to so far, and what that would do; for whom and by when does not matter to it."""
    draft = document_form.read(form, Customer())
    # Numbers that no draft may have cannot be added up either; saving says which.
    figures = drafts.compute_totals(draft) if draft and drafts.has_computable_totals(draft) else None
    context: dict[str, object] = {"figures": figures, "currency": draft and draft.currency}
    if figures and invoice and invoice.status != "draft":
        context |= sent_editor.preview(invoice, figures.total_minor)
    return ctx.render("staff/invoices/figures.html", context)


# What the editor asks for without saving anything.
_WITHOUT_SAVING: dict[str, Callable[[MemberContext, Form, Invoice | None], HttpResponse]] = {
    "add_lines": _page,
    "figures": _figures,
}


def customer_choices(ctx: MemberContext) -> list[tuple[str, str]]:
    """Whom a document can be for."""
    mine = Customer.objects.for_organization(ctx.organization).order_by("name", "id")[:_MAX_CUSTOMER_CHOICES]
    return [(customer.pk, f"{customer.name} · {customer.email}") for customer in mine]


def _defaults(ctx: MemberContext) -> dict[str, str]:
    """What the organization's settings say a new invoice starts with."""
    usual = timedelta(days=ctx.organization.default_due_days)
    return {
        "customer": ctx.request.GET.get("customer", ""),
        "currency": ctx.organization.currency,
        "due_on": (ctx.today + usual).isoformat(),
    }


def chosen_customer(ctx: MemberContext, form: Form) -> Customer | None:
    """Who was chosen, if it is one of this organization's."""
    return Customer.objects.for_organization(ctx.organization).filter(pk=form.text("customer")).first()


def version(form: Form) -> int:
    """Which version the page showed; 0, which no row has, for anything odd."""
    return number(form, "version")


def number(form: Form, name: str) -> int:
    """A number the page itself wrote into the form; 0 for anything odd."""
    text = form.text(name)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0
