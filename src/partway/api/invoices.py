"""Invoices: list, read, write and change; `invoice_acts` has what happens to a whole invoice."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal

from ninja import Query, Router
from pydantic import ConfigDict, Field, StrictBool, StrictInt

from partway.accounts.permissions import Permission
from partway.billing import external_fields, models, preconditions
from partway.billing.documents import invoices
from partway.billing.documents.invoices import InvoiceDraft
from partway.billing.errors import Invalid, field_error
from partway.billing.models.invoices import InvoiceQuerySet, InvoiceStatus
from partway.lib.money import Money

from . import lists
from .access import Caller, KeyRequest, call, get_customer
from .documents import DocumentChanges, DocumentInput, changed_content, new_content
from .objects import Invoice, expand, fresh_invoice, get_invoice, invoice_rows, shown_invoice
from .schemas import (
    EXPAND,
    Amount,
    DatedFilters,
    Day,
    Id,
    Page,
    Parameters,
    ReferenceFilter,
    SearchText,
    Time,
    Version,
    shown_as,
)

router = Router(tags=["Invoices"])
_DUE_TWICE = {"due_days": field_error("not_with", other="due_on")}


class InvoiceList(Page[Invoice]):
    """A page of invoices, the newest first."""


class PaymentStatus(StrEnum):
    """How much of an invoice is paid."""

    UNPAID = "unpaid"
    PARTIALLY_PAID = "partially_paid"
    PAID = "paid"


class InvoiceParts(Parameters):
    """The objects that an invoice is returned with."""

    expand: Annotated[
        list[Literal["customer", "open_payment_request"]], Field(max_length=2, description=EXPAND)
    ] = []


class InvoiceFilters(DatedFilters, InvoiceParts):
    """Which invoices to list; the bounds of ranges belong to them."""

    status: InvoiceStatus | None = None
    payment_status: Annotated[PaymentStatus | None, Field(description="Of invoices that were sent.")] = None
    is_overdue: bool | None = None
    customer: Id | None = None
    external_reference: ReferenceFilter | None = None
    due_from: Day | None = None
    due_until: Day | None = None
    paid_from: Time | None = None
    paid_until: Time | None = None
    search: Annotated[SearchText, Field(description="Words of the number or the customer.")] = ""


class NewInvoice(DocumentInput):
    """An invoice to write; it is a draft until it is sent.

    due_days: due so many days after it is sent, instead of due_on. Without either it is due as the organization's
    settings say.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "customer": "cus_06c5x2c2d8y05fgz8gbgrdwqph",
                    "due_days": 14,
                    "lines": [
                        {"description": "Oak staircase", "unit_amount": 250000, "tax_percent": "8.25"},
                        {"description": "Hours on site", "quantity": "7.5", "unit_amount": 6500},
                    ],
                    "discount": {"percent": "5"},
                }
            ]
        }
    )

    due_on: Day | None = None
    due_days: Annotated[StrictInt, Field(ge=0, le=invoices.MAX_DUE_DAYS)] | None = None


class InvoiceChanges(DocumentChanges):
    """Changes of an invoice; fields left out stay as they are, and `lines` replace all lines.

    version: that of the invoice as it was read. amount_paid: refuses the change when more was paid meanwhile and a part
    of it would become credit. notify_customer: mails the invoice as it is then.
    """

    model_config = shown_as(version=2, due_on="2026-12-31")

    due_on: Day | None = None
    due_days: Annotated[StrictInt, Field(ge=0, le=invoices.MAX_DUE_DAYS)] | None = None
    amount_paid: Amount | None = None
    notify_customer: StrictBool = False


@call(router, "GET", "", permission=Permission.VIEW_INVOICES, returns=InvoiceList)
def index(request: KeyRequest, filters: Query[InvoiceFilters]) -> InvoiceList:
    """Lists invoices, the newest first."""
    caller = request.caller
    rows = _filtered(caller, filters)
    found = lists.page(InvoiceList, rows, filters, lambda row: shown_invoice(caller, row))
    expand(caller, found.data, filters.expand)
    return found


