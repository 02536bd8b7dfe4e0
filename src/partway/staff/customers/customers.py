"""Who owes: the list, one customer with their invoices, and the form for both."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpResponse

from partway.billing.errors import BillingError
from partway.billing.ledger import allocations
from partway.billing.models import Customer, Invoice
from partway.billing.people import customers
from partway.billing.receivables import credit

from ..access import get_own_or_404
from ..context import MemberContext
from ..forms import Form, strip_nul
from ..invoices.detail import PAGE_ROWS, with_open_requests


def index(ctx: MemberContext) -> HttpResponse:
    """Search and turn pages."""
    q = strip_nul(ctx.request.GET.get("q", "")).strip()
    mine = Customer.objects.for_organization(ctx.organization)
    rows = mine.filter(Q(name__icontains=q) | Q(email__icontains=q)) if q else mine
    page = Paginator(rows.order_by("name", "id"), PAGE_ROWS).get_page(ctx.request.GET.get("page"))
    context = {"page": page, "q": q, "has_none_yet": not page.object_list and not mine.exists()}
    return ctx.render("staff/customers/index.html", context)


def show(ctx: MemberContext, customer_id: str) -> HttpResponse:
    """One customer with their invoices, and what they have paid too much."""
    customer = get_own_or_404(ctx, Customer.objects.all(), customer_id)
    kept = credit.payments_with_credit(customer).select_related("invoice", "quote")
    rows = with_open_requests(Invoice.objects.for_organization(ctx.organization).filter(customer=customer))
    page = Paginator(rows.order_by("-created_at", "-id"), PAGE_ROWS).get_page(ctx.request.GET.get("page"))
    context = {
        "customer": customer,
        "page": page,
        "credit": credit.balances(customer),
        "credit_from": [(payment, allocations.unallocated(payment)) for payment in kept],
    }
    return ctx.render("staff/customers/show.html", context)


def new(ctx: MemberContext) -> HttpResponse:
    """Add a customer."""
    form = Form.from_data(ctx.request.POST)
    if ctx.is_post:
        try:
            made = customers.create(ctx.organization, details=_read(form), by=ctx.actor, now=ctx.now)
        except BillingError as error:
            form.add_error(error)
        else:
            return ctx.redirect(ctx.url("customer", made.pk), notice=f"{made.name} was added.")
    return ctx.render("staff/customers/form.html", {"form": form}, status=form.status)


def edit(ctx: MemberContext, customer_id: str) -> HttpResponse:
    """Change what is known of a customer."""
    customer = get_own_or_404(ctx, Customer.objects.all(), customer_id)
    form = Form.from_data(ctx.request.POST) if ctx.is_post else Form(_stored(customer))
    if ctx.is_post:
        try:
            seen = _read(shown) if (shown := form.initial()) else None
            customers.change(customer, details=_read(form), initial=seen, by=ctx.actor, now=ctx.now)
        except BillingError as error:
            form.add_error(error)
            customer.refresh_from_db()
        else:
            return ctx.redirect(ctx.url("customer", customer.pk), notice="Saved.")
    context = {"form": form, "customer": customer, "seen": form.initial_json(_stored(customer))}
    return ctx.render("staff/customers/form.html", context, status=form.status)


def _read(form: Form) -> customers.CustomerDetails:
    return customers.CustomerDetails(
        name=form.text("name"),
        email=form.text("email"),
        phone=form.text("phone"),
        address=form.text("address"),
    )


def _stored(customer: Customer) -> dict[str, str]:
    return {name: getattr(customer, name) for name in ("name", "email", "phone", "address")}
