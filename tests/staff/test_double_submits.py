"""A form that is sent twice makes one row and one mail, also in a browser without scripts (DESIGN P8)."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from partway.accounts.models import Organization
from partway.billing.models import Adjustment, Customer, Import, Invoice, Mail, PaymentRequest, Quote
from partway.billing.people import members
from partway.billing.receivables import settlements
from partway.lib.clock import now
from tests.staff.invoices.test_editor import typed
from tests.support import personas

DETAILS = {"name": "Quinn Pike", "email": "quinn@pike.example"}
MODELS = {"invoices": Invoice, "quotes": Quote, "customers": Customer}


def idempotency_key(client: Client, path: str) -> str:
    found = re.search(r'name="idempotency_key" value="([^"]+)"', client.get(path).content.decode())
    assert found
    return found[1]


def content(kind: str, dana: Customer) -> dict[str, str]:
    """Returns what is typed in the form of a new row."""
    return DETAILS if kind == "customers" else {**typed(dana), "valid_until": "2026-12-24"}


@pytest.mark.parametrize("kind", MODELS)
def test_form_of_a_new_row_that_is_sent_twice_makes_one(bob: Client, dana: Customer, kind: str) -> None:
    path, before = f"/o/alder/{kind}/new/", MODELS[kind].objects.count()
    form = {**content(kind, dana), "idempotency_key": idempotency_key(bob, path)}
    first, second = bob.post(path, form), bob.post(path, form)
    assert second.status_code == 302
    assert second.headers["Location"] == first.headers["Location"]
    assert MODELS[kind].objects.count() == before + 1


@pytest.mark.parametrize("kind", MODELS)
def test_form_that_was_changed_after_back_makes_another_row(bob: Client, dana: Customer, kind: str) -> None:
    path, before = f"/o/alder/{kind}/new/", MODELS[kind].objects.count()
    form = {**content(kind, dana), "idempotency_key": idempotency_key(bob, path)}
    for changes in ({}, {"name": "Quinn Pike the younger", "notes": "Another one."}):
        bob.post(path, {**form, **changes})
    assert MODELS[kind].objects.count() == before + 2


@pytest.mark.parametrize("kind", ["invoices", "quotes"])
def test_form_whose_draft_was_deleted_writes_it_again(bob: Client, dana: Customer, kind: str) -> None:
    path = f"/o/alder/{kind}/new/"
    form = {**content(kind, dana), "idempotency_key": idempotency_key(bob, path)}
    draft = bob.post(path, form).headers["Location"]
    bob.post(f"{draft}delete/", {"version": "1"})
    assert not MODELS[kind].objects.exists()
    assert bob.post(path, form).status_code == 302
    assert MODELS[kind].objects.count() == 1


def invoice_path(dana: Customer) -> str:
    return f"invoices/{personas.sent_invoice(dana).pk}"


def quote_path(dana: Customer) -> str:
    return f"quotes/{personas.sent_quote(dana).pk}"


def request_path(dana: Customer) -> str:
    made: PaymentRequest = personas.request_payment(personas.sent_invoice(dana))
    return f"requests/{made.pk}"


def invitation_path(dana: Customer) -> str:
    by = personas.owner_actor(dana.organization)
    invited = members.invite(dana.organization, email="kim@alder.example", role="reader", by=by, now=now())
    return f"settings/invitations/{invited.pk}"


@pytest.mark.parametrize("make", [invoice_path, quote_path, request_path, invitation_path])
def test_resend_form_that_is_sent_twice_mails_once(
    alice: Client, organization: Organization, dana: Customer, make: Any
) -> None:
    path = f"/o/alder/{make(dana)}/resend/"
    before = Mail.objects.count()
    form = {"to": "dana@customer.example", "idempotency_key": idempotency_key(alice, path)}
    for _ in range(2):
        assert alice.post(path, form).status_code == 302
    assert Mail.objects.count() == before + 1
    alice.post(path, {**form, "idempotency_key": idempotency_key(alice, path)})
    assert Mail.objects.count() == before + 2


def test_form_sent_again_does_not_confirm_an_import_that_was_checked_again(
    alice: Client, organization: Organization
) -> None:
    path = f"/o/alder/imports/{personas.checked_import(organization).pk}/run/"
    form = {"idempotency_key": idempotency_key(alice, path)}
    alice.post(path, form)
    assert Import.objects.get().status == "importing"
    Import.objects.update(status="ready", next_attempt_at=None)
    alice.post(path, form)
    assert Import.objects.get().status == "ready"


def test_form_sent_again_does_not_take_a_loss_that_was_taken_back(alice: Client, dana: Customer) -> None:
    dispute = personas.dispute(personas.captured_payment(personas.sent_invoice(dana), 30_000), 20_000, "lost")
    path = f"/o/alder/disputes/{dispute.pk}/loss/"
    form = {"left_minor": "20000", "idempotency_key": idempotency_key(alice, path)}
    alice.post(path, form)
    settlements.take_back(Adjustment.objects.get(), by=personas.owner_actor(dana.organization), now=now())
    alice.post(path, form)
    assert sum(Adjustment.objects.values_list("amount_minor", flat=True)) == 0
