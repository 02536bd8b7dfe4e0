"""How many statements each act of the main path takes; more is a decision, and is made here.

Counted without BEGIN and COMMIT. Holding an invoice is two: lock it, then read it as it is with the lock held.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from partway.billing import links
from partway.billing.events import Actor
from partway.billing.models import Invoice, PaymentRequest
from partway.billing.payments.refresh import refresh_payment
from partway.billing.requests import payment_requests
from partway.lib.clock import now as present
from partway.lib.money import Money
from tests.support.gateway_driver import GatewayDriver


@pytest.fixture
def opened(asked: PaymentRequest) -> PaymentRequest:
    """The request as its page reads it."""
    found = links.request_by_token(links.request_url(asked).split("/")[-2])
    assert found is not None
    return found


def statements(act: Callable[[], object]) -> list[str]:
    """The first words of each statement, BEGIN and COMMIT and their like left out."""
    with CaptureQueriesContext(connection) as captured:
        act()
    told = [query["sql"].replace('"', "") for query in captured.captured_queries]
    return [sql for sql in told if "SAVEPOINT" not in sql]


def writes(told: list[str]) -> int:
    return sum(not sql.startswith("SELECT") for sql in told)


def test_creating_request_takes_nine_queries(invoice: Invoice, alice: Actor) -> None:
    # invoice held, form key, gateway account, open request, committed payment; request, event, mail
    ask = payment_requests.NewPaymentRequest(
        Money(30_000, "USD"), to=("dana@customer.example",), idempotency_key="form-1"
    )
    told = statements(lambda: payment_requests.create(invoice, new_request=ask, by=alice, now=present()))
    assert (len(told), writes(told)) == (9, 3)


def test_canceling_request_takes_six_queries(opened: PaymentRequest, alice: Actor) -> None:
    # invoice held, request, its unsettled payment; request, event
    told = statements(lambda: payment_requests.cancel(opened, by=alice, now=present()))
    assert (len(told), writes(told)) == (6, 2)


def test_starting_payment_takes_fourteen_queries(
    gateway_driver: GatewayDriver, opened: PaymentRequest
) -> None:
    # invoice held, request, standing payment, two throttles, account; payment, event ·
    # earlier call; call · its answer · the checkout · how the payment stands now
    told = statements(lambda: gateway_driver.start(opened))
    held = (
        1 if connection.vendor == "postgresql" else 0
    )  # the payer's address, so that nobody counts it meanwhile
    assert (len(told), writes(told)) == (14 + held, 5)


def test_restarting_payment_takes_four_queries(gateway_driver: GatewayDriver, opened: PaymentRequest) -> None:
    # invoice held, request, standing payment
    gateway_driver.start(opened)
    told = statements(lambda: gateway_driver.start(opened))
    assert (len(told), writes(told)) == (4, 0)


def test_booking_card_payment_takes_twenty_three_queries(
    gateway_driver: GatewayDriver, opened: PaymentRequest
) -> None:
    # payment · invoice held, payment; authorized, event, capturing, event · last call; call · its answer ·
    # invoice held, payment; amount paid, allocation, payment, event, request, event, who asked, two mails
    payment = gateway_driver.start(opened)
    gateway_driver.pay(payment)
    told = statements(lambda: refresh_payment(payment, now=present()))
    assert (len(told), writes(told)) == (23, 14)


def test_booking_captured_bank_debit_takes_thirteen_queries(
    gateway_driver: GatewayDriver, opened: PaymentRequest
) -> None:
    # payment · invoice held, payment; amount paid, allocation, payment, event, request, event, who asked, two mails
    payment = gateway_driver.start_and_pay(opened, "debit")
    gateway_driver.settle_bank_debit(payment)
    told = statements(lambda: refresh_payment(payment, now=present()))
    assert (len(told), writes(told)) == (13, 8)


def test_refresh_of_settled_payment_takes_four_queries_and_no_write(
    gateway_driver: GatewayDriver, opened: PaymentRequest
) -> None:
    # payment · invoice held, payment
    payment = gateway_driver.start_and_pay(opened)
    told = statements(lambda: refresh_payment(payment, now=present()))
    assert (len(told), writes(told)) == (4, 0)
