"""`expand`: the objects that a program would ask for next come with the answer, as their own calls return them."""

from __future__ import annotations

from typing import Any

import pytest

from partway.billing.models import Customer, Invoice
from tests.api.program import Program, problem
from tests.support import personas


@pytest.fixture
def rows(dana: Customer, invoice: Invoice) -> dict[str, str]:
    """The path of one object of each kind that can have others in it."""
    payment = personas.captured_payment(invoice, 20_000, request=personas.request_payment(invoice, 20_000))
    quote = personas.sent_quote(dana)
    return {
        "invoice": f"/invoices/{invoice.pk}",
        "payment": f"/payments/{payment.pk}",
        "payment_request": f"/payment_requests/{personas.request_payment(invoice).pk}",
        "quote": f"/quotes/{quote.pk}",
    }


@pytest.mark.parametrize("scope", ["read", "collect"])
@pytest.mark.parametrize(
    ("noun", "names"),
    [
        ("invoice", ["customer", "open_payment_request"]),
        ("payment", ["customer", "invoice", "payment_request"]),
        ("payment_request", ["invoice"]),
        ("quote", ["customer", "invoice"]),
    ],
)
def test_expanded_objects_are_those_of_their_own_calls(
    reader: Program, collector: Program, rows: dict[str, str], scope: str, noun: str, names: list[str]
) -> None:
    caller = {"read": reader, "collect": collector}[scope]
    path, query = rows[noun], "&".join(f"expand={name}" for name in names)
    plain, shown = caller.get(path).json(), caller.get(f"{path}?{query}").json()
    [listed] = [row for row in _list(caller, path, query) if row["id"] == plain["id"]]
    assert plain["expanded"] is None
    assert shown == listed
    assert {**shown, "expanded": None} == plain
    parents = {"customer": "customers", "invoice": "invoices"}
    for name in names:
        parent = parents.get(name, "payment_requests")
        own = caller.get(f"/{parent}/{plain[name]}").json() if plain[name] else None
        assert shown["expanded"].pop(name) == own
    assert set(shown["expanded"].values()) == {None}


def _list(caller: Program, path: str, query: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = caller.get(f"/{path.split('/')[1]}?{query}").json()["data"]
    return found


@pytest.mark.parametrize("query", ["expand=lines", "expand=", "expand=customer,open_payment_request"])
def test_object_that_cannot_be_expanded_is_refused(reader: Program, invoice: Invoice, query: str) -> None:
    response = reader.get(f"/invoices/{invoice.pk}?{query}")
    assert problem(response) == (422, "invalid")
    assert [one["field"] for one in response.json()["fields"]] == ["expand"]
