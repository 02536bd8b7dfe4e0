"""No input is dropped: fields that exclude each other, parameters that a call does not take, and those sent twice."""

from __future__ import annotations

from typing import Any

import pytest

from partway.billing.models import Invoice, Refund
from tests.api.program import DOCUMENT, Program, problem
from tests.support import personas

LINES = [{"description": "Stairs", "unit_amount": 100}]


def wrong(response: Any) -> dict[str, str]:
    """Returns the code of each wrong field."""
    assert problem(response) == (422, "invalid")
    return {one["field"]: one["code"] for one in response.json()["fields"]}


def test_due_date_and_days_are_not_taken_together(collector: Program, invoice: Invoice) -> None:
    both = {"due_on": "2027-01-15", "due_days": 14}
    new = {"customer": invoice.customer_id, "lines": LINES}
    assert wrong(collector.post("/invoices", {**new, **both})) == {"due_days": "not_with"}
    draft = collector.post("/invoices", {**new, "due_days": 14}).json()
    path, read = f"/invoices/{draft['id']}", {name: draft[name] for name in ("version", "due_on", "due_days")}
    assert wrong(collector.patch(path, {**read, **both})) == {"due_days": "not_with"}
    assert collector.patch(path, {**read, "notes": "As read"}).json()["due_days"] == 14


def test_draft_is_not_mailed_by_a_change(collector: Program, invoice: Invoice) -> None:
    draft = collector.post("/invoices", {"customer": invoice.customer_id, "lines": LINES}).json()
    change = {"version": draft["version"], "notes": "New", "notify_customer": True}
    assert wrong(collector.patch(f"/invoices/{draft['id']}", change)) == {
        "notify_customer": "notify_of_draft"
    }


def test_copies_are_not_taken_without_a_recipient(collector: Program, invoice: Invoice) -> None:
    requested = personas.request_payment(invoice)
    again = collector.post(f"/payment_requests/{requested.pk}/resend", {"cc": ["li@reed.example"]})
    assert wrong(again) == {"cc": "only_with"}


def test_reason_of_a_refund_by_hand_is_kept(admin: Program, invoice: Invoice) -> None:
    payment = personas.record_check(invoice, 1_000)
    body = {"amount": 100, "reason": "complaint", "method": "Cash"}
    assert admin.post(f"/payments/{payment.pk}/refunds", body).json()["reason"] == "complaint"
    assert Refund.objects.get().reason == "complaint"


def test_details_of_a_refund_by_hand_are_not_taken_of_others(admin: Program, invoice: Invoice) -> None:
    payment = personas.captured_payment(invoice, 1_000)
    body = {"amount": 100, "reason": "complaint", "reference": "No. 118", "refunded_on": "2026-11-30"}
    dropped = {"reference": "only_with", "refunded_on": "only_with"}
    assert wrong(admin.post(f"/payments/{payment.pk}/refunds", body)) == dropped
    way = {"amount": payment.amount_minor, "way": "credit", "method": "Cash"}
    void = admin.post(f"/invoices/{invoice.pk}/void", {"payments": {payment.pk: way}})
    assert wrong(void) == {f"payments.{payment.pk}": "only_with"}


def test_reason_of_refunds_is_not_taken_without_any(admin: Program, invoice: Invoice) -> None:
    void = admin.post(f"/invoices/{invoice.pk}/void", {"reason": "canceled", "note": "Twice"})
    assert wrong(void) == {"reason": "only_with", "note": "only_with"}


def test_large_rest_is_confirmed_by_the_scope_admin_only(collector: Program, invoice: Invoice) -> None:
    settled = collector.post(f"/invoices/{invoice.pk}/settle", {"reason": "fee", "confirm_large": True})
    assert problem(settled) == (403, "forbidden")
    assert settled.json()["detail"] == "This takes a key of the scope admin."


CALLS = [(path, method) for path, methods in DOCUMENT["paths"].items() for method in methods]


