"""Concurrent acts on real threads at many time offsets, which complement the tables of tests/billing/races.

They also cover more than two acts at once, and a slow gateway.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from pytest_django.fixtures import Settings

from partway.accounts.models import GatewayAccount, Organization
from partway.billing.checkouts.payability import CHECKOUT_LIFETIME
from partway.billing.documents import invoices
from partway.billing.errors import BillingError, PaymentRequestOpen
from partway.billing.events import Actor
from partway.billing.models import Customer, Event, Invoice, Payment, PaymentRequest
from partway.billing.payments.callbacks import receive_callback
from partway.billing.payments.refresh import refresh_payment
from partway.billing.people import gateway_accounts
from partway.billing.reconciliation import due_work
from partway.billing.requests import payment_requests
from partway.lib.clock import now as present
from tests.billing.races.interleaving import Failpoint, run_interleaved
from tests.support import personas
from tests.support.concurrency import run_concurrently, start_offsets_ms
from tests.support.gateway_driver import GatewayDriver

pytestmark = pytest.mark.django_db(transaction=True)

ROUNDS = 10


@pytest.fixture(autouse=True)
def _no_rate_limit(settings: Settings) -> None:
    """Lifts the limit of checkouts per address, because all threads share one."""
    settings.PARTWAY_CHECKOUTS_PER_IP = 10_000


def refresh(payment: Payment) -> Payment:
    return refresh_payment(payment, now=present())


def requests_with_offsets(
    dana: Customer, rounds: int = ROUNDS, width_ms: float = 40
) -> Iterator[tuple[PaymentRequest, float]]:
    """Yields a new request of $300.00 on a new invoice of $1,000.00 and an offset for each round."""
    for offset_ms in start_offsets_ms(rounds, width_ms):
        yield personas.request_payment(personas.sent_invoice(dana)), offset_ms


def reconcile() -> None:
    """Runs the worker long after the race, so that every payment is settled."""
    later = present() + CHECKOUT_LIFETIME
    while due_work.refresh_unsettled_payments(now=later):
        pass


def result_names(*results: object) -> tuple[str, ...]:
    """Returns the status of each result, or the name of its error."""
    return tuple(
        type(result).__name__ if isinstance(result, BillingError) else getattr(result, "status", "")
        for result in results
    )


def test_concurrent_pay_and_cancel_are_consistent(
    gateway_driver: GatewayDriver, dana: Customer, alice: Actor
) -> None:
    for open_request, offset_ms in requests_with_offsets(dana):
        payment = gateway_driver.start(open_request)
        gateway_driver.pay(payment)
        _, canceled = run_concurrently(
            lambda: refresh(payment),
            lambda: payment_requests.cancel(open_request, by=alice, now=present()),
            offset_ms=offset_ms,
        )
        payment = refresh(payment)
        open_request.refresh_from_db()
        assert (
            open_request.status,
            payment.status,
            len(gateway_driver.captures_of(payment)),
            *result_names(canceled),
        ) in {
            ("canceled", "canceled", 0, "canceled"),
            ("paid", "succeeded", 1, "PaymentInProgress"),
            ("paid", "succeeded", 1, "TooLate"),
        }


def test_concurrent_request_and_pay_now_charge_once(gateway_driver: GatewayDriver, dana: Customer) -> None:
    for open_request, offset_ms in requests_with_offsets(dana):
        run_concurrently(
            lambda: gateway_driver.start_and_pay(open_request),
            lambda: gateway_driver.start_and_pay(open_request.invoice),
            offset_ms=2 * offset_ms,
        )
        reconcile()
        invoice = Invoice.objects.get(pk=open_request.invoice_id)
        open_request.refresh_from_db()
        charges = [
            charge for payment in invoice.payments.all() for charge in gateway_driver.captures_of(payment)
        ]
        assert sum(charges) == invoice.amount_paid_minor <= invoice.total_minor
        assert open_request.status == {30_000: "paid", 100_000: "canceled", 0: "open"}[sum(charges)]


def test_concurrent_requests_leave_one_open(dana: Customer, alice: Actor) -> None:
    for offset_ms in start_offsets_ms(ROUNDS, 12):
        invoice = personas.sent_invoice(dana)
        results = run_concurrently(
            lambda: personas.request_payment(invoice, 30_000),
            lambda: personas.request_payment(invoice, 40_000),
            offset_ms=offset_ms,
        )
        [made] = PaymentRequest.objects.filter(invoice=invoice)
        [refusal] = [result for result in results if isinstance(result, PaymentRequestOpen)]
        assert refusal.request == made


def test_drafts_sent_at_once_get_invoice_numbers_without_gaps(dana: Customer, alice: Actor) -> None:
    drafts = [personas.draft_invoice(dana) for _ in range(8)]
    run_concurrently(*[lambda draft=draft: invoices.send(draft, by=alice, now=present()) for draft in drafts])
    numbers = Invoice.objects.order_by("number").values_list("number", flat=True)
    assert list(numbers) == [f"INV-{number:04d}" for number in range(1, 9)]


def test_concurrent_callback_return_and_worker_book_payment_once(
    gateway_driver: GatewayDriver, dana: Customer
) -> None:
    for open_request, offset_ms in requests_with_offsets(dana, rounds=6, width_ms=30):
        payment = gateway_driver.start(open_request)
        gateway_driver.pay(payment)
        received = gateway_driver.callback(payment, "authorized")
        run_concurrently(
            lambda: receive_callback(
                gateway_driver.account, body=received.body, headers=received.headers, now=present()
            ),
            lambda: refresh(payment),
            lambda: receive_callback(
                gateway_driver.account, body=received.body, headers=received.headers, now=present()
            ),
            reconcile,
            offset_ms=offset_ms,
        )
        assert refresh(payment).status == "succeeded"
        assert Event.objects.filter(payment=payment, type="payment.succeeded").count() == 1


def test_slow_start_response_does_not_disturb_checkout_already_paid(
    gateway_driver: GatewayDriver, dana: Customer
) -> None:
    open_request = personas.request_payment(personas.sent_invoice(dana))
    gateway_driver.inject_fault("error_before", act="capture")
    slow, quick, _ = run_interleaved(
        lambda: gateway_driver.start(open_request),
        lambda: gateway_driver.start_and_pay(open_request),
        at=Failpoint("after start"),
    )
    assert (*result_names(slow), quick.status) == ("NotPayable", "capturing")
    reconcile()
    assert (refresh(quick).status, gateway_driver.captures_of(quick)) == ("succeeded", [30_000])


def test_request_canceled_while_checkout_is_opened_stays_unpayable(
    gateway_driver: GatewayDriver, dana: Customer, alice: Actor
) -> None:
    open_request = personas.request_payment(personas.sent_invoice(dana))
    started, canceled, _ = run_interleaved(
        lambda: gateway_driver.start(open_request),
        lambda: payment_requests.cancel(open_request, by=alice, now=present()),
        at=Failpoint("after start"),
    )
    assert result_names(started, canceled) == ("NotPayable", "canceled")
    assert [line["status"] for line in gateway_driver.ledger().values()] == ["closed"]


def test_concurrent_gateway_connects_leave_one_current(
    gateway_driver: GatewayDriver, organization: Organization, alice: Actor
) -> None:
    for offset_ms in start_offsets_ms(4, 12):
        run_concurrently(
            lambda: gateway_accounts.connect(
                organization, gateway="sandbox", credentials={}, by=alice, now=present()
            ),
            lambda: gateway_accounts.connect(
                organization, gateway="sandbox", credentials={}, by=alice, now=present()
            ),
            offset_ms=offset_ms,
        )
    assert organization.gateway_accounts.count() == 2 + 8
    assert GatewayAccount.objects.current(organization).count() == 1


def test_two_workers_never_refresh_the_same_payment(gateway_driver: GatewayDriver, dana: Customer) -> None:
    later = present() + timedelta(minutes=3)
    for offset_ms in start_offsets_ms(4, 12):
        waiting = [gateway_driver.start(personas.sent_invoice(dana)) for _ in range(3)]
        asked_about = run_concurrently(
            lambda: due_work.refresh_unsettled_payments(now=later),
            lambda: due_work.refresh_unsettled_payments(now=later),
            offset_ms=offset_ms,
        )
        assert sum(asked_about) == len(waiting)
