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

from ..access import find
from ..context import Visit
from ..forms import Form, clean
from ..invoices.detail import PAGE_ROWS, with_stages


def index(visit: Visit) -> HttpResponse:
    """Search and turn pages."""
    q = clean(visit.request.GET.get("q", "")).strip()
    mine = Customer.objects.of(visit.organization)
    rows = mine.filter(Q(name__icontains=q) | Q(email__icontains=q)) if q else mine
    page = Paginator(rows.order_by("name", "id"), PAGE_ROWS).get_page(visit.request.GET.get("page"))
    context = {"page": page, "q": q, "is_first": not page.object_list and not mine.exists()}
    return visit.render("staff/customers/index.html", context)


def show(visit: Visit, customer_id: str) -> HttpResponse:
    """One customer with their invoices, and what they have paid too much."""
    customer = find(visit, Customer.objects.all(), customer_id)
    kept = credit.payments_of(customer).select_related("invoice", "quote")
    rows = with_stages(Invoice.objects.of(visit.organization).filter(customer=customer))
    page = Paginator(rows.order_by("-created_at", "-id"), PAGE_ROWS).get_page(visit.request.GET.get("page"))
    context = {
        "customer": customer,
        "page": page,
        "credit": credit.of(customer),
        "credit_from": [(payment, allocations.free(payment)) for payment in kept],
    }
    return visit.render("staff/customers/show.html", context)


def new(visit: Visit) -> HttpResponse:
    """Add a customer."""
    form = Form.typed(visit.request.POST)
    if visit.posted:
        try:
            made = customers.create(visit.organization, details=_read(form), by=visit.actor, now=visit.now)
        except BillingError as error:
            form.refuse(error)
        else:
            return visit.go(visit.url("customer", made.pk), said=f"{made.name} was added.")
    return visit.render("staff/customers/form.html", {"form": form}, status=form.status)


def edit(visit: Visit, customer_id: str) -> HttpResponse:
    """Change what is known of a customer."""
    customer = find(visit, Customer.objects.all(), customer_id)
    form = Form.typed(visit.request.POST) if visit.posted else Form(_stored(customer))
    if visit.posted:
        try:
            seen = _read(shown) if (shown := form.shown()) else None
            customers.change(customer, details=_read(form), seen=seen, by=visit.actor, now=visit.now)
        except BillingError as error:
            form.refuse(error)
            customer.refresh_from_db()
        else:
            return visit.go(visit.url("customer", customer.pk), said="Saved.")
    context = {"form": form, "customer": customer, "seen": form.seen(_stored(customer))}
    return visit.render("staff/customers/form.html", context, status=form.status)


def _read(form: Form) -> customers.Details:
    return customers.Details(
        name=form.text("name"),
        email=form.text("email"),
        phone=form.text("phone"),
        address=form.text("address"),
    )


def _stored(customer: Customer) -> dict[str, str]:
    return {name: getattr(customer, name) for name in ("name", "email", "phone", "address")}
