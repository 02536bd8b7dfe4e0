"""No call to the company is made while a transaction is open: a slow company must never hold our locks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import httpx
import pytest
from django.db import connection, transaction

from partway.billing.documents import invoices
from partway.billing.documents.quotes import make_invoice
from partway.billing.events import Actor
from partway.billing.models import Customer, Quote
from partway.billing.payments.refresh import refresh_payment
from partway.billing.reconciliation import due_work
from partway.billing.requests import payment_requests
from partway.billing.requests.payment_requests import cancel, expire
from partway.gateways import sandbox
from partway.lib.clock import now as present
from tests import personas
from tests.billing.test_changing_invoices import edit, write_off
from tests.billing.test_credit import apply
from tests.billing.test_offline_payments import record
from tests.billing.world import World

pytestmark = pytest.mark.django_db(transaction=True)

Act = Callable[[], Any]


@pytest.fixture
def calls(world: World) -> Iterator[list[tuple[str, bool]]]:
    """Each call to the company: the last part of its address, and whether a transaction was open."""
    seen: list[tuple[str, bool]] = []

    def look(request: httpx.Request) -> None:
        seen.append((request.url.path.rpartition("/")[2], connection.in_atomic_block))

    client = sandbox._client(world.company.url)
    client.event_hooks = {"request": [look]}
    yield seen
    client.event_hooks = {}


def test_paying_canceling_and_voiding_call_outside(
    world: World, dana: Customer, alice: Actor, calls: list[tuple[str, bool]]
) -> None:
    world.collect(personas.ask(personas.sent(dana)))
    canceled, voided = personas.ask(personas.sent(dana)), personas.sent(dana)
    world.start(canceled.invoice)
    world.start(canceled)
    payment_requests.cancel(canceled, by=alice, now=present())
    world.start(voided)
    invoices.void(voided, by=alice, now=present())
    assert [name for name, _ in calls].count("close") == 3
    assert [name for name, inside in calls if inside] == []


# Each of these commits before the company hears of anything, so it refuses to begin inside another transaction.
ACTS: dict[str, Callable[[World, Customer, Actor], Act]] = {
    "start": lambda world, dana, by: partial(world.start, personas.sent(dana)),
    "refresh": lambda world, dana, by: partial(
        refresh_payment, world.start(personas.sent(dana)), now=present()
    ),
    "cancel": lambda world, dana, by: partial(
        cancel, personas.ask(personas.sent(dana)), by=by, now=present()
    ),
    "expire": lambda world, dana, by: partial(expire, personas.ask(personas.sent(dana)), now=present()),
    "edit": lambda world, dana, by: partial(edit, personas.sent(dana), 90_000, by),
    "void": lambda world, dana, by: partial(invoices.void, personas.sent(dana), by=by, now=present()),
    "write_off": lambda world, dana, by: partial(write_off, personas.sent(dana), by),
    "record": lambda world, dana, by: partial(record, personas.sent(dana), 40_000, by),
    "apply": lambda world, dana, by: partial(apply, personas.sent(dana), 100, by),
    "record_deposit": lambda world, dana, by: partial(personas.pay_deposit, accepted(dana)),
    "make_invoice": lambda world, dana, by: partial(make_invoice, accepted(dana), by=by, now=present()),
}


def accepted(dana: Customer) -> Quote:
    return personas.accept(personas.quote(dana))


@pytest.mark.parametrize("act", ACTS)
def test_what_calls_the_company_begins_in_no_transaction(
    world: World, dana: Customer, alice: Actor, act: str
) -> None:
    begin = ACTS[act](world, dana, alice)
    with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
        begin()


def test_the_worker_calls_outside(world: World, dana: Customer, calls: list[tuple[str, bool]]) -> None:
    world.pay(world.start(personas.sent(dana)))
    due_work.ask_about_unsettled(now=present() + timedelta(minutes=3))
    assert [name for name, _ in calls].count("capture") == 1
    assert [name for name, inside in calls if inside] == []
