"""Invoices and payment requests as calls return them; a link is in them only for keys that may use it (DESIGN R8)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from typing import Any

from django.db.models import OuterRef, Prefetch, Subquery
from pydantic import BaseModel

from partway.accounts.permissions import Permission
from partway.billing import links, models
from partway.billing.models import Event
from partway.billing.models.invoices import InvoiceQuerySet, InvoiceStatus
from partway.billing.models.payment_requests import (
    CancelReason,
    PaymentRequestQuerySet,
    PaymentRequestStatus,
)

from .access import Caller, get_own_or_404
from .documents import Discount, DocumentLine, shown_discount, shown_lines
from .schemas import ExternalReference


class Customer(BaseModel):
    """A person or business that owes."""

    id: str
    name: str
    email: str
    phone: str
    address: str
    external_reference: ExternalReference
    metadata: dict[str, str]
    created_at: datetime


class Expanded(BaseModel):
    """The objects that `expand` named; null where it did not, and where there is none."""

    customer: Customer | None = None
    invoice: Invoice | None = None
    payment_request: PaymentRequest | None = None
    open_payment_request: PaymentRequest | None = None


class Expandable(BaseModel):
    """An object that can have others in it, which programs would ask for next."""

    expanded: Expanded | None = None


class Invoice(Expandable):
    """A document of debt; amounts are in minor units of its currency.

    amount_settled: what needs no payment. payment_status, is_overdue: derived. url: the customer's page, null for a
    draft, and for a key that may not use links.
    """

    id: str
    number: str | None
    status: InvoiceStatus
    customer: str
    quote: str | None
    currency: str
    lines: list[DocumentLine]
    discount: Discount | None
    notes: str
    subtotal: int
    tax: int
    total: int
    amount_paid: int
    amount_settled: int
    amount_due: int
    payment_status: str
    is_overdue: bool
    due_on: date
    due_days: int | None
    open_payment_request: str | None
    url: str | None
    external_reference: ExternalReference
    metadata: dict[str, str]
    version: int
    created_at: datetime
    sent_at: datetime | None
    paid_at: datetime | None
    updated_at: datetime


class PaymentRequest(Expandable):
    """A request for a part of an invoice; amounts are in minor units of its currency.

    remaining_due: what stays due once it is paid, null when it has ended. url: the page on which it is paid, null once
    it cannot be, and for a key that may not use links. return_url: where the customer is led back to, null for
    such a key too.
    """

    id: str
    invoice: str
    status: PaymentRequestStatus
    cancel_reason: CancelReason | None
    amount_requested: int
    currency: str
    remaining_due: int | None
    to: list[str]
    cc: list[str]
    bcc: list[str] | None
    note: str
    return_url: str | None
    url: str | None
    external_reference: ExternalReference
    metadata: dict[str, str]
    created_at: datetime
    expires_at: datetime | None
    opened_at: datetime | None
    ended_at: datetime | None


def shown_customer(row: models.Customer) -> Customer:
    """Returns a customer as calls return them."""
    return Customer(
        id=row.pk,
        name=row.name,
        email=row.email,
        phone=row.phone,
        address=row.address,
        external_reference=row.external_reference,
        metadata=row.metadata,
        created_at=row.created_at,
    )


def invoice_rows() -> InvoiceQuerySet:
    """Returns invoices with all that `shown_invoice` reads."""
    newest = Event.objects.filter(invoice=OuterRef("pk")).order_by("-created_at", "-id").values("created_at")
    open_requests = Prefetch(
        "payment_requests", models.PaymentRequest.objects.open(), to_attr="open_requests"
    )
    rows: Any = models.Invoice.objects.annotate(updated_at=Subquery(newest[:1]))
    found: InvoiceQuerySet = rows.prefetch_related("lines", open_requests)
    return found


def get_invoice(caller: Caller, invoice_id: str) -> models.Invoice:
    """Returns this organization's invoice, with its organization, customer and quote, or raises Http404."""
    rows = models.Invoice.objects.select_related("organization", "customer", "quote")
    return get_own_or_404(caller, rows, invoice_id)


def fresh_invoice(caller: Caller, invoice_id: str) -> Invoice:
    """Returns the invoice as it is stored now, or raises Http404."""
    return shown_invoice(caller, get_own_or_404(caller, invoice_rows(), invoice_id))


