"""Every call of the API, found in its routes, with a body and rows by which it succeeds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from partway.accounts.models import Organization
from partway.accounts.permissions import Permission, permission_of
from partway.api.v1 import api
from partway.billing.events import OPERATOR
from partway.billing.models import Customer, Invoice
from partway.billing.receivables import write_offs
from partway.lib.clock import now
from tests.support import personas


@dataclass(frozen=True)
class Call:
    """One call: its name in the OpenAPI document, its method and path, and the function behind it."""

    name: str
    method: str
    path: str
    view: Callable[..., Any]

    @property
    def permission(self) -> Permission:
        """The permission that it takes."""
        permission = permission_of(self.view)
        assert permission, self.name
        return permission


def _calls() -> Iterator[Call]:
    for router in api._get_bound_routers():
        for path, path_view in router.path_operations.items():
            for operation in path_view.operations:
                name = str(operation.operation_id)
                yield Call(name, operation.methods[0], f"{router.prefix}{path}", operation.view_func)


CALLS = {call.name: call for call in _calls()}
POSTS = [name for name, call in CALLS.items() if call.method == "POST"]

LINES = [{"description": "Oak staircase", "quantity": "2", "unit_amount": 50_000, "tax_percent": "8.25"}]


def body_of(name: str, organization: Organization) -> dict[str, Any] | None:
    """Returns a body with which the call succeeds on the row of `path_of`."""
    bodies: dict[str, dict[str, Any]] = {
        "customers_create": {"name": "Quinn Pike", "email": "quinn@pike.example"},
        "customers_change": {"phone": "555 0142"},
        "invoices_create": {"customer": _customer(organization).pk, "lines": LINES},
        "invoices_change": {"version": 1, "notes": "Thank you."},
        "invoices_settle": {"reason": "fee"},
        "payment_requests_create": {"amount_requested": 30_000, "to": ["dana@reed.example"]},
    }
    return bodies.get(name)


def path_of(name: str, organization: Organization) -> str:
    """Returns the path of the call for a row of this organization in a state in which it succeeds."""
    path = CALLS[name].path
    if "{customer_id}" in path:
        return path.replace("{customer_id}", _customer(organization).pk)
    if "{invoice_id}" in path:
        return path.replace("{invoice_id}", _invoice(name, _customer(organization)).pk)
    if "{request_id}" in path:
        requested = personas.request_payment(personas.sent_invoice(_customer(organization)))
        return path.replace("{request_id}", requested.pk)
    return path


def _customer(organization: Organization) -> Customer:
    return organization.customers.first() or personas.customer(organization)


def _invoice(name: str, owes: Customer) -> Invoice:
    if name in ("invoices_send", "invoices_change"):
        return personas.draft_invoice(owes)
    invoice = personas.sent_invoice(owes)
    if name == "invoices_settle":
        personas.record_check(invoice, 99_000)
    if name == "invoices_reopen":
        write_offs.write_off(invoice, by=OPERATOR, now=now())
    return invoice
