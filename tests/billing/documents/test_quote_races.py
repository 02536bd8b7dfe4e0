"""Tests of racing acts on a quote on real threads, in any order; complements the table of races."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from partway.billing.checkouts.payability import CHECKOUT_LIFETIME
from partway.billing.documents import deposits, invoices, quote_terms, quotes
from partway.billing.errors import BillingError
from partway.billing.events import Actor
from partway.billing.models import Customer, Event, Payment, Quote, QuoteTerms
from partway.billing.payments.callbacks import receive_callback
from partway.billing.payments.refresh import refresh_payment
from partway.billing.reconciliation import due_work
from partway.lib.clock import now as present
from tests.support import personas
from tests.support.concurrency import run_concurrently, start_offsets_ms
from tests.support.gateway_driver import GatewayDriver

pytestmark = pytest.mark.django_db(transaction=True)

ROUNDS = 12


@pytest.fixture(autouse=True)
def _no_rate_limit(settings: Settings) -> None:
    """Lifts the limit of checkouts per address, because all threads share one."""
    settings.PARTWAY_CHECKOUTS_PER_IP = 10_000


def refresh(payment: Payment) -> Payment:
    return refresh_payment(payment, now=present())


def rounds(
    make: Callable[[], Quote], width_ms: float = 12, many: int = ROUNDS
) -> Iterator[tuple[Quote, float]]:
    """A new quote for each round."""
    for offset_ms in start_offsets_ms(many, width_ms):
        yield make(), offset_ms


def accepted(dana: Customer) -> Callable[[], Quote]:
    return lambda: personas.accept_quote(personas.sent_quote(dana))


def word(result: Any) -> str:
    return type(result).__name__ if isinstance(result, BillingError) else str(result.status)


def charges(gateway_driver: GatewayDriver, quote: Quote) -> list[int]:
    return [charge for payment in quote.payments.all() for charge in gateway_driver.captures_of(payment)]


def reconcile() -> None:
    later = present() + CHECKOUT_LIFETIME
    while due_work.refresh_unsettled_payments(now=later):
        pass


def test_concurrent_send_and_new_terms_assign_distinct_quote_numbers(dana: Customer, alice: Actor) -> None:
    personas.sent_quote(dana)
    terms = QuoteTerms(prefix="QUO-")
    for quote, offset_ms in rounds(lambda: personas.draft_quote(dana)):
        run_concurrently(
            lambda: quotes.send(quote, by=alice, now=present()),
            lambda: quote_terms.change(dana.organization, terms=terms, by=alice, now=present()),
            offset_ms=offset_ms,
        )
    numbers = Quote.objects.order_by("number").values_list("number", flat=True)
    assert list(numbers) == [f"QUO-{number:04d}" for number in range(1, ROUNDS + 2)]


def test_concurrent_online_and_offline_deposit_are_booked_once(
    gateway_driver: GatewayDriver, dana: Customer
) -> None:
    for quote, offset_ms in rounds(accepted(dana), width_ms=40, many=10):
        payment = gateway_driver.start(quote)
        gateway_driver.pay(payment)
        _, recorded = run_concurrently(
            lambda: refresh(payment), lambda: personas.record_deposit_check(quote), offset_ms=offset_ms
        )
        online = refresh(payment).status
        assert (online, word(recorded), len(charges(gateway_driver, quote))) in {
            ("canceled", "succeeded", 0),
            ("succeeded", "PaymentInProgress", 1),
            ("succeeded", "TooLate", 1),
        }
        assert quote.payments.deposits().count() == 1


def test_concurrent_deposit_and_quote_invoice_creation_are_consistent(
    gateway_driver: GatewayDriver, dana: Customer, alice: Actor
) -> None:
    for quote, offset_ms in rounds(accepted(dana), width_ms=40, many=10):
        payment = gateway_driver.start(quote)
        gateway_driver.pay(payment)
        _, made = run_concurrently(
            lambda: refresh(payment),
            lambda: quotes.create_invoice(quote, by=alice, now=present()),
            offset_ms=offset_ms,
        )
        end = refresh(payment).status
        assert (end, word(made), sum(charges(gateway_driver, quote))) in {
            ("canceled", "draft", 0),
            ("succeeded", "PaymentInProgress", 30_000),
            ("succeeded", "draft", 30_000),
        }
        invoice = quotes.create_invoice(quote, by=alice, now=present())
        assert invoices.send(invoice, by=alice, now=present()).amount_paid_minor == sum(
            charges(gateway_driver, quote)
        )


def test_concurrent_callback_return_and_worker_book_deposit_once(
    gateway_driver: GatewayDriver, dana: Customer
) -> None:
    for quote, offset_ms in rounds(accepted(dana), width_ms=30, many=6):
        payment = gateway_driver.start(quote)
        gateway_driver.pay(payment)
        received = gateway_driver.callback(payment, "authorized")
        run_concurrently(
            lambda: receive_callback(
                gateway_driver.account, body=received.body, headers=received.headers, now=present()
            ),
            lambda: refresh(payment),
            reconcile,
            offset_ms=offset_ms,
        )
        assert refresh(payment).status == "succeeded"
        assert deposits.deposit_status(quote) == "paid"
        assert Event.objects.filter(payment=payment, type="payment.succeeded").count() == 1
