"""Every error below /api/ is a problem (RFC 9457): whatever refuses the request, and never a page."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from partway.billing.models import Invoice
from partway.billing.people import customers
from partway.lib.untrusted_json import MAX_BYTES
from tests.api.program import Program, problem
from tests.support import personas


@pytest.mark.parametrize(
    ("method", "path", "sent", "expected"),
    [
        ("GET", "/nothing", {}, (404, "not_found")),
        ("GET", "/../v2/", {}, (404, "not_found")),
        ("GET", "/invoices/inv_0", {}, (404, "not_found")),
        ("GET", "/invoices/a\0b", {}, (404, "not_found")),
        ("DELETE", "/customers", {}, (405, "method_not_allowed")),
        ("OPTIONS", "/customers", {}, (405, "method_not_allowed")),
        ("POST", "/customers", {"content": "{"}, (400, "malformed_json")),
        ("POST", "/customers", {"content": "[]"}, (400, "malformed_json")),
        ("POST", "/customers", {"content": '{"name": "a\\u0000"}'}, (400, "malformed_json")),
        ("POST", "/customers", {"content": '{"a": 1, "a": 1}'}, (400, "malformed_json")),
        (
            "POST",
            "/customers",
            {"content": "a=b", "Content_Type": "text/plain"},
            (415, "unsupported_media_type"),
        ),
        ("POST", "/customers", {"content": "x" * (MAX_BYTES + 1)}, (413, "too_large")),
        ("POST", "/customers", {}, (422, "invalid")),
        ("GET", "/customers", {"Host": "evil.example"}, (400, "bad_request")),
    ],
)
def test_error_is_a_problem(
    collector: Program, method: str, path: str, sent: dict[str, Any], expected: tuple[int, str]
) -> None:
    assert problem(collector.call(method, path, **sent)) == expected


def test_method_that_is_not_allowed_names_those_that_are(collector: Program) -> None:
    allowed = collector.call("DELETE", "/customers").headers["Allow"]
    assert set(allowed.split(", ")) == {"GET", "POST"}


def test_head_has_status_and_headers_of_get_without_its_body(reader: Program) -> None:
    for path in ("/customers", "/customers/cus_0"):
        read, head = reader.call("GET", path), reader.call("HEAD", path)
        assert (head.status_code, head.content) == (read.status_code, b"")
        assert head.headers["Content-Type"] == read.headers["Content-Type"]


def test_error_of_ours_is_a_problem_without_a_trace(
    collector: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(customers, "create")
    response = collector.post("/customers", {"name": "Dana", "email": "dana@reed.example"})
    assert problem(response) == (500, "internal_error")
    assert "create" not in response.content.decode()


def test_invalid_names_each_field_with_its_code(collector: Program, invoice: Invoice) -> None:
    body = {
        "customer": invoice.customer_id,
        "lines": [{"description": "", "unit_amount": 1, "quantity": "0"}],
    }
    said = collector.post("/invoices", body).json()
    assert {(one["field"], one["code"]) for one in said["fields"]} == {
        ("lines.0.description", "line_description"),
        ("lines.0.quantity", "line_quantity"),
    }


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ({"unit_amount": "100"}, "unit_amount"),
        ({"unit_amount": 1.5}, "unit_amount"),
        ({"unit_amount": True}, "unit_amount"),
        ({"unit_amount": 10**17}, "unit_amount"),
        ({"quantity": 2}, "quantity"),
        ({"quantity": "1e3"}, "quantity"),
        ({"tax": "8.25"}, "tax"),
    ],
)
def test_figure_of_the_wrong_form_is_refused(
    collector: Program, invoice: Invoice, line: dict[str, object], wrong: str
) -> None:
    lines = [{"description": "Stairs", "unit_amount": 100, **line}]
    response = collector.post("/invoices", {"customer": invoice.customer_id, "lines": lines})
    assert problem(response) == (422, "invalid")
    assert [one["field"] for one in response.json()["fields"]] == [f"lines.0.{wrong}"]


@pytest.mark.parametrize(
    ("path", "body"),
    [("s", {"due_days": True}), ("s", {"due_days": "30"}), ("s/{}/payment_requests", {"send": "no"})],
)
def test_number_or_choice_is_not_read_from_another_kind_of_value(
    collector: Program, invoice: Invoice, path: str, body: dict[str, object]
) -> None:
    said = collector.post(f"/invoice{path.format(invoice.pk)}", body).json()
    assert next(iter(body)) in [one["field"] for one in said["fields"]]


def test_refusal_names_fields_and_no_page(collector: Program, admin: Program, invoice: Invoice) -> None:
    check = {"amount": 100, "method": "Check", "paid_on": "2026-01-01"}
    early = collector.post(f"/invoices/{invoice.pk}/payments", check).json()
    assert early["detail"].endswith("Set paid_before_issue to record it all the same.")
    personas.record_check(invoice, 100)
    void = admin.post(f"/invoices/{invoice.pk}/void").json()
    assert void["detail"].endswith("Say in payments what becomes of each payment.")


def test_open_request_is_named_with_its_amount(collector: Program, invoice: Invoice) -> None:
    requested = personas.request_payment(invoice)
    response = collector.post(
        f"/invoices/{invoice.pk}/payment_requests", {"amount_requested": 100, "to": "dana@reed.example"}
    )
    assert problem(response) == (409, "payment_request_open")
    assert response.json()["payment_request"] == requested.pk
    assert response.json()["params"] == {"amount": {"amount": 30_000, "currency": "USD"}}


def test_unknown_address_is_a_problem_without_a_key_too() -> None:
    assert problem(Client().get("/api")) == problem(Client().get("/api/")) == (404, "not_found")
    assert problem(Client().get("/api/v1")) == (404, "not_found")


def test_object_of_a_body_that_is_not_there_is_named(collector: Program) -> None:
    line = {"description": "A", "unit_amount": 5}
    refused = collector.post("/invoices", {"customer": "cus_0", "lines": [line]})
    assert problem(refused) == (404, "not_found")
    assert refused.json()["detail"] == "There is no cus_0 that this key can see."
