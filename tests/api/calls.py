"""Every call of the API, found in its routes, with a body and rows by which it succeeds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Model

from partway.accounts.models import Organization
from partway.accounts.permissions import Permission, permission_of
from partway.api.v1 import api
from partway.billing import alerts
from partway.billing.events import OPERATOR
from partway.billing.models import Alert, Customer, Dispute, Invoice, Payment, Quote
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


# Refused whatever the row: a deposit is not divisible (D1).
NEVER = {"quotes_request_payment": (422, "deposit_not_divisible")}
HOOK = "https://jobs.alder.example/hooks"
PAID = {"method": "Cash", "paid_on": "2026-01-02", "paid_before_issue": True}
PERIOD = "?from=2026-01-01&to=2026-12-31"


def body_of(name: str, organization: Organization) -> dict[str, Any] | None:
    """Returns a body with which the call succeeds on the row of `path_of`, whose rows are made first."""
    customer = _customer(organization)
    bodies: dict[str, Callable[[], dict[str, Any]]] = {
        "customers_create": lambda: {"name": "Quinn Pike", "email": "quinn@pike.example"},
        "customers_change": lambda: {"phone": "555 0142"},
        "invoices_create": lambda: {"customer": customer.pk, "lines": LINES},
        "invoices_change": lambda: {"version": 1, "notes": "Thank you."},
        "invoices_settle": lambda: {"reason": "fee"},
        "imports_create": lambda: {
            "kind": "customers",
            "content": "aWQsbmFtZSxlbWFpbAo3LEFubixhbm5AZXhhbXBsZS5jb20K",
            "columns": {"external_reference": "id", "name": "name", "email": "email"},
        },
        "quotes_create": lambda: {"customer": customer.pk, "lines": LINES},
        "quotes_change": lambda: {"version": 1, "notes": "Thank you."},
        "quotes_accept": lambda: {"name": "Dana W."},
        "quotes_decline": lambda: {"name": "Dana W."},
        "quotes_record_deposit": lambda: PAID,
        "payment_requests_create": lambda: {"amount_requested": 30_000, "to": ["dana@reed.example"]},
        "payment_requests_change": lambda: {"metadata": {"stage": "2"}},
        "payments_record": lambda: {"amount": 30_000, **PAID},
        "payments_reverse": lambda: {"reason": "It bounced."},
        "payments_refund": lambda: {"amount": 10_000, "method": "Cash"},
        "payments_reverse_refund": lambda: {"reason": "A mistake."},
        "customer_accounts_apply_credit": lambda: {
            "invoice": personas.sent_invoice(customer).pk,
            "amount": 1_000,
        },
        "customer_accounts_release_credit": lambda: _on_invoice(customer),
        "customer_accounts_refund_credit": lambda: {"amount": 1_000, "currency": "USD", "method": "Cash"},
        "disputes_take_loss": lambda: {"amount": 20_000},
        "webhook_endpoints_create": lambda: {"url": HOOK, "event_types": ["invoice.paid"]},
        "webhook_endpoints_change": lambda: {"event_types": ["*"], "status": "disabled"},
        "webhook_endpoints_retry_range": lambda: {
            "created_from": "2026-01-01T00:00:00Z",
            "created_until": "2099-01-01T00:00:00Z",
        },
        "alerts_resolve": lambda: {"digest": _alert(organization).digest},
    }
    return bodies[name]() if name in bodies else None


def path_of(name: str, organization: Organization) -> str:
    """Returns the path of the call for a row of this organization in a state in which it succeeds."""
    path = CALLS[name].path
    customer = _customer(organization)
    rows: dict[str, Callable[[], Model]] = {
        "customer_id": lambda: _with_credit(customer),
        "invoice_id": lambda: _invoice(name, customer),
        "quote_id": lambda: _quote(name, customer),
        "request_id": lambda: personas.request_payment(personas.sent_invoice(customer)),
        "payment_id": lambda: personas.record_check(personas.sent_invoice(customer), 30_000),
        "refund_id": lambda: personas.give_back(_check(customer), 10_000),
        "dispute_id": lambda: _lost_dispute(customer),
        "payout_id": lambda: personas.pay_out(organization, personas.payout_item()),
        "alert_id": lambda: _alert(organization),
        "endpoint_id": lambda: personas.webhook_endpoint(organization, HOOK),
        "delivery_id": lambda: personas.webhook_delivery(organization.webhook_endpoints.latest("pk")),
        "import_id": lambda: personas.checked_import(organization),
    }
    for field, row in rows.items():
        if f"{{{field}}}" in path:
            path = path.replace(f"{{{field}}}", row().pk)
    return path + (PERIOD if name in PERIODS else "")


PERIODS = ("customer_accounts_statement", "journal_index", "journal_balances")


def _customer(organization: Organization) -> Customer:
    return organization.customers.first() or personas.customer(organization)


def _check(owes: Customer) -> Payment:
    return personas.record_check(personas.sent_invoice(owes), 30_000)


def _on_invoice(owes: Customer) -> dict[str, Any]:
    payment = _check(owes)
    return {"invoice": payment.document.pk, "payment": payment.pk}


def _with_credit(owes: Customer) -> Customer:
    personas.record_check(personas.sent_invoice(owes), 105_000, keep_rest_as_credit=True)
    return owes


def _lost_dispute(owes: Customer) -> Dispute:
    payment = personas.captured_payment(personas.sent_invoice(owes), 30_000)
    return personas.dispute(payment, 20_000, "lost")


def _alert(organization: Organization) -> Alert:
    kind, params = "unmatched_callback", {"event_type": "payment.captured"}
    alerts.raise_for_organization(kind, organization.pk, subject="cs_1", now=now(), **params)
    return organization.alerts.get(kind=kind)


def _invoice(name: str, owes: Customer) -> Invoice:
    if name in ("invoices_send", "invoices_change", "invoices_delete"):
        return personas.draft_invoice(owes)
    invoice = personas.sent_invoice(owes)
    if name == "invoices_settle":
        personas.record_check(invoice, 99_000)
    if name == "invoices_reopen":
        write_offs.write_off(invoice, by=OPERATOR, now=now())
    return invoice


def _quote(name: str, owes: Customer) -> Quote:
    if name in ("quotes_send", "quotes_change", "quotes_delete"):
        return personas.draft_quote(owes)
    quote = personas.sent_quote(owes)
    is_accepted = name in ("quotes_record_deposit", "quotes_make_invoice")
    return personas.accept_quote(quote) if is_accepted else quote
