"""Customers: the list, one customer with their invoices, and the form for both."""

from __future__ import annotations

from html import escape

from django.db.models import QuerySet
from django.forms.models import model_to_dict
from django.http import HttpResponse
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from partway.billing.errors import BillingError
from partway.billing.models import Customer, Invoice, Payment, Refund
from partway.billing.people import customers
from partway.billing.people.customers import CustomerDetails
from partway.billing.receivables import credit
from partway.billing.snapshots import snapshot
from partway.delivery.messages.printing import CUSTOMER_TEXTS, unprintable_message
from partway.lib.money import Money

from ..access import get_own_or_404
from ..context import MemberContext
from ..customer_search import BY_NAME, find_customers
from ..forms import ConcurrentEditForm, IdempotencyKeyField, query_text, text_field
from ..invoice_rows import page_rows
from ..keyset_pages import MAX_COUNTED, Order, Stream, count_rows, read_page

_NEWEST = Order(("-created_at", "-id"), is_whole=True)


class CustomerForm(ConcurrentEditForm):
    """The details of a customer."""

    name = text_field()
    email = text_field()
    phone = text_field()
    address = text_field()


class NewCustomerForm(CustomerForm):
    """The details of a customer who is added."""

    idempotency_key = IdempotencyKeyField()


def index(ctx: MemberContext) -> HttpResponse:
    """Searches and paginates."""
    q = query_text(ctx.request.GET, "q")
    mine: QuerySet[Customer] = Customer.objects.for_organization(ctx.organization)
    streams, count = find_customers(ctx.organization, q) if q else ([Stream(mine)], count_rows(mine))
    page = read_page(
        ctx.request,
        streams,
        BY_NAME,
        count=count,
        fetch=lambda ids: {row.pk: row for row in Customer.objects.filter(pk__in=ids)},
    )
    link = reverse("staff:customer", args=[ctx.organization.slug, "-"]).removesuffix("-/")
    cells = (  # without a template (docs/decisions/0069-rows-without-templates.md)
        f'<tr class="is-link"><td class="cell-text"><a class="row-link" href="{link}{customer.pk}/">'
        f"{escape(customer.name)}</a></td>"
        f'<td class="cell-text muted">{escape(customer.email)}</td>'
        f'<td class="cell-text muted">{escape(customer.phone)}</td></tr>\n'
        for customer in page.entries
    )
    context = {
        "page": page,
        "rows": SafeString("".join(cells)),
        "max_counted": None if q else MAX_COUNTED,
        "q": q,
        "has_none_yet": not page.entries and not mine.exists(),
    }
    return ctx.render("staff/customers/index.html", context)


def show(ctx: MemberContext, customer_id: str) -> HttpResponse:
    """One customer with their invoices and their credit."""
    customer = get_own_or_404(ctx, Customer.objects.all(), customer_id)
    refunds = Refund.objects.filter(payment__in=Payment.objects.of_customer(customer))
    invoices = Invoice.objects.filter(customer=customer)
    page = read_page(
        ctx.request,
        [Stream(invoices)],
        _NEWEST,
        count=count_rows(invoices),
        fetch=page_rows,
    )
    with snapshot():  # the credit is that of the payments that are shown
        with_credit = list(credit.payments_with_credit(customer).select_related("invoice", "quote"))
        context = {
            "customer": customer,
            "unprintable": unprintable_message(
                (label, getattr(customer, name)) for name, label in CUSTOMER_TEXTS.items()
            ),
            "page": page,
            "max_counted": MAX_COUNTED,
            "credit": credit.sum_by_currency(with_credit),
            "refunds": list(
                refunds.select_related("payment__invoice", "payment__quote").order_by(
                    "-refunded_on", "-created_at", "-pk"
                )
            ),
            "credit_from": [
                (payment, Money(payment.spendable_minor, payment.captured_currency))
                for payment in with_credit
            ],
            "frozen": credit.frozen_balances(customer),
        }
    return ctx.render("staff/customers/show.html", context)


def new(ctx: MemberContext) -> HttpResponse:
    """Adds a customer."""
    form = NewCustomerForm(ctx.post_data)
    if form.is_valid():
        key = form.content_key(ctx.request.path)
        details = CustomerDetails(**{name: form.cleaned_data[name] for name in CustomerForm.base_fields})
        try:
            made = customers.create(
                ctx.organization, details=details, by=ctx.actor, now=ctx.now, idempotency_key=key
            )
        except BillingError as error:
            form.add_billing_error(error)
        else:
            notice = gettext("%(name)s was added.") % {"name": made.name}
            return ctx.redirect(ctx.url("customer", made.pk), notice=notice)
    context = {"form": form, "unprintable": form.unprintable_in(CUSTOMER_TEXTS)}
    return ctx.render("staff/customers/form.html", context, status=form.status)


def edit(ctx: MemberContext, customer_id: str) -> HttpResponse:
    """Changes the details of a customer; the edits of two members are merged field by field."""
    customer = get_own_or_404(ctx, Customer.objects.all(), customer_id)
    form = CustomerForm(ctx.post_data, initial=model_to_dict(customer, CustomerForm.base_fields))
    if form.is_valid():
        opened = form.valid_opened_form()
        initial = CustomerDetails(**opened.cleaned_data) if opened else None
        details = CustomerDetails(**form.cleaned_data)
        try:
            customers.change(customer, details=details, initial=initial, by=ctx.actor, now=ctx.now)
        except BillingError as error:
            form.add_billing_error(error)
            customer.refresh_from_db()
            form.initial = model_to_dict(customer, CustomerForm.base_fields)
        else:
            return ctx.redirect(ctx.url("customer", customer.pk), notice=gettext("Saved."))
    context = {"form": form, "customer": customer, "unprintable": form.unprintable_in(CUSTOMER_TEXTS)}
    return ctx.render("staff/customers/form.html", context, status=form.status)
