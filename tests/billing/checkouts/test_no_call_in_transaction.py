"""No gateway call is made while a transaction is open, because a slow gateway would hold our locks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection, transaction

from partway.billing.documents import invoices
from partway.billing.documents.quotes import create_invoice
from partway.billing.events import Actor
from partway.billing.models import Customer, Quote
from partway.billing.payments.refresh import refresh_payment
from partway.billing.reconciliation import due_work
from partway.billing.requests import payment_requests
from partway.billing.requests.payment_requests import cancel, expire
from partway.gateways.sandbox import adapter
from partway.gateways.sandbox.http_client import Response
from partway.lib.clock import now as present
from tests.billing.documents.test_change_sent_invoice import edit
from tests.billing.receivables.test_credit import apply
from tests.billing.receivables.test_offline_payments import record
from tests.billing.receivables.test_write_offs import write_off
from tests.support import personas
from tests.support.gateway_driver import GatewayDriver

pytestmark = pytest.mark.django_db(transaction=True)

GatewayAction = Callable[[], Any]


@pytest.fixture
def calls(gateway_driver: GatewayDriver, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, bool]]:
    """Returns each call to the gateway: the last part of its address, and whether a transaction was open."""
    calls_seen: list[tuple[str, bool]] = []

    client = adapter.client_for(gateway_driver.sandbox_server.url)
    send = client.send

    def record_call(
        method: str, path: str, headers: Mapping[str, str], body: bytes | None = None
    ) -> Response:
        calls_seen.append((path.partition("?")[0].rpartition("/")[2], connection.in_atomic_block))
        return send(method, path, headers, body)

    monkeypatch.setattr(client, "send", record_call)
    return calls_seen


def test_pay_cancel_and_void_call_gateway_outside_transaction(
    gateway_driver: GatewayDriver, dana: Customer, alice: Actor, calls: list[tuple[str, bool]]
) -> None:
    gateway_driver.start_and_pay(personas.request_payment(personas.sent_invoice(dana)))
    canceled, voided = personas.request_payment(personas.sent_invoice(dana)), personas.sent_invoice(dana)
    gateway_driver.start(canceled.invoice)
    gateway_driver.start(canceled)
    payment_requests.cancel(canceled, by=alice, now=present())
    gateway_driver.start(voided)
    invoices.void(voided, by=alice, now=present())
    assert [name for name, _ in calls].count("close") == 3
    assert [name for name, inside in calls if inside] == []


# Each of these commits before it calls the gateway, so it refuses to begin inside another transaction.
ACTS: dict[str, Callable[[GatewayDriver, Customer, Actor], GatewayAction]] = {
    "start": lambda gateway_driver, dana, by: partial(gateway_driver.start, personas.sent_invoice(dana)),
    "refresh": lambda gateway_driver, dana, by: partial(
        refresh_payment, gateway_driver.start(personas.sent_invoice(dana)), now=present()
    ),
    "cancel": lambda gateway_driver, dana, by: partial(
        cancel, personas.request_payment(personas.sent_invoice(dana)), by=by, now=present()
    ),
    "expire": lambda gateway_driver, dana, by: partial(
        expire, personas.request_payment(personas.sent_invoice(dana)), now=present()
    ),
    "edit": lambda gateway_driver, dana, by: partial(edit, personas.sent_invoice(dana), 90_000, by),
    "void": lambda gateway_driver, dana, by: partial(
        invoices.void, personas.sent_invoice(dana), by=by, now=present()
    ),
    "write_off": lambda gateway_driver, dana, by: partial(write_off, personas.sent_invoice(dana), by),
    "record": lambda gateway_driver, dana, by: partial(record, personas.sent_invoice(dana), 40_000, by),
    "apply": lambda gateway_driver, dana, by: partial(apply, personas.sent_invoice(dana), 100, by),
    "record_deposit": lambda gateway_driver, dana, by: partial(personas.record_deposit_check, accepted(dana)),
    "create_invoice": lambda gateway_driver, dana, by: partial(
        create_invoice, accepted(dana), by=by, now=present()
    ),
}


def accepted(dana: Customer) -> Quote:
    return personas.accept_quote(personas.sent_quote(dana))


@pytest.mark.parametrize("act", ACTS)
def test_act_that_calls_gateway_refuses_to_run_in_transaction(
    gateway_driver: GatewayDriver, dana: Customer, alice: Actor, act: str
) -> None:
    begin = ACTS[act](gateway_driver, dana, alice)
    with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
        begin()


def test_worker_calls_gateway_outside_transaction(
    gateway_driver: GatewayDriver, dana: Customer, calls: list[tuple[str, bool]]
) -> None:
    gateway_driver.pay(gateway_driver.start(personas.sent_invoice(dana)))
    due_work.refresh_unsettled_payments(now=present() + timedelta(minutes=3))
    assert [name for name, _ in calls].count("capture") == 1
    assert [name for name, inside in calls if inside] == []