@pytest.mark.parametrize(("path", "method"), CALLS)
def test_unknown_and_repeated_parameters_are_refused(admin: Program, path: str, method: str) -> None:
    operation = DOCUMENT["paths"][path][method]
    known = [one for one in operation.get("parameters", []) if one["in"] == "query"]
    once = [one["name"] for one in known if one["schema"].get("type") != "array"]
    query = "&".join(["expnd=customer", "verson=1", *(f"{name}=1&{name}=2" for name in once)])
    address = path.removeprefix("/api/v1").replace("{", "").replace("}", "")
    response = admin.call(method.upper(), f"{address}?{query}", None if method == "get" else {})
    expected = {"expnd": "unknown", "verson": "unknown", **dict.fromkeys(once, "repeated")}
    assert wrong(response) == expected


RANGES = [
    (path, start, end)
    for path, method in CALLS
    for start in [one["name"] for one in DOCUMENT["paths"][path][method].get("parameters", [])]
    if (end := {"from": "to"}.get(start, start.removesuffix("from") + "until")) != f"{start}until"
]


@pytest.mark.parametrize(("path", "start", "end"), RANGES)
def test_range_that_ends_before_it_begins_is_refused(admin: Program, path: str, start: str, end: str) -> None:
    is_day = start in ("from", "due_from")
    first, last = (day if is_day else f"{day}T12:00:00Z" for day in ("2026-11-30", "2026-11-29"))
    address = path.removeprefix("/api/v1").replace("{", "").replace("}", "")
    response = admin.get(f"{address}?{start}={first}&{end}={last}")
    assert wrong(response) == {end: "range_reversed"}
    assert response.json()["fields"][0]["message"] == f"This is before `{start}`."


@pytest.mark.parametrize(
    ("body", "field", "message"),
    [
        ({"lines": []}, "lines", "Send at least 1."),
        (
            {"lines": [{"description": "A", "unit_amount": 1.5}]},
            "lines.0.unit_amount",
            "Send a whole number.",
        ),
        ({"lines": LINES, "due_on": 5}, "due_on", "Write it in the form of RFC 3339, as 2026-11-30."),
        ({"lines": LINES, "due_on": "2026-02-30"}, "due_on", "Send a day, as 2026-11-30."),
        ({"lines": LINES, "discount": {}}, "discount", "Give either percent or amount."),
        ({"lines": LINES, "currency": "usd"}, "currency", "Send a text of the form ^[A-Z]{3}$."),
        ({"lines": LINES, "due_days": 400}, "due_days", "Send 365 or less."),
        ({"lines": LINES, "note": ""}, "note", "There is no such field here."),
    ],
)
def test_wrong_form_is_said_in_plain_words(
    collector: Program, invoice: Invoice, body: dict[str, object], field: str, message: str
) -> None:
    said = collector.post("/invoices", {"customer": invoice.customer_id, **body}).json()["fields"]
    assert [(one["field"], one["message"]) for one in said] == [(field, message)]


@pytest.mark.parametrize(
    ("path", "field", "message"),
    [
        ("/invoices?expand=lines", "expand", "Send one of these: 'customer' or 'open_payment_request'."),
        ("/invoices?limit=0", "limit", "Send 1 or more."),
        ("/invoices?created_from=2026-11-30T12:00:00", "created_from", None),
        ("/invoices?created_from=2026", "created_from", None),
        ("/journal?from=2026-11-30&to=2026-11-01", "to", "This is before `from`."),
    ],
)
def test_wrong_parameter_is_named(collector: Program, path: str, field: str, message: str | None) -> None:
    [said] = collector.get(path).json()["fields"]
    assert said["field"] == field
    assert message in (None, said["message"])


@pytest.mark.parametrize("to", [5, [5], {}])
def test_recipients_of_the_wrong_form_are_named_by_their_field(
    collector: Program, invoice: Invoice, to: object
) -> None:
    response = collector.post(f"/invoices/{invoice.pk}/payment_requests", {"amount_requested": 100, "to": to})
    assert list(wrong(response)) == ["to.0" if isinstance(to, list) else "to"]
