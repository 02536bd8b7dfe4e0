"""No call to the company is made while a transaction is open: a slow company must never hold our locks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest
from django.db import connection

from partway.billing import invoices, payment_requests, reconciliation
from partway.billing.events import Actor
from partway.billing.models import Customer
from partway.gateways import sandbox
from partway.lib.clock import now as present
from tests import personas
from tests.billing.world import World

pytestmark = pytest.mark.django_db(transaction=True)


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


def test_the_worker_calls_outside(world: World, dana: Customer, calls: list[tuple[str, bool]]) -> None:
    world.pay(world.start(personas.sent(dana)))
    reconciliation.ask_about_unsettled(now=present() + timedelta(minutes=3))
    assert [name for name, _ in calls].count("capture") == 1
    assert [name for name, inside in calls if inside] == []
