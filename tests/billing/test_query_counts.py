"""The number of queries of each act of the main path; a change of it is a decision, made here.

BEGIN and COMMIT are not counted. Locking an invoice takes one query, and two more where it has to wait.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from partway.billing import links
from partway.billing.documents import invoices, quote_decisions, quotes, voiding
from partway.billing.documents.voiding import Outcome, VoidPlan
from partway.billing.events import Actor
from partway.billing.models import Customer, Invoice, PaymentRequest
from partway.billing.payments.refresh import refresh_payment
from partway.billing.receivables import refunds, settlements
from partway.billing.receivables.refunds import OutsideRefund
from partway.billing.receivables.settlements import Settlement
from partway.billing.requests import payment_requests
from partway.lib.clock import now as present
from partway.lib.clock import today
from partway.lib.money import Money
from tests.support import personas
from tests.support.gateway_driver import GatewayDriver


@pytest.fixture
def opened(open_request: PaymentRequest) -> PaymentRequest:
    """The request as its page reads it."""
    found = links.request_by_token(links.request_url(open_request).split("/")[-2])
    assert found is not None
    return found


def statements(act: Callable[[], object]) -> list[str]:
    """Returns the SQL of each query without those of transactions."""
    with CaptureQueriesContext(connection) as captured:
        act()
    queries = [query["sql"].replace('"', "") for query in captured.captured_queries]
    return [sql for sql in queries if "SAVEPOINT" not in sql]


def writes(queries: list[str]) -> int:
    return sum(not sql.startswith("SELECT") for sql in queries)


def _locks_of_limits() -> int:
    """One statement on PostgreSQL, whose transactions would count at the same time; SQLite has one writer."""
    return 1 if connection.vendor == "postgresql" else 0


def test_creating_request_takes_ten_queries(invoice: Invoice, alice: Actor) -> None:
    # invoice locked, form key, gateway account, open request, committed payment, mails counted;
    # request, event, counts, mail
    ask = payment_requests.NewPaymentRequest(
        Money(30_000, "USD"), to=("dana@customer.example",), idempotency_key="form-1"
    )
    queries = statements(lambda: payment_requests.create(invoice, new_request=ask, by=alice, now=present()))
    assert (len(queries), writes(queries)) == (10 + _locks_of_limits(), 4)


def test_canceling_request_takes_five_queries(opened: PaymentRequest, alice: Actor) -> None:
    # invoice locked, request, its unsettled payment; request, event
    queries = statements(lambda: payment_requests.cancel(opened, by=alice, now=present()))
    assert (len(queries), writes(queries)) == (5, 2)


def test_withdrawing_accepted_quote_takes_five_queries(dana: Customer, alice: Actor) -> None:
    # quote locked, waiting deposit, unsettled payment; quote, event
    quote = personas.accept_quote(personas.sent_quote(dana))
    queries = statements(lambda: quote_decisions.withdraw(quote, by=alice, now=present()))
    assert (len(queries), writes(queries)) == (5, 2)


def test_voiding_quote_invoice_takes_nine_queries(dana: Customer, alice: Actor) -> None:
    quote = personas.accept_quote(personas.sent_quote(dana))
    invoice = quotes.create_invoice(quote, by=alice, now=present())
    # quote and invoice locked, open request, unsettled payment, deposit; invoice, event; quote, event
    queries = statements(lambda: invoices.void(invoice, by=alice, now=present()))
    assert (len(queries), writes(queries)) == (9, 4)


def test_voiding_paid_invoice_takes_twenty_four_queries(invoice: Invoice, alice: Actor) -> None:
    check = personas.record_check(invoice, 20_000)
    kept = personas.record_check(invoice, 10_000)
    outcomes = {
        check.pk: Outcome("outside", "Cash", today(present(), "America/New_York")),
        kept.pk: Outcome("credit"),
    }
    plan = VoidPlan({check.pk: 20_000, kept.pk: 10_000}, outcomes, idempotency_key="form-1")
    void = partial(voiding.void_paid, invoice, plan=plan, expected_version=2, by=alice, now=present())
    # customer and invoice locked, form key, payments (2), time zone, unsettled payment, open request ·
    # credit: invoice, payment, allocation, event · refund: row, allocations, invoice, payment,
    # allocation, event, what no longer fits (2), payment, event · invoice, event · the refunds
    queries = statements(void)
    assert (len(queries), writes(queries)) == (24, 13)


def test_starting_payment_takes_eleven_queries(gateway_driver: GatewayDriver, opened: PaymentRequest) -> None:
    # invoice locked, request, account, unsettled payment, checkouts counted; counts, payment, event ·
    # call · its outcome · the checkout
    queries = statements(lambda: gateway_driver.start(opened))
    assert (len(queries), writes(queries)) == (11 + _locks_of_limits(), 6)


def test_restarting_payment_takes_four_queries(gateway_driver: GatewayDriver, opened: PaymentRequest) -> None:
    # invoice locked, request, gateway account, unsettled payment
    gateway_driver.start(opened)
    queries = statements(lambda: gateway_driver.start(opened))
    assert (len(queries), writes(queries)) == (4, 0)


def test_booking_card_payment_takes_nineteen_queries(
    gateway_driver: GatewayDriver, opened: PaymentRequest
) -> None:
    # payment · invoice locked, payment; capturing, two events · call · its outcome ·
    # invoice locked, payment; amount paid, allocation, payment, event, request, event, requester, mails, event
    payment = gateway_driver.start(opened)
    gateway_driver.pay(payment)
    queries = statements(lambda: refresh_payment(payment, now=present()))
    assert (len(queries), writes(queries)) == (19, 13)


def test_booking_captured_bank_debit_takes_twelve_queries(
    gateway_driver: GatewayDriver, opened: PaymentRequest
) -> None:
    # payment · invoice locked, payment; amount paid, allocation, payment, event, request, event, requester,
    # mails, event
    payment = gateway_driver.start_and_pay(opened, "debit")
    gateway_driver.settle_bank_debit(payment)
    queries = statements(lambda: refresh_payment(payment, now=present()))
    assert (len(queries), writes(queries)) == (12, 8)


def test_settling_rest_takes_nine_queries(invoice: Invoice, alice: Actor) -> None:
    # invoice held, form key; settled, adjustment, event · unsettled payment, open request; invoice, event
    settlement = Settlement("fee", is_large_confirmed=True, idempotency_key="form-1")
    told = statements(lambda: settlements.settle(invoice, settlement=settlement, by=alice, now=present()))
    assert (len(told), writes(told)) == (9, 5)


def test_recording_refund_of_credit_takes_eight_queries(invoice: Invoice, alice: Actor) -> None:
    personas.record_check(invoice, 120_000)
    on = today(present(), "America/New_York")
    refund = OutsideRefund(Money(20_000, "USD"), "Cash", on, idempotency_key="form-1")
    told = statements(lambda: refunds.record(invoice.customer, refund=refund, by=alice, now=present()))
    assert (len(told), writes(told)) == (8, 3)


def test_refresh_of_settled_payment_takes_four_queries_and_no_write(
    gateway_driver: GatewayDriver, opened: PaymentRequest
) -> None:
    # payment, versions of its disputes · invoice locked, payment
    payment = gateway_driver.start_and_pay(opened)
    queries = statements(lambda: refresh_payment(payment, now=present()))
    assert (len(queries), writes(queries)) == (4, 0)
