"""Only the transitions of the table are possible, each with its event, and only from the state that was read."""

from __future__ import annotations

from itertools import product

import pytest
from django.db import connection, transaction

from partway.billing import events, states
from partway.billing.events import CLOCK, OutsideTransaction
from partway.billing.models import Event, Invoice, Payment, PaymentRequest
from partway.billing.models.invoices import InvoiceStatus
from partway.billing.models.payment_requests import PaymentRequestStatus
from partway.billing.models.payments import PaymentStatus
from partway.billing.states import ConcurrentUpdate, InvalidTransition, move
from partway.lib.clock import now as present

TABLES = {
    Invoice: (states.INVOICE, InvoiceStatus.values),
    PaymentRequest: (states.PAYMENT_REQUEST, PaymentRequestStatus.values),
    Payment: (states.PAYMENT, PaymentStatus.values),
}


@pytest.mark.parametrize("model", TABLES)
def test_transition_not_in_table_is_refused(model: type) -> None:
    table, values = TABLES[model]
    for source, to in set(product(values, repeat=2)) - set(table):
        with pytest.raises(InvalidTransition):
            move(model(status=source), to, by=CLOCK, now=present())


@pytest.mark.parametrize("model", TABLES)
def test_transition_table_uses_only_model_statuses(model: type) -> None:
    table, values = TABLES[model]
    assert {state for pair in table for state in pair} <= set(values)


def test_ended_request_has_no_transition() -> None:
    assert {source for source, _ in states.PAYMENT_REQUEST} == {"open"}


def test_transition_writes_row_and_event(open_request: PaymentRequest) -> None:
    at = present()
    with transaction.atomic():
        event = move(open_request, "expired", by=CLOCK, now=at, ended_at=at, data={"why": "time"})
    stored = PaymentRequest.objects.get(pk=open_request.pk)
    assert (stored.status, stored.ended_at) == ("expired", at)
    assert (event.type, event.data) == (
        "payment_request.expired",
        {"why": "time", "from": "open", "to": "expired"},
    )


def test_transition_from_stale_state_raises_concurrent_update(open_request: PaymentRequest) -> None:
    stale, at = PaymentRequest.objects.get(pk=open_request.pk), present()
    with transaction.atomic():
        move(open_request, "expired", by=CLOCK, now=at, ended_at=at)
    before = Event.objects.count()
    with pytest.raises(ConcurrentUpdate), transaction.atomic():
        move(stale, "paid", by=CLOCK, now=at, ended_at=at)
    assert PaymentRequest.objects.get(pk=open_request.pk).status == "expired"
    assert Event.objects.count() == before


def test_refused_transition_leaves_instance_status_unchanged(open_request: PaymentRequest) -> None:
    stale = PaymentRequest.objects.get(pk=open_request.pk)
    PaymentRequest.objects.filter(pk=open_request.pk).update(note="changed beside it")
    with pytest.raises(InvalidTransition):
        move(stale, "open", by=CLOCK, now=present())
    assert stale.status == "open"


@pytest.mark.django_db(transaction=True)
def test_event_outside_transaction_is_refused(open_request: PaymentRequest) -> None:
    assert not connection.in_atomic_block
    before = Event.objects.count()
    with pytest.raises(OutsideTransaction):
        events.record("payment_request.opened", open_request, by=CLOCK, now=present())
    assert Event.objects.count() == before
