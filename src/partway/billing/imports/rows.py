"""Makes the customer, invoice or quote of a row by the acts that pages and programs use, or compares with one there."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from partway.lib import clock
from partway.lib.email_addresses import unicode_address
from partway.lib.ids import new_id
from partway.lib.money import Money

from ..documents import invoices, quotes
from ..documents.amounts import LineAmount, totals
from ..documents.drafts import LineDraft
from ..documents.invoices import InvoiceDraft
from ..documents.quotes import QuoteDraft
from ..errors import BillingError, FieldError, Invalid, field_error
from ..events import Actor
from ..external_fields import ExternalFields
from ..models import Customer, Import, Invoice, Quote
from ..models.imports import ImportKind
from ..people import customers
from ..people.customers import CustomerDetails
from ..receivables import offline_payments
from ..receivables.offline_payments import OfflinePayment

Made = Customer | Invoice | Quote
# The id of a customer in place of the one that a row does not name, while it is looked at for what else is wrong.
_STAND_IN = ":customer"
_MOST_TURNS = 6

MODELS: dict[str, type[Made]] = {
    ImportKind.CUSTOMERS: Customer,
    ImportKind.INVOICES: Invoice,
    ImportKind.QUOTES: Quote,
}
# The fields of a file by those that acts name.
_FIELDS = {
    "lines": "amount",
    "lines.0.description": "description",
    "lines.0.unit_amount": "amount",
    "lines.0.tax_percent": "tax_percent",
    "method": "paid_by",
}


def present_rows(run: Import, references: Iterable[str]) -> dict[str, Made]:
    """Returns the rows that have one of these references already, by it."""
    model: Any = MODELS[run.kind]
    found = model.objects.for_organization(run.organization).filter(external_reference__in=list(references))
    return {row.external_reference: row for row in found}


def make(run: Import, values: Mapping[str, Any], *, by: Actor, now: datetime) -> Made:
    """Makes the row of these values; no mail is sent. Raises Invalid, with fields as the file has them.

    An invoice is issued with the next number, and what was paid of it is recorded as one payment by hand; a quote is a
    draft, so that a member reads it before the customer does.
    """
    make_row: Callable[..., Any] = {
        ImportKind.CUSTOMERS: _make_customer,
        ImportKind.INVOICES: _make_invoice,
        ImportKind.QUOTES: _make_quote,
    }[ImportKind(run.kind)]
    try:
        made: Made = make_row(run, values, by, now)
        return made
    except Invalid as error:
        raise Invalid({_FIELDS.get(name, name): wrong for name, wrong in error.fields.items()}) from None


def _make_customer(run: Import, values: Mapping[str, Any], by: Actor, now: datetime) -> Customer:
    return customers.create(
        run.organization, details=_details(values), external=_external(values), by=by, now=now
    )


def _details(values: Mapping[str, Any]) -> CustomerDetails:
    return CustomerDetails(**{name: values.get(name, "") for name in ("name", "email", "phone", "address")})


def _make_invoice(run: Import, values: Mapping[str, Any], by: Actor, now: datetime) -> Invoice:
    paid_minor = values.get("amount_paid", 0)
    if paid_minor and "paid_on" not in values:
        raise Invalid({"paid_on": field_error("import_paid_on_missing")})
    draft = InvoiceDraft(due_on=values["due_on"], **_content(run, values))
    invoice = invoices.create(run.organization, draft=draft, by=by, now=now)
    invoices.send(invoice, allow_overdue=True, sends_mail=False, by=by, now=now)
    if not paid_minor:
        return invoice
    paid = OfflinePayment(
        amount=Money(paid_minor, invoice.currency),
        method=values.get("paid_by", run.payment_method),
        paid_on=values["paid_on"],
        paid_before_issue=True,
    )
    try:
        offline_payments.record(invoice, offline=paid, by=by, now=now)
    except Invalid as error:
        renamed = {"amount": "amount_paid"}
        raise Invalid({renamed.get(name, name): wrong for name, wrong in error.fields.items()}) from None
    return invoice


def _make_quote(run: Import, values: Mapping[str, Any], by: Actor, now: datetime) -> Quote:
    deposit: dict[str, Any] = {}
    if "deposit_percent" in values and "deposit_amount" in values:
        raise Invalid({"deposit_amount": field_error("import_deposit_twice")})
    if values.get("deposit_percent"):
        deposit = {"deposit_kind": "percent", "deposit_percent": values["deposit_percent"]}
    elif values.get("deposit_amount"):
        deposit = {"deposit_kind": "amount", "deposit_amount_minor": values["deposit_amount"]}
    draft = QuoteDraft(valid_until=values["valid_until"], **deposit, **_content(run, values))
    return quotes.create(run.organization, draft=draft, by=by, now=now)


def _content(run: Import, values: Mapping[str, Any]) -> dict[str, Any]:
    """Returns what invoices and quotes have in common: one line over the amount."""
    line = LineDraft(
        description=values.get("description", values["external_reference"]),
        quantity=Decimal(1),
        unit_amount_minor=values["amount"],
        tax_percent=values.get("tax_percent", Decimal(0)),
    )
    return {
        "customer": _customer(run, values),
        "currency": values["currency"],
        "lines": (line,),
        "notes": values.get("notes", ""),
        "external": _external(values),
    }


def _customer(run: Import, values: Mapping[str, Any]) -> Customer:
    """Returns the customer whom a row names by reference or address; raises Invalid unless it is exactly one."""
    theirs = Customer.objects.for_organization(run.organization)
    reference, address = values.get("customer_reference"), values.get("customer_email")
    if _STAND_IN in values:
        return Customer.objects.get(pk=values[_STAND_IN])
    if reference:
        found = list(theirs.filter(external_reference=reference))
    elif address:
        found = list(theirs.filter(email__iexact=address)[:2])
    else:
        raise Invalid({"customer_reference": field_error("cell_empty")})
    if len(found) == 1:
        return found[0]
    name = "customer_reference" if reference else "customer_email"
    code = "import_customer_ambiguous" if found else "import_customer_unknown"
    raise Invalid({name: field_error(code)})


def _external(values: Mapping[str, Any]) -> ExternalFields:
    return ExternalFields(values["external_reference"])


def differences(row: Made, values: Mapping[str, Any]) -> list[str]:
    """Returns the fields in which the file says otherwise than the row that is here; payments count for none."""
    if isinstance(row, Customer):
        said = replace(_details(values), email=unicode_address(values["email"]))
        return [
            name
            for name in ("name", "email", "phone", "address")
            if getattr(row, name) != getattr(said, name)
        ]
    line = LineAmount(values["amount"], values.get("tax_percent", Decimal(0)))
    total = (totals([line], 0).total_minor, values["currency"])
    day = "due_on" if isinstance(row, Invoice) else "valid_until"
    differing = [] if (row.total_minor, row.currency) == total else ["amount"]
    return differing + ([] if getattr(row, day) == values[day] else [day])


def all_errors(
    run: Import,
    values: Mapping[str, Any],
    errors: Mapping[str, FieldError],
    *,
    by: Actor,
    now: datetime,
) -> dict[str, FieldError]:
    """Returns these errors of a row and all others that it has, so that one check names them.

    An act stops at the first thing that is wrong, so the row is tried again with a right value in place of each wrong
    one, and taken back.
    """
    found, tried = dict(errors), dict(values)
    for _turn in range(_MOST_TURNS):
        try:
            with transaction.atomic():
                tried = _with_stand_ins(run, tried, found, by=by, now=now)
                make(run, tried, by=by, now=now)
                transaction.set_rollback(True)
        except BillingError as refusal:
            more = {name: error for name, error in errors_of(refusal).items() if name not in found}
            if not more:
                break
            found |= more
        else:
            break
    return found


def _with_stand_ins(
    run: Import, values: Mapping[str, Any], wrong: Collection[str], *, by: Actor, now: datetime
) -> dict[str, Any]:
    """Returns the values with right ones in place of these fields; without those that are optional."""
    right = {name: value for name, value in values.items() if name not in wrong}
    today = clock.today(now, run.organization.time_zone)
    needed = {
        "external_reference": new_id("try"),
        "name": "-",
        "email": "name@example.com",
        "currency": run.organization.currency,
        # No less than what is paid of it or asked before it.
        "amount": max(100, *(values.get(name, 0) for name in ("amount", "amount_paid", "deposit_amount"))),
        "due_on": today,
        "valid_until": today,
        "paid_on": today,
        "paid_by": run.organization.payment_modes[0],
    }
    # Without its tax the amount could be less than what was paid.
    wrong = {*wrong, "amount"} if "tax_percent" in wrong else {*wrong}
    right |= {name: value for name, value in needed.items() if name in wrong}
    if {"customer_reference", "customer_email"} & wrong:
        details = CustomerDetails("-", "name@example.com", "", "")
        right[_STAND_IN] = customers.create(run.organization, details=details, by=by, now=now).pk
    return right


def errors_of(refusal: BillingError) -> dict[str, FieldError]:
    """Returns what a refusal says about a row: its fields, or under no field its code."""
    if isinstance(refusal, Invalid):
        return {name: wrong for name, wrong in refusal.fields.items() if isinstance(wrong, FieldError)}
    code = ".".join(filter(None, (refusal.code, refusal.reason)))
    return {"": FieldError(code, refusal.params)}
