"""An idempotency key is unique within its organization; another organization can use the same one (P8, D5)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from partway.billing.documents import deposits
from partway.billing.models import Customer
from partway.billing.receivables import credit
from partway.billing.requests import payment_requests
from partway.lib.clock import now, today
from partway.lib.money import Money
from tests.support import personas

KEY = "form-1"
HALF = Money(50_000, "USD")


def record(owes: Customer) -> object:
    return personas.record_check(personas.sent_invoice(owes), 50_000, idempotency_key=KEY).organization_id


def ask(owes: Customer) -> object:
    wanted = payment_requests.NewPaymentRequest(HALF, (owes.email,), idempotency_key=KEY)
    by = personas.owner_actor(owes.organization)
    return payment_requests.create(
        personas.sent_invoice(owes), new_request=wanted, by=by, now=now()
    ).organization_id


def apply_credit(owes: Customer) -> object:
    personas.record_check(personas.sent_invoice(owes), 200_000)
    by = personas.owner_actor(owes.organization)
    return credit.apply(
        personas.sent_invoice(owes), amount=HALF, by=by, now=now(), idempotency_key=KEY
    ).organization_id


def record_deposit(owes: Customer) -> object:
    quote, by = personas.accept_quote(personas.sent_quote(owes)), personas.owner_actor(owes.organization)
    deposit = deposits.OfflineDeposit("Check", today(now(), owes.organization.time_zone), idempotency_key=KEY)
    return deposits.record_deposit(quote, deposit=deposit, by=by, now=now()).organization_id


@pytest.mark.parametrize("send", [record, ask, apply_credit, record_deposit])
def test_idempotency_key_is_scoped_to_organization(
    dana: Customer, send: Callable[[Customer], object]
) -> None:
    quinn = personas.customer(personas.mallory().organization, "Quinn Pike")
    assert (send(dana), send(quinn)) == (dana.organization_id, quinn.organization_id)
