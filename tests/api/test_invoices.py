"""Invoices and payment requests by a program: written, sent, asked for in stages, changed and ended."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from partway.accounts.models import IdempotentCall, Organization
from partway.billing.models import Customer, Invoice, Mail, Refund
from partway.lib.clock import now
from partway.staff import timeline
from tests.api.calls import LINES
from tests.api.program import Program, problem
from tests.support import personas

DANA = "dana@reed.example"


def events_of(invoice: Invoice) -> list[str]:
    return [timeline.message(event) for event in invoice.events.order_by("created_at", "id")]


def ask(program: Program, invoice: Invoice | str, **changes: Any) -> Any:
    body = {"amount_requested": 30_000, "to": DANA, **changes}
    return program.post(f"/invoices/{getattr(invoice, 'pk', invoice)}/payment_requests", body)


def test_invoice_is_written_sent_and_asked_for_in_stages(collector: Program, dana: Customer) -> None:
    body = {"customer": dana.pk, "lines": LINES, "discount": {"percent": "10"}, "due_days": 30}
    draft = collector.post("/invoices", body).json()
    assert (draft["status"], draft["url"], draft["due_days"]) == ("draft", None, 30)
    assert (draft["subtotal"], draft["tax"], draft["total"]) == (100_000, 7_425, 97_425)
    assert draft["discount"] == {"percent": "10", "amount": None}
    assert draft["lines"] == [{**LINES[0], "amount": 100_000}]
    sent = collector.post(f"/invoices/{draft['id']}/send", {"version": draft["version"]}).json()
    assert (sent["status"], sent["number"], sent["due_days"]) == ("sent", "INV-0001", None)
    requested = ask(collector, draft["id"]).json()
    assert (requested["status"], requested["remaining_due"], requested["to"]) == ("open", 67_425, [DANA])
    assert collector.get(f"/invoices/{draft['id']}").json()["open_payment_request"] == requested["id"]
    assert Mail.objects.get(kind="payment_request").to == [DANA]


def test_change_keeps_fields_that_are_left_out(collector: Program, dana: Customer) -> None:
    body = {"customer": dana.pk, "lines": LINES, "discount": {"amount": 500}, "notes": "Thank you."}
    draft = collector.post("/invoices", body).json()
    path, version = f"/invoices/{draft['id']}", draft["version"]
    changed = collector.patch(path, {"version": version, "due_on": "2035-01-31"}).json()
    kept = ("lines", "discount", "notes", "customer", "currency", "total")
    assert {name: changed[name] for name in kept} == {name: draft[name] for name in kept}
    assert (changed["due_on"], changed["due_days"]) == ("2035-01-31", None)
    without = collector.patch(path, {"version": version + 1, "discount": None, "notes": ""}).json()
    assert (without["discount"], without["notes"]) == (None, "")
    assert problem(collector.patch(path, {"version": version})) == (409, "stale")


def test_change_of_a_sent_invoice_cancels_the_request_that_no_longer_fits(
    collector: Program, invoice: Invoice
) -> None:
    requested = ask(collector, invoice).json()
    lines = [{"description": "Less", "unit_amount": 20_000, "tax_percent": "0"}]
    collector.patch(f"/invoices/{invoice.pk}", {"version": 2, "lines": lines})
    ended = collector.get(f"/payment_requests/{requested['id']}").json()
    assert (ended["status"], ended["cancel_reason"], ended["url"]) == ("canceled", "invoice_changed", None)
    assert ended["remaining_due"] is None


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"amount_requested": 100_001}, 422, "amount_exceeds_due"),
        ({"amount_requested": 0}, 422, "amount_too_small"),
        ({"to": []}, 422, "invalid"),
        ({"cc": ["dana"]}, 422, "invalid"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, 422, "invalid"),
        ({"expires_at": "2035-01-01T00:00:00"}, 422, "invalid"),
    ],
)
def test_wrong_payment_request_is_refused(
    collector: Program, invoice: Invoice, changes: dict[str, Any], status: int, code: str
) -> None:
    assert problem(ask(collector, invoice, **changes)) == (status, code)
    assert not invoice.payment_requests.exists()


def test_payment_request_needs_a_sent_invoice_and_payments(
    collector: Program, dana: Customer, organization: Organization, invoice: Invoice
) -> None:
    assert problem(ask(collector, personas.draft_invoice(dana))) == (409, "invoice_not_sent")
    Organization.objects.update(payments_enabled=False)
    assert problem(ask(collector, invoice)) == (403, "payments_not_enabled")


def test_request_expires_as_the_settings_say_unless_the_program_says_otherwise(
    collector: Program, dana: Customer, organization: Organization
) -> None:
    Organization.objects.update(request_expires_days=3)
    at = (now() + timedelta(hours=1)).isoformat()
    ends = [
        ask(collector, personas.sent_invoice(dana), **changes).json()["expires_at"]
        for changes in ({}, {"expires_at": None}, {"expires_at": at})
    ]
    assert ends[0] > at[:19]
    assert ends[1] is None
    assert ends[2][:19] == at[:19]


def test_program_shows_the_link_itself(collector: Program, invoice: Invoice) -> None:
    asked = ask(collector, invoice, to=None, send=False).json()
    assert (asked["to"], asked["url"][:4]) == (["dana.whitfield@customer.example"], "http")
    assert not Mail.objects.filter(kind="payment_request").exists()
    assert events_of(invoice)[-1].endswith("requested $300.00 with a link, without a mail")
    collector.post(f"/payment_requests/{asked['id']}/resend")
    assert Mail.objects.get(kind="payment_request").to == asked["to"]


def test_link_is_mailed_again_to_other_addresses(collector: Program, invoice: Invoice) -> None:
    path = f"/payment_requests/{ask(collector, invoice).json()['id']}"
    assert collector.post(f"{path}/resend").json()["to"] == [DANA]
    again = collector.post(f"{path}/resend", {"to": ["ada@stone.example"], "cc": [DANA]}).json()
    assert (again["to"], again["cc"]) == (["ada@stone.example"], [DANA])
    assert collector.post(f"{path}/cancel").json()["status"] == "canceled"
    assert problem(collector.post(f"{path}/resend")) == (409, "too_late")


def test_mails_of_a_program_are_limited_per_document(
    collector: Program, invoice: Invoice, settings: Settings
) -> None:
    settings.PARTWAY_MAILS_PER_LINK = 1  # which the sending was
    response = collector.post(f"/invoices/{invoice.pk}/resend")
    assert problem(response) == (429, "rate_limited")
    assert int(response.headers["Retry-After"]) > 0


def test_program_gets_no_mail_about_the_end_that_it_caused(
    admin: Program, collector: Program, dana: Customer
) -> None:
    for requester in (admin, collector):
        invoice = personas.sent_invoice(dana)
        ask(requester, invoice)
        admin.post(f"/invoices/{invoice.pk}/void")
    assert Mail.objects.get(kind="payment_request_ended").payment_request.requested_by == collector.key.pk


def test_large_rest_is_settled_by_a_key_that_may_write_off(
    collector: Program, admin: Program, invoice: Invoice
) -> None:
    path, body = f"/invoices/{invoice.pk}/settle", {"reason": "goodwill", "confirm_large": True}
    refused = collector.post(path, body)
    assert problem(refused) == (403, "forbidden")
    assert problem(admin.post(path, {**body, "amount_due": 1})) == (409, "stale")
    settled = admin.post(path, {**body, "amount_due": 100_000}).json()
    assert (settled["status"], settled["amount_settled"], settled["amount_due"]) == ("paid", 100_000, 0)


def test_invoice_that_was_paid_meanwhile_is_not_written_off(admin: Program, invoice: Invoice) -> None:
    path = f"/invoices/{invoice.pk}"
    personas.record_check(invoice, 10_000)
    assert problem(admin.post(f"{path}/write_off", {"amount_due": 100_000})) == (409, "stale")
    assert admin.post(f"{path}/write_off", {"amount_due": 90_000}).json()["status"] == "written_off"
    assert admin.post(f"{path}/reopen").json()["status"] == "sent"
    assert problem(admin.post(f"{path}/void")) == (409, "conflict")


@pytest.mark.parametrize(("sent", "days"), [({}, 14), ({"due_days": 0}, 0), ({"due_on": "2035-01-31"}, None)])
def test_invoice_is_due_as_the_settings_say_unless_the_program_says_otherwise(
    collector: Program, dana: Customer, sent: dict[str, Any], days: int | None
) -> None:
    body = {"customer": dana.pk, "lines": LINES, **sent}
    assert collector.post("/invoices", body).json()["due_days"] == days


def test_paid_invoice_is_voided_by_where_each_payment_goes(
    admin: Program, invoice: Invoice, dana: Customer
) -> None:
    check, card = personas.record_check(invoice, 20_000), personas.captured_payment(invoice, 30_000)
    ways = {
        check.pk: {"amount": 20_000, "way": "outside", "method": "Cash", "reference": "No. 7"},
        card.pk: {"amount": 30_000, "way": "credit"},
    }
    path = f"/invoices/{invoice.pk}/void"
    assert problem(admin.post(path)) == (409, "conflict")
    assert problem(admin.post(path, {"payments": {card.pk: ways[card.pk]}})) == (409, "stale")
    wrong = admin.post(path, {"payments": {**ways, check.pk: {"amount": 20_000, "way": "gateway"}}})
    assert [one["field"] for one in wrong.json()["fields"]] == [f"payments.{check.pk}.way"]
    voided = admin.post(path, {"payments": ways, "version": invoice.version}).json()
    assert (voided["status"], voided["amount_paid"]) == ("void", 0)
    assert [one["method"] for one in admin.get(f"/payments/{check.pk}").json()["refunds"]] == ["Cash"]
    assert admin.get(f"/customers/{dana.pk}/credit").json()["available"] == [
        {"amount": 30_000, "currency": "USD"}
    ]


def test_paid_invoice_voided_by_a_call_whose_process_was_killed_gives_money_back_once(
    admin: Program, invoice: Invoice
) -> None:
    check = personas.record_check(invoice, 20_000)
    ways = {check.pk: {"amount": 20_000, "way": "outside", "method": "Cash"}}
    path = f"/invoices/{invoice.pk}/void"
    first = admin.post(path, {"payments": ways}, Idempotency_Key="once")
    IdempotentCall.objects.update(status=None, claimed_until=now())
    again = admin.post(path, {"payments": ways}, Idempotency_Key="once")
    assert (again.status_code, again.json()) == (200, first.json())
    assert Refund.objects.count() == 1


@pytest.mark.parametrize("noun", ["invoices", "quotes"])
def test_draft_is_deleted_and_a_sent_document_is_not(collector: Program, dana: Customer, noun: str) -> None:
    draft, sent = {
        "invoices": (personas.draft_invoice, personas.sent_invoice),
        "quotes": (personas.draft_quote, personas.sent_quote),
    }[noun]
    kept, path = sent(dana).pk, f"/{noun}/{draft(dana).pk}"
    assert problem(collector.call("DELETE", f"{path}?version=9")) == (409, "stale")
    assert problem(collector.call("DELETE", f"/{noun}/{kept}")) == (409, "conflict")
    deleted = collector.call("DELETE", f"{path}?version=1")
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert problem(collector.get(path)) == (404, "not_found")