def _filtered(caller: Caller, filters: InvoiceFilters) -> InvoiceQuerySet:
    organization = caller.organization
    columns: dict[str, Any] = {
        "status": filters.status,
        "external_reference": filters.external_reference,
        "due_on__gte": filters.due_from,
        "due_on__lte": filters.due_until,
        "paid_at__gte": filters.paid_from,
        "paid_at__lte": filters.paid_until,
    }
    if filters.customer:
        columns["customer"] = get_customer(caller, filters.customer)
    rows = lists.selected(invoice_rows(), "invoice", filters, organization, columns, search=filters.search)
    match filters.payment_status:
        case PaymentStatus.UNPAID:
            rows = rows.due().filter(amount_paid_minor=0)
        case PaymentStatus.PARTIALLY_PAID:
            rows = rows.partially_paid()
        case PaymentStatus.PAID:
            rows = rows.filter(status=InvoiceStatus.PAID)
    if filters.is_overdue is not None:
        overdue = models.Invoice.objects.filter(organization=organization).overdue(caller.today)
        rows = rows.overdue(caller.today) if filters.is_overdue else rows.exclude(pk__in=overdue.values("pk"))
    return rows


@call(router, "POST", "", permission=Permission.EDIT_INVOICES, returns=Invoice, status=201)
def create(request: KeyRequest, body: NewInvoice) -> Invoice:
    """Writes an invoice as a draft."""
    caller, organization = request.caller, request.caller.organization
    if body.due_on is not None and body.due_days is not None:
        raise Invalid(_DUE_TWICE)
    is_dated, default_days = body.due_on is not None, organization.default_due_days
    draft = InvoiceDraft(
        due_on=body.due_on,
        due_days=None if is_dated else default_days if body.due_days is None else body.due_days,
        **new_content(caller, body),
    )
    made = invoices.create(
        organization, draft=draft, by=caller.actor, now=caller.now, idempotency_key=caller.one_time_key
    )
    return fresh_invoice(caller, made.pk)


@call(router, "GET", "/{invoice_id}", permission=Permission.VIEW_INVOICES, returns=Invoice)
def show(request: KeyRequest, invoice_id: Id, parts: Query[InvoiceParts]) -> Invoice:
    """Reads an invoice."""
    found = fresh_invoice(request.caller, invoice_id)
    expand(request.caller, [found], parts.expand)
    return found


@call(router, "PATCH", "/{invoice_id}", permission=Permission.EDIT_INVOICES, returns=Invoice)
def change(request: KeyRequest, invoice_id: Id, body: InvoiceChanges) -> Invoice:
    """Changes an invoice; of one that was sent the lines, the due date and the notes.

    A payment request that asks for more than is due then is canceled. Reference and metadata can be changed in every
    state, and make no new version.
    """
    caller = request.caller
    invoice = get_invoice(caller, invoice_id)
    if not body.has_other_changes():
        preconditions.check_version(invoice, body.version)
        external_fields.change(invoice, body.external, by=caller.actor, now=caller.now)
        return fresh_invoice(caller, invoice.pk)
    if body.notify_customer and invoice.status == InvoiceStatus.DRAFT:
        raise Invalid({"notify_customer": field_error("notify_of_draft")})
    paid = None if body.amount_paid is None else Money(body.amount_paid, invoice.currency)
    invoices.edit(
        invoice,
        draft=_changed(caller, invoice, body),
        expected_version=body.version,
        expected_amount_paid=paid,
        notify_customer=body.notify_customer,
        by=caller.actor,
        now=caller.now,
    )
    return fresh_invoice(caller, invoice.pk)


@call(router, "DELETE", "/{invoice_id}", permission=Permission.EDIT_INVOICES, returns=None, status=204)
def delete(request: KeyRequest, invoice_id: Id, known: Query[Version]) -> None:
    """Deletes a draft, which has no number yet; one that was sent is voided instead."""
    caller = request.caller
    invoice = get_invoice(caller, invoice_id)
    invoices.delete_draft(invoice, expected_version=known.version, by=caller.actor, now=caller.now)


def _changed(caller: Caller, invoice: models.Invoice, body: InvoiceChanges) -> InvoiceDraft:
    """Returns the content of an invoice with these changes; `edit` refuses it when the version is another by then."""
    due: dict[str, Any] = {"due_on": invoice.due_on, "due_days": invoice.due_days}
    if body.due_on is not None and body.due_days is not None:
        # As they were read they may be sent back.
        if (body.due_on, body.due_days) != (invoice.due_on, invoice.due_days):
            raise Invalid(_DUE_TWICE)
    elif body.due_on is not None:
        due = {"due_on": body.due_on, "due_days": None}
    elif body.due_days is not None:
        due["due_days"] = body.due_days
    return InvoiceDraft(**changed_content(caller, invoice, body), **due)
