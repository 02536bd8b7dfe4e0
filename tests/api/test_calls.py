"""Rules that hold for every call, found in the routes so that a new one cannot be forgotten."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.db.models import Model
from django.test.utils import CaptureQueriesContext

from partway.accounts.models import IdempotentCall, KeyScope, Organization
from partway.accounts.permissions import SCOPE_ROLES, permission_of, permissions_of
from partway.api.v1 import api
from partway.billing.models import Customer, Event, Payment, PaymentRequest, Refund
from partway.lib.clock import now
from tests.api.calls import CALLS, NEVER, POSTS, body_of, path_of
from tests.api.program import Program, problem, program
from tests.staff.test_page_permissions import acts_of
from tests.support import personas


@pytest.mark.parametrize("name", CALLS)
def test_call_takes_the_permission_of_its_acts(name: str) -> None:
    acts = acts_of(CALLS[name].view)
    assert {permission_of(act) for act in acts} <= {CALLS[name].permission}
    assert acts or CALLS[name].method == "GET"


@pytest.mark.parametrize("name", CALLS)
def test_call_succeeds_for_the_scopes_that_have_its_permission(organization: Organization, name: str) -> None:
    call = CALLS[name]
    for scope in KeyScope.values:
        response = program(organization, scope).call(
            call.method, path_of(name, organization), body_of(name, organization)
        )
        if name in NEVER and call.permission in permissions_of(SCOPE_ROLES[scope]):
            assert problem(response) == NEVER[name]
        elif call.permission in permissions_of(SCOPE_ROLES[scope]):
            assert response.status_code in (200, 201, 204), response.content
        else:
            assert problem(response) == (403, "forbidden")


@pytest.mark.parametrize("name", [name for name, call in CALLS.items() if "{" in call.path])
def test_row_of_another_organization_is_not_found(
    organization: Organization, outsider: Program, name: str
) -> None:
    path, body = path_of(name, organization), body_of(name, organization)
    before = Event.objects.count()
    assert problem(outsider.call(CALLS[name].method, path, body)) == (404, "not_found")
    assert Event.objects.count() == before


# Where else an id can be, beside paths.
IDS_ELSEWHERE = {
    ("customer_accounts_apply_credit", "invoice"),
    ("customer_accounts_release_credit", "invoice"),
    ("customer_accounts_release_credit", "payment"),
    *(("events_index", noun) for noun in ("customer", "invoice", "quote", "payment_request", "payment")),
    ("invoices_create", "customer"),
    ("invoices_change", "customer"),
    ("invoices_index", "customer"),
    ("invoices_void", "payments"),
    ("payment_requests_index", "customer"),
    ("payment_requests_index", "invoice"),
    *(("payments_index", noun) for noun in ("customer", "invoice", "quote", "payment_request")),
    *((f"quotes_{name}", "customer") for name in ("create", "change", "index")),
}
ROWS: dict[str, Callable[[Customer], Model]] = {
    "customer": lambda owes: owes,
    "invoice": personas.sent_invoice,
    "quote": personas.sent_quote,
    "payment_request": lambda owes: personas.request_payment(personas.sent_invoice(owes)),
    "payment": lambda owes: personas.record_check(personas.sent_invoice(owes), 30_000),
    "payments": lambda owes: personas.record_check(personas.sent_invoice(owes), 30_000),
}


@pytest.mark.parametrize(("name", "field"), sorted(IDS_ELSEWHERE))
def test_id_of_another_organization_in_body_or_query_is_not_found(
    organization: Organization, outsider: Program, name: str, field: str
) -> None:
    foreign = ROWS[field](personas.customer(organization)).pk
    path = path_of(name, outsider.key.organization)
    # Of some an id is the name of what is said about its row.
    value: object = {foreign: {"amount": 1, "way": "credit"}} if field == "payments" else foreign
    sent = {**(body_of(name, outsider.key.organization) or {}), field: value}
    before = Event.objects.count()
    is_get = CALLS[name].method == "GET"
    query, body = (f"?{field}={foreign}", None) if is_get else ("", sent)
    assert problem(outsider.call(CALLS[name].method, path + query, body)) == (404, "not_found")
    assert Event.objects.count() == before


def test_every_id_in_bodies_and_queries_is_tried() -> None:
    document = api.get_openapi_schema(path_prefix="")
    found = set()
    for methods in document["paths"].values():
        for operation in methods.values():
            name = operation["operationId"]
            for parameter in operation["parameters"]:
                if parameter["in"] == "query" and _is_id(parameter["schema"]):
                    found.add((name, parameter["name"]))
            content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
            for schema in _schemas(document, content.get("schema", {})):
                properties = schema.get("properties", {})
                found |= {(name, field) for field, said in properties.items() if _is_id(said)}
    assert found == IDS_ELSEWHERE


def _is_id(schema: dict[str, Any]) -> bool:
    said = [schema, schema.get("propertyNames", {}), *schema.get("anyOf", [])]
    return any(one.get("maxLength") == 40 for one in said)


def _schemas(document: Any, schema: dict[str, Any]) -> list[dict[str, Any]]:
    found = [schema, *schema.get("allOf", []), *schema.get("anyOf", [])]
    return [
        document["components"]["schemas"][one["$ref"].split("/")[-1]] if "$ref" in one else one
        for one in found
    ]


@pytest.mark.parametrize("name", [name for name in POSTS if name not in NEVER])
def test_repeated_post_acts_once_and_gets_the_same_answer(
    organization: Organization, admin: Program, name: str
) -> None:
    path, body = path_of(name, organization), body_of(name, organization)
    first = admin.post(path, body, Idempotency_Key="once")
    before = Event.objects.count()
    again = admin.post(path, body, Idempotency_Key="once")
    assert first.status_code in (200, 201), first.content
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert Event.objects.count() == before
    # A payment link is in the answer, which a reader of the database must not get.
    assert "http" not in IdempotentCall.objects.get().sealed_answer


# These end in a state of their row that no act leaves, so that a repetition finds it whatever happened in between.
FINAL = {
    *("alerts_resolve", "payment_requests_cancel", "payments_reverse", "payments_reverse_refund"),
    "quotes_withdraw",
}
KEPT_ON = (Event, Payment, PaymentRequest, Refund)


@pytest.mark.parametrize("name", [name for name in POSTS if name not in NEVER])
def test_post_repeated_after_its_process_was_killed_gets_the_same_answer(
    organization: Organization, admin: Program, name: str
) -> None:
    path, body = path_of(name, organization), body_of(name, organization)
    first = admin.post(path, body, Idempotency_Key="once")
    before = Event.objects.count()
    # A row has the one-time key: by it a repetition finds what was done, whatever others have done since.
    with_key = {"idempotency_key": IdempotentCall.objects.get().pk}
    assert any(model.objects.filter(**with_key).exists() for model in KEPT_ON) == (name not in FINAL)
    # The act was committed; its answer was not stored any more.
    IdempotentCall.objects.update(status=None, claimed_until=now())
    again = admin.post(path, body, Idempotency_Key="once")
    assert (again.status_code, again.json()) == (first.status_code, first.json())
    assert Event.objects.count() == before


@pytest.mark.parametrize(
    "path",
    [
        *("/invoices", "/quotes", "/payments", "/payment_requests", "/events"),
        *("/invoices?expand=customer&expand=open_payment_request", "/payment_requests?expand=invoice"),
        *("/payments?expand=customer&expand=invoice&expand=payment_request", "/quotes?expand=customer"),
    ],
)
def test_list_needs_no_more_queries_for_more_rows(reader: Program, dana: Customer, path: str) -> None:
    reader.get(path)  # the use of the key is noted once
    counts = set()
    for _ in range(3):
        personas.record_deposit_check(personas.accept_quote(personas.sent_quote(dana)))
        payment = personas.captured_payment(personas.sent_invoice(dana), 30_000)
        personas.dispute(payment, 1_000)
        personas.give_back(payment, 1_000)
        personas.request_payment(payment.document)
        with CaptureQueriesContext(connection) as queries:
            reader.get(path)
        counts.add(len(queries))
    assert len(counts) == 1