def shown_invoice(caller: Caller, row: models.Invoice) -> Invoice:
    """Returns an invoice of `invoice_rows`."""
    found: Any = row
    has_page = row.status != InvoiceStatus.DRAFT and Permission.COPY_LINKS in caller.permissions
    return Invoice(
        id=row.pk,
        number=row.number,
        status=InvoiceStatus(row.status),
        customer=row.customer_id,
        quote=row.quote_id,
        currency=row.currency,
        lines=shown_lines(row.lines.all()),
        discount=shown_discount(row),
        notes=row.notes,
        subtotal=row.subtotal_minor,
        tax=row.tax_minor,
        total=row.total_minor,
        amount_paid=row.amount_paid_minor,
        amount_settled=row.adjusted_minor,
        amount_due=row.amount_due_minor,
        payment_status=row.payment_status,
        is_overdue=row.is_overdue(caller.today),
        due_on=row.due_on,
        due_days=row.due_days,
        open_payment_request=found.open_requests[0].pk if found.open_requests else None,
        url=links.invoice_url(row) if has_page else None,
        external_reference=row.external_reference,
        metadata=row.metadata,
        version=row.version,
        created_at=row.created_at,
        sent_at=row.sent_at,
        paid_at=row.paid_at,
        updated_at=found.updated_at,
    )


def request_rows() -> PaymentRequestQuerySet:
    """Returns payment requests with all that `shown_request` reads."""
    return models.PaymentRequest.objects.select_related("organization", "invoice__customer")


def shown_request(caller: Caller, row: models.PaymentRequest) -> PaymentRequest:
    """Returns a payment request of `request_rows`."""
    may_use_links = Permission.COPY_LINKS in caller.permissions
    is_open = row.status == PaymentRequestStatus.OPEN
    is_payable = is_open and not row.has_expired(caller.now)
    return PaymentRequest(
        id=row.pk,
        invoice=row.invoice_id,
        status=PaymentRequestStatus(row.status),
        cancel_reason=CancelReason(row.cancel_reason) if row.cancel_reason else None,
        amount_requested=row.amount_requested_minor,
        currency=row.currency,
        remaining_due=row.invoice.amount_due_minor - row.amount_requested_minor if is_open else None,
        to=row.to,
        cc=row.cc,
        bcc=row.bcc if may_use_links else None,
        note=row.note,
        return_url=row.return_url if may_use_links else None,
        url=links.request_url(row) if is_payable and may_use_links else None,
        external_reference=row.external_reference,
        metadata=row.metadata,
        created_at=row.created_at,
        expires_at=row.expires_at,
        opened_at=row.opened_at,
        ended_at=row.ended_at,
    )


def _customers(caller: Caller, ids: set[str]) -> Iterable[Customer]:
    return map(
        shown_customer, models.Customer.objects.for_organization(caller.organization).filter(pk__in=ids)
    )


def _invoices(caller: Caller, ids: set[str]) -> Iterable[Invoice]:
    rows = invoice_rows().for_organization(caller.organization).filter(pk__in=ids)
    return (shown_invoice(caller, row) for row in rows)


def _requests(caller: Caller, ids: set[str]) -> Iterable[PaymentRequest]:
    rows = request_rows().for_organization(caller.organization).filter(pk__in=ids)
    return (shown_request(caller, row) for row in rows)


_BY_NAME: dict[str, Callable[[Caller, set[str]], Iterable[Customer | Invoice | PaymentRequest]]] = {
    "customer": _customers,
    "invoice": _invoices,
    "payment_request": _requests,
    "open_payment_request": _requests,
}


def expand(caller: Caller, shown: Sequence[Expandable], names: Iterable[str]) -> None:
    """Adds the objects of these names, by a fixed number of queries for each name, however many rows there are."""
    for name in sorted(set(names)):
        ids = {getattr(each, name) for each in shown} - {None}
        found = {row.id: row for row in _BY_NAME[name](caller, ids)} if ids else {}
        for each in shown:
            each.expanded = each.expanded or Expanded()
            setattr(each.expanded, name, found.get(getattr(each, name)))
