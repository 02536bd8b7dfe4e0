"""A net under the table of races of a quote: acts that nobody orders, swept across each other on real threads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from partway.billing.checkouts.payability import CHECKOUT_LIFE
from partway.billing.documents import deposits, invoices, quotes
from partway.billing.errors import BillingError
from partway.billing.events import Actor
from partway.billing.models import Customer, Event, Payment, Quote, QuoteTerms
from partway.billing.payments.callbacks import receive_callback
from partway.billing.payments.refresh import refresh_payment
from partway.billing.reconciliation import due_work
from partway.lib.clock import now as present
from tests import personas
from tests.billing.together import sweep, together
from tests.billing.world import World

pytestmark = pytest.mark.django_db(transaction=True)

ROUNDS = 12


@pytest.fixture(autouse=True)
def _no_throttle(settings: Settings) -> None:
    """One address pays for everybody here."""
    settings.PARTWAY_CHECKOUTS_PER_ADDRESS = 10_000


def refresh(payment: Payment) -> Payment:
    return refresh_payment(payment, now=present())


def rounds(
    make: Callable[[], Quote], width_ms: float = 12, many: int = ROUNDS
) -> Iterator[tuple[Quote, float]]:
    """A new quote for each round."""
    for behind_ms in sweep(many, width_ms):
        yield make(), behind_ms


def accepted(dana: Customer) -> Callable[[], Quote]:
    return lambda: personas.accept(personas.quote(dana))


def word(result: Any) -> str:
    return type(result).__name__ if isinstance(result, BillingError) else str(result.status)


def charges(world: World, quote: Quote) -> list[int]:
    return [charge for payment in quote.payments.all() for charge in world.charged(payment)]


def reconcile() -> None:
    later = present() + CHECKOUT_LIFE
    while due_work.ask_about_unsettled(now=later):
        pass


def test_send_and_new_terms_never_give_a_number_twice(dana: Customer, alice: Actor) -> None:
    personas.quote(dana)
    terms = QuoteTerms(prefix="QUO-")
    for quote, behind_ms in rounds(lambda: personas.quote_draft(dana)):
        together(
            lambda: quotes.send(quote, by=alice, now=present()),
            lambda: quotes.change_terms(dana.organization, terms=terms, by=alice, now=present()),
            behind_ms=behind_ms,
        )
    numbers = Quote.objects.order_by("number").values_list("number", flat=True)
    assert list(numbers) == [f"QUO-{number:04d}" for number in range(1, ROUNDS + 2)]


def test_deposit_online_and_offline(world: World, dana: Customer) -> None:
    for quote, behind_ms in rounds(accepted(dana), width_ms=40, many=10):
        payment = world.start(quote)
        world.pay(payment)
        _, recorded = together(
            lambda: refresh(payment), lambda: personas.pay_deposit(quote), behind_ms=behind_ms
        )
        online = refresh(payment).status
        assert (online, word(recorded), len(charges(world, quote))) in {
            ("canceled", "succeeded", 0),
            ("succeeded", "PaymentInProgress", 1),
            ("succeeded", "TooLate", 1),
        }
        assert quote.payments.deposits().count() == 1


def test_deposit_and_making_the_invoice(world: World, dana: Customer, alice: Actor) -> None:
    for quote, behind_ms in rounds(accepted(dana), width_ms=40, many=10):
        payment = world.start(quote)
        world.pay(payment)
        _, made = together(
            lambda: refresh(payment),
            lambda: quotes.make_invoice(quote, by=alice, now=present()),
            behind_ms=behind_ms,
        )
        end = refresh(payment).status
        assert (end, word(made), sum(charges(world, quote))) in {
            ("canceled", "draft", 0),
            ("succeeded", "PaymentInProgress", 30_000),
            ("succeeded", "draft", 30_000),
        }
        invoice = quotes.make_invoice(quote, by=alice, now=present())
        assert invoices.send(invoice, by=alice, now=present()).amount_paid_minor == sum(charges(world, quote))


def test_callback_and_return_and_worker(world: World, dana: Customer) -> None:
    for quote, behind_ms in rounds(accepted(dana), width_ms=30, many=6):
        payment = world.start(quote)
        world.pay(payment)
        heard = world.callback(payment, "authorized")
        together(
            lambda: receive_callback(world.account, body=heard.body, headers=heard.headers, now=present()),
            lambda: refresh(payment),
            reconcile,
            behind_ms=behind_ms,
        )
        assert refresh(payment).status == "succeeded"
        assert deposits.deposit_status(quote) == "paid"
        assert Event.objects.filter(payment=payment, type="payment.succeeded").count() == 1
