"""Idempotency-Key: a repeated POST acts once, whatever comes in between, and refusals are not kept."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from partway.accounts import idempotent_calls
from partway.accounts.models import IdempotentCall, Organization
from partway.billing.models import Adjustment, Customer, Event, Import, Invoice, Refund
from partway.billing.receivables import settlements
from partway.lib import clock
from partway.lib.clock import now, today
from partway.lib.sealing import digest
from tests.api.calls import body_of, path_of
from tests.api.program import Program, problem, program
from tests.support import personas
from tests.support.concurrency import run_concurrently

DANA = {"name": "Dana Reed", "email": "dana@reed.example"}
KEY = {"Idempotency_Key": "8e03978e-40d5-43dd-bc93-6894a57f9324"}


def test_same_key_with_another_call_is_refused(collector: Program, invoice: Invoice) -> None:
    collector.post("/customers", DANA, **KEY)
    for path, body in (
        ("/customers", {**DANA, "phone": "1"}),
        ("/customers?x=1", DANA),
        (f"/invoices/{invoice.pk}/resend", DANA),
    ):
        assert problem(collector.post(path, body, **KEY)) == (422, "idempotency_key_reused")
    assert Customer.objects.filter(name="Dana Reed").count() == 1


def test_key_is_of_its_organization(collector: Program, admin: Program, outsider: Program) -> None:
    made, theirs = (each.post("/customers", DANA, **KEY).json()["id"] for each in (collector, outsider))
    assert made != theirs
    assert admin.post("/customers", DANA, **KEY).json()["id"] == made


@pytest.mark.parametrize("key", ["", "a b", "x" * 256, "é"])
def test_key_of_the_wrong_form_is_refused(collector: Program, key: str) -> None:
    assert problem(collector.post("/customers", DANA, Idempotency_Key=key)) == (
        400,
        "idempotency_key_invalid",
    )
    assert not Customer.objects.exists()


@pytest.mark.parametrize("scope", ["read", "collect"])
def test_refusal_is_not_kept(organization: Organization, collector: Program, scope: str) -> None:
    """Neither for the scope of the key nor for the input: nothing was done, so the key names what is done at last."""
    refused = program(organization, scope).post("/customers", {**DANA, "email": "dana"}, **KEY)
    assert problem(refused) in ((403, "forbidden"), (422, "invalid"))
    made = collector.post("/customers", DANA, **KEY)
    assert made.status_code == 201
    assert "Idempotent-Replayed" not in made.headers
    assert collector.post("/customers", DANA, **KEY).headers["Idempotent-Replayed"] == "true"


def test_call_acts_once_the_setting_that_refused_it_was_changed(collector: Program, invoice: Invoice) -> None:
    path, back = f"/invoices/{invoice.pk}/payment_requests", "https://jobs.example.com/1"
    body = {"amount_requested": 100, "to": "dana@reed.example", "return_url": back}
    assert collector.post(path, body, **KEY).json()["fields"][0]["code"] == "return_url_not_allowed"
    Organization.objects.update(return_urls=["https://jobs.example.com"], payments_enabled=False)
    assert problem(collector.post(path, body, **KEY)) == (403, "payments_not_enabled")
    Organization.objects.update(payments_enabled=True)
    assert collector.post(path, body, **KEY).status_code == 201


def test_refusal_of_the_moment_is_not_kept(collector: Program, invoice: Invoice) -> None:
    path, body = (
        f"/invoices/{invoice.pk}/payment_requests",
        {"amount_requested": 100, "to": "dana@reed.example"},
    )
    open_request = personas.request_payment(invoice)
    assert problem(collector.post(path, body, **KEY)) == (409, "payment_request_open")
    collector.post(f"/payment_requests/{open_request.pk}/cancel")
    assert collector.post(path, {**body, "note": "Other"}, **KEY).status_code == 201


def test_refused_repetition_of_a_killed_call_keeps_its_key(
    collector: Program, admin: Program, invoice: Invoice
) -> None:
    path = f"/invoices/{invoice.pk}/payments"
    body = {
        "amount": 100,
        "method": "Check",
        "paid_on": today(now(), invoice.organization.time_zone).isoformat(),
    }
    made = collector.post(path, body, **KEY).json()["id"]
    admin.post(f"/payments/{made}/reverse", {"reason": "Bounced"})
    IdempotentCall.objects.update(status=None, claimed_until=now())
    for _ in range(2):
        assert problem(collector.post(path, body, **KEY)) == (409, "conflict")
    assert problem(collector.post(path, {**body, "note": "Other"}, **KEY)) == (422, "idempotency_key_reused")


def test_quote_is_not_invoiced_again_by_a_killed_call(
    collector: Program, admin: Program, invoice: Invoice
) -> None:
    path = f"/quotes/{personas.accept_quote(personas.sent_quote(invoice.customer)).pk}/invoice"
    made = collector.post(path, **KEY).json()["id"]
    collector.post(f"/invoices/{made}/send")
    assert admin.post(f"/invoices/{made}/void").status_code == 200
    IdempotentCall.objects.update(status=None, claimed_until=now())
    again = collector.post(path, **KEY).json()
    assert (again["id"], again["status"], Invoice.objects.count()) == (made, "void", 2)


def test_import_is_not_confirmed_again_by_a_killed_call(organization: Organization, admin: Program) -> None:
    run = personas.checked_import(organization)
    assert admin.post(f"/imports/{run.pk}/confirm", **KEY).status_code == 200
    # It was refused, because a row had become wrong, and a member had it checked again.
    for status in ("refused", "ready"):
        Import.objects.update(status=status, next_attempt_at=None)
        IdempotentCall.objects.update(status=None, claimed_until=now())
        assert admin.post(f"/imports/{run.pk}/confirm", **KEY).json()["status"] == status


def test_loss_is_not_taken_again_by_a_killed_call(
    organization: Organization, admin: Program, invoice: Invoice
) -> None:
    dispute = personas.dispute(personas.captured_payment(invoice, 30_000), 20_000, "lost")
    assert admin.post(f"/disputes/{dispute.pk}/take_loss", {"amount": 20_000}, **KEY).status_code == 200
    by = personas.owner_actor(organization)
    settlements.take_back(Adjustment.objects.get(), by=by, now=now())
    IdempotentCall.objects.update(status=None, claimed_until=now())
    assert admin.post(f"/disputes/{dispute.pk}/take_loss", {"amount": 20_000}, **KEY).status_code == 200
    assert admin.get(f"/invoices/{invoice.pk}").json()["amount_due"] == 90_000


@pytest.mark.parametrize("name", ["payments_refund", "customer_accounts_refund_credit"])
def test_refund_of_a_killed_call_is_the_same_after_midnight(
    organization: Organization, admin: Program, name: str
) -> None:
    path, body = path_of(name, organization), body_of(name, organization)
    admin.post(path, body, **KEY)
    yesterday = now() - timedelta(days=1)
    Refund.objects.update(refunded_on=clock.today(yesterday, organization.time_zone))
    IdempotentCall.objects.update(status=None, claimed_until=now(), created_at=yesterday)
    again = admin.post(path, body, **KEY)
    assert (again.status_code, Refund.objects.count()) == (201, 1)


def test_call_that_is_at_work_is_told_to_be_repeated(collector: Program, organization: Organization) -> None:
    first = collector.post("/customers", DANA, **KEY)
    IdempotentCall.objects.update(status=None, claimed_until=now() + timedelta(seconds=9))
    response = collector.post("/customers", DANA, **KEY)
    assert problem(response) == (409, "call_in_progress")
    assert response.headers["Retry-After"] == "1"
    # The process that was at work was killed after its commit: the repetition finds what it made.
    IdempotentCall.objects.update(claimed_until=now())
    assert collector.post("/customers", DANA, **KEY).json() == first.json()
    assert Customer.objects.count() == 1


def test_answers_are_deleted_after_a_day(collector: Program) -> None:
    collector.post("/customers", DANA, **KEY)
    assert idempotent_calls.delete_old(now=now() + timedelta(hours=23)) == 0
    assert idempotent_calls.delete_old(now=now() + timedelta(hours=25)) == 1


@pytest.mark.django_db(transaction=True)
def test_twenty_identical_posts_at_once_make_one_object() -> None:
    collect = program(personas.alder().organization, "collect")
    programs = [Program(collect.key, collect.secret) for _ in range(20)]
    answers = run_concurrently(*(lambda one=one: one.post("/customers", DANA, **KEY) for one in programs))
    made = {answer.json()["id"] for answer in answers if answer.status_code == 201}
    others = [problem(answer) for answer in answers if answer.status_code != 201]
    assert len(made) == Customer.objects.count() == Event.objects.filter(type="customer.created").count() == 1
    assert set(others) <= {(409, "call_in_progress")}
    assert collect.post("/customers", DANA, **KEY).json()["id"] in made


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite lets one write at a time")
@pytest.mark.django_db(transaction=True)
def test_call_whose_key_is_freed_while_it_is_claimed_is_told_to_be_repeated() -> None:
    collect = program(personas.alder().organization, "collect")
    key = {"organization": collect.key.organization, "key_digest": digest(KEY["Idempotency_Key"])}
    columns = {**key, "fingerprint": "", "created_at": now(), "claimed_until": now()}
    other_acts = {
        "INSERT INTO": lambda: IdempotentCall.objects.create(**columns),
        "SELECT": lambda: IdempotentCall.objects.filter(**key).delete(),
    }

    def interfere(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        act = other_acts.get(sql.partition(' "')[0]) if "idempotentcall" in sql else None
        if act:
            run_concurrently(act)
        return execute(sql, *rest)

    with connection.execute_wrapper(interfere):
        response = collect.post("/customers", DANA, **KEY)
    assert problem(response) == (409, "call_in_progress")
    assert collect.post("/customers", DANA, **KEY).status_code == 201
