"""Tests that `verify` reads the database as of one moment while others write."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, connection

from partway.billing.events import Actor
from partway.billing.models import Customer, Invoice, PaymentRequest
from partway.billing.requests import payment_requests
from partway.billing.verification import snapshot, verify
from partway.lib.clock import now
from tests.support import personas
from tests.support.concurrency import run_concurrently

pytestmark = pytest.mark.django_db(transaction=True)


def test_snapshot_neither_blocks_writers_nor_sees_their_writes(dana: Customer, alice: Actor) -> None:
    request = personas.request_payment(personas.sent_invoice(dana))
    with snapshot():
        before = PaymentRequest.objects.get()
        [canceled] = run_concurrently(lambda: payment_requests.cancel(request, by=alice, now=now()))
        assert (canceled.status, before.status) == ("canceled", "open")
        assert PaymentRequest.objects.get().status == "open"
        assert list(verify()) == []
    assert PaymentRequest.objects.get().status == "canceled"


def test_snapshot_is_read_only(invoice: Invoice) -> None:
    with pytest.raises(DatabaseError), snapshot():
        Invoice.objects.update(amount_paid_minor=1)
    assert Invoice.objects.get().amount_paid_minor == 0


def test_snapshot_restores_connection_settings(dana: Customer) -> None:
    def settings() -> list[object]:
        is_detected = ("query_only", "cache_size") if connection.vendor == "sqlite" else ()
        with connection.cursor() as cursor:
            return [cursor.execute(f"PRAGMA {name}").fetchone() for name in is_detected]

    before = settings(), vars(connection).get("transaction_mode")
    with snapshot():
        assert settings() != before[0] or connection.vendor == "postgresql"
    assert (settings(), vars(connection).get("transaction_mode")) == before
    personas.sent_invoice(dana)


def test_snapshot_refuses_to_run_in_transaction(invoice: Invoice) -> None:
    from django.db import transaction

    with pytest.raises(RuntimeError, match="durable"), transaction.atomic(), snapshot():
        pass
