"""Idempotency-Key: a repeated POST acts once, whatever comes in between, and refusals of the moment are not kept."""

from __future__ import annotations

from datetime import timedelta

import pytest

from partway.accounts import idempotent_calls
from partway.accounts.models import IdempotentCall, Organization
from partway.billing.models import Customer, Event, Invoice
from partway.lib.clock import now
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


def test_refusal_of_the_input_is_kept(collector: Program) -> None:
    first = collector.post("/customers", {**DANA, "email": "dana"}, **KEY)
    again = collector.post("/customers", {**DANA, "email": "dana"}, **KEY)
    assert problem(first) == problem(again) == (422, "invalid")
    assert again.headers["Idempotent-Replayed"] == "true"


def test_refusal_of_the_moment_is_not_kept(collector: Program, invoice: Invoice) -> None:
    path, body = (
        f"/invoices/{invoice.pk}/payment_requests",
        {"amount_requested": 100, "to": "dana@reed.example"},
    )
    open_request = personas.request_payment(invoice)
    assert problem(collector.post(path, body, **KEY)) == (409, "payment_request_open")
    collector.post(f"/payment_requests/{open_request.pk}/cancel")
    assert collector.post(path, {**body, "note": "Other"}, **KEY).status_code == 201


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
