"""The page on which a member writes an invoice: a new one, a draft, or one that was sent."""

from __future__ import annotations

from datetime import timedelta

from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext

from partway.billing.documents import drafts, invoices
from partway.billing.errors import BillingError, Stale
from partway.billing.models import Invoice
from partway.billing.models.documents import DiscountKind
from partway.delivery.formats import format_typed_percent
from partway.delivery.messages.online_amounts import due_message
from partway.lib.money import EXPONENTS, Money

from ..access import get_invoice_or_404
from ..context import MemberContext
from ..document_form import first_customer, render_editor
from ..forms import sentences
from . import parties, sent_editor
from .invoice_form import DUE_KINDS, InvoiceForm, due_initial, stored


def new(ctx: MemberContext) -> HttpResponse:
    """Writes a new draft; it starts with the organization's usual currency, due date and tax, or as a copy."""
    days = ctx.organization.default_due_days
    if not ctx.is_post and (source := ctx.request.GET.get("from")):
        copied = stored(get_invoice_or_404(ctx, source))
        due = due_initial(ctx.today + timedelta(days=days), days)
        first = {**copied["initial"], **due, "version": ""}
        return _page(ctx, InvoiceForm(organization=ctx.organization, initial=first, lines=copied["lines"]))
    if not ctx.is_post:
        first = {
            "customer": first_customer(ctx),
            "currency": ctx.organization.currency,
            **due_initial(ctx.today + timedelta(days=days), days),
        }
        return _page(ctx, InvoiceForm(organization=ctx.organization, initial=first))
    if ctx.request.POST.get("operation") == "figures":
        return _figures(ctx, ctx.request.POST.dict(), None)
    form = InvoiceForm(ctx.request.POST, organization=ctx.organization)
    if form.continues:
        return _page(ctx, form.unbound())
    if form.is_valid():
        try:
            made = invoices.create(
                ctx.organization,
                draft=form.draft(),
                by=ctx.actor,
                now=ctx.now,
                idempotency_key=form.content_key(ctx.request.path),
            )
        except BillingError as error:
            form.add_billing_error(error)
        else:
            return ctx.redirect(ctx.url("invoice", made.pk), notice=gettext("The draft is saved."))
    return _page(ctx, form)


def edit(ctx: MemberContext, invoice_id: str) -> HttpResponse:
    """Changes an invoice; when another member saved it in the meantime, shows theirs beside what was typed."""
    invoice = get_invoice_or_404(ctx, invoice_id)
    if not ctx.is_post:
        if invoice.status not in sent_editor.EDITABLE:
            return redirect(ctx.url("invoice", invoice.pk))
        return _page(ctx, InvoiceForm(organization=ctx.organization, **stored(invoice)), invoice)
    data = ctx.request.POST.dict()
    if _is_fixed(invoice):  # the page shows customer and currency and sends neither
        data |= {"customer": invoice.customer_id, "currency": invoice.currency}
    if data.get("operation") == "figures":
        return _figures(ctx, data, invoice)
    form = InvoiceForm(data, organization=ctx.organization)
    if form.continues:
        return _page(ctx, form.unbound(), invoice)
    if not form.is_valid():
        return _page(ctx, form, invoice)
    typed, notify = form.cleaned_data, form.cleaned_data["notify_customer"]
    try:
        edited = invoices.edit(
            invoice,
            draft=form.draft(),
            expected_version=typed["version"],
            expected_amount_paid=Money(typed["paid_minor"], invoice.currency),
            notify_customer=notify,
            by=ctx.actor,
            now=ctx.now,
        )
    except BillingError as error:
        form.add_billing_error(error)
        return _refused(ctx, form, invoice, error)
    if edited.status == "draft":
        return ctx.redirect(ctx.url("invoice", edited.pk), notice=gettext("The draft is saved."))
    mailed = gettext("The changed invoice is on its way to %(email)s.") % {"email": edited.customer.email}
    notice = sentences(sent_editor.summary(edited, at=ctx.now), mailed if notify else "")
    return ctx.redirect(ctx.url("invoice", edited.pk), notice=notice)


def _refused(ctx: MemberContext, form: InvoiceForm, invoice: Invoice, error: BillingError) -> HttpResponse:
    """The page after a refusal. Saving once more replaces the stored version, which by then has been seen."""
    if not isinstance(error, Stale):
        return _page(ctx, form, invoice)
    invoice.refresh_from_db()
    # Without another version only a payment came in, and the error says so.
    is_other_version = form.cleaned_data["version"] != invoice.version
    form.data = {**form.data, "version": str(invoice.version)}
    return _page(ctx, form, invoice, newer=invoice if is_other_version else None)


def _is_fixed(invoice: Invoice | None) -> bool:
    """Whether customer and currency cannot be changed any more."""
    return invoice is not None and (invoice.status != "draft" or invoice.quote_id is not None)


def _page(
    ctx: MemberContext,
    form: InvoiceForm,
    invoice: Invoice | None = None,
    *,
    newer: Invoice | None = None,
) -> HttpResponse:
    percent = ctx.organization.default_tax_percent
    default_tax = format_typed_percent(percent) if percent else ""
    context = {
        "form": form,
        "invoice": invoice,
        "stored": newer,
        "rows": form.rows(tax_percent=default_tax, more=ctx.request.POST.get("operation") == "add_lines"),
        "default_tax": default_tax,
        "currencies": sorted(EXPONENTS),
        "discount_kinds": DiscountKind.choices,
        "due_kinds": DUE_KINDS,
        "fixed": _is_fixed(invoice),
        "party_hints": parties.hints(invoice) if invoice else [],
        "sent": sent_editor.current_amounts(invoice) if invoice and invoice.status != "draft" else None,
        "unprintable": form.unprintable_message(invoice),
    }
    return render_editor(ctx, "staff/invoices/editor.html", form, context)


def _figures(ctx: MemberContext, data: dict[str, str], invoice: Invoice | None) -> HttpResponse:
    """The totals of the lines so far, and the effects of saving them."""
    form = InvoiceForm(data, organization=ctx.organization, totals_only=True)
    draft = form.draft() if form.is_valid() else None
    # Numbers that no draft may have cannot be added up either; saving says which.
    figures = drafts.compute_totals(draft) if draft and drafts.has_computable_totals(draft) else None
    context: dict[str, object] = {
        "figures": figures,
        "currency": draft and draft.currency,
        "unprintable": form.unprintable_message(invoice),
    }
    if draft and figures:
        due, messages = Money(figures.total_minor, draft.currency), list[str]()
        if invoice and invoice.status != "draft":
            amounts, messages = sent_editor.preview(invoice, figures.total_minor)
            context |= amounts
            due = amounts["due"]
        messages.append(due_message(ctx.organization, due))
        context["preview"] = [message for message in messages if message]
    return ctx.render("staff/invoices/figures.html", context)
