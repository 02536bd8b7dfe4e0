"""Two acts on one quote at the same moment, in both orders: one right outcome, and the deposit is paid once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from partway.billing import deposits, events, invoices, payments, quotes, reconciliation
from partway.billing.errors import BillingError
from partway.billing.events import Actor
from partway.billing.models import Customer, Event, Invoice, Payment, Quote, QuoteTerms
from partway.billing.quotes import Evidence
from partway.lib.clock import now as present
from partway.lib.clock import today
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
    return payments.refresh(payment, now=present())


def rounds(
    make: Callable[[], Quote], width_ms: float = 12, many: int = ROUNDS
) -> Iterator[tuple[Quote, float]]:
    """A new quote for each round."""
    for behind_ms in sweep(many, width_ms):
        yield make(), behind_ms


def accepted(dana: Customer) -> Callable[[], Quote]:
    return lambda: personas.accept(personas.quote(dana))


def sent(dana: Customer) -> Callable[[], Quote]:
    return lambda: personas.quote(dana)


def word(result: Any) -> str:
    return type(result).__name__ if isinstance(result, BillingError) else str(result.status)


def say_yes(quote: Quote, days: int = 0) -> Quote:
    at, by = present() + timedelta(days=days), events.customer_actor(quote.customer)
    return quotes.accept(quote, evidence=Evidence("Dana", None), by=by, now=at)


def say_no(quote: Quote) -> Quote:
    by = events.customer_actor(quote.customer)
    return quotes.decline(quote, reason="", by=by, now=present())


def ends(quote: Quote) -> int:
    kinds = ["quote.accepted", "quote.declined", "quote.expired"]
    return Event.objects.filter(quote=quote, type__in=kinds).count()


def charges(world: World, quote: Quote) -> list[int]:
    return [charge for payment in quote.payments.all() for charge in world.charged(payment)]


def reconcile() -> None:
    later = present() + payments.CHECKOUT_LIFE
    while reconciliation.ask_about_unsettled(now=later):
        pass


# The answer


def test_accept_and_decline(dana: Customer) -> None:
    seen: Counter[tuple[str, str]] = Counter()
    for quote, behind_ms in rounds(sent(dana), many=20):
        results = together(lambda: say_yes(quote), lambda: say_no(quote), behind_ms=behind_ms)
        outcome = (word(results[0]), word(results[1]))
        seen[outcome] += 1
        assert outcome in {("accepted", "TooLate"), ("TooLate", "declined")}
        assert ends(quote) == 1
    assert len(seen) == 2, seen


def test_accept_and_expire(dana: Customer) -> None:
    seen: Counter[str] = Counter()
    for quote, behind_ms in rounds(sent(dana), many=20):
        Quote.objects.filter(pk=quote.pk).update(valid_until=today(present(), "America/New_York"))
        tomorrow = present() + timedelta(days=1)
        yes, _ = together(
            lambda: say_yes(quote), lambda: quotes.expire(quote, now=tomorrow), behind_ms=behind_ms
        )
        status = Quote.objects.get(pk=quote.pk).status
        seen[status] += 1
        assert (status, word(yes)) in {("accepted", "accepted"), ("expired", "TooLate")}
        assert ends(quote) == 1
    assert set(seen) == {"accepted", "expired"}, seen


def test_accept_and_accept(dana: Customer) -> None:
    for quote, behind_ms in rounds(sent(dana)):
        together(lambda: say_yes(quote), lambda: say_yes(quote), behind_ms=behind_ms)
        assert ends(quote) == 1
        assert quote.mails.filter(kind="quote_accepted").count() == 1


def test_send_and_send(dana: Customer, alice: Actor) -> None:
    for quote, behind_ms in rounds(lambda: personas.quote_draft(dana)):
        results = together(
            lambda: quotes.send(quote, by=alice, now=present()),
            lambda: quotes.send(quote, by=alice, now=present()),
            behind_ms=behind_ms,
        )
        assert sorted(map(word, results)) == ["Conflict", "sent"]


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


# The deposit


def test_deposit_and_deposit_by_the_same_link(world: World, dana: Customer) -> None:
    for quote, behind_ms in rounds(accepted(dana)):
        first, second = together(lambda: world.start(quote), lambda: world.start(quote), behind_ms=behind_ms)
        assert first.checkout_url == second.checkout_url
        together(lambda: world.pay(first), lambda: world.pay(second))
        together(lambda: refresh(first), lambda: refresh(second), behind_ms=behind_ms)
        assert charges(world, quote) == [30_000]


def test_deposit_online_and_offline(world: World, dana: Customer) -> None:
    seen: Counter[tuple[str, str]] = Counter()
    for quote, behind_ms in rounds(accepted(dana), width_ms=40, many=20):
        payment = world.start(quote)
        world.pay(payment)
        _, recorded = together(
            lambda: refresh(payment), lambda: personas.pay_deposit(quote), behind_ms=behind_ms
        )
        online = refresh(payment).status
        seen[online, word(recorded)] += 1
        assert (online, word(recorded), len(charges(world, quote))) in {
            ("canceled", "succeeded", 0),
            ("succeeded", "PaymentInProgress", 1),
            ("succeeded", "TooLate", 1),
        }
        assert quote.payments.deposits().count() == 1
    assert len({online for online, _ in seen}) == 2, seen


def test_offline_and_offline(dana: Customer) -> None:
    for quote, behind_ms in rounds(accepted(dana)):
        results = together(
            lambda: personas.pay_deposit(quote), lambda: personas.pay_deposit(quote), behind_ms=behind_ms
        )
        assert sorted(map(word, results)) == ["TooLate", "succeeded"]


def test_deposit_and_making_the_invoice(world: World, dana: Customer, alice: Actor) -> None:
    seen: Counter[tuple[str, str]] = Counter()
    for quote, behind_ms in rounds(accepted(dana), width_ms=40, many=20):
        payment = world.start(quote)
        world.pay(payment)
        _, made = together(
            lambda: refresh(payment),
            lambda: quotes.make_invoice(quote, by=alice, now=present()),
            behind_ms=behind_ms,
        )
        end = refresh(payment).status
        seen[end, word(made)] += 1
        assert (end, word(made), sum(charges(world, quote))) in {
            ("canceled", "draft", 0),
            ("succeeded", "PaymentInProgress", 30_000),
            ("succeeded", "draft", 30_000),
        }
        invoice = quotes.make_invoice(quote, by=alice, now=present())
        assert invoices.send(invoice, by=alice, now=present()).amount_paid_minor == sum(charges(world, quote))
    assert len({end for end, _ in seen}) == 2, seen


def test_starting_to_pay_and_making_the_invoice(world: World, dana: Customer, alice: Actor) -> None:
    for quote, behind_ms in rounds(accepted(dana)):
        together(
            lambda: world.collect(quote),
            lambda: quotes.make_invoice(quote, by=alice, now=present()),
            behind_ms=4 * behind_ms,
        )
        reconcile()
        invoice = quotes.make_invoice(quote, by=alice, now=present())
        paid = invoices.send(invoice, by=alice, now=present()).amount_paid_minor
        assert paid == sum(charges(world, quote))


def test_make_and_make(dana: Customer, alice: Actor) -> None:
    for quote, behind_ms in rounds(accepted(dana)):
        made = together(
            lambda: quotes.make_invoice(quote, by=alice, now=present()),
            lambda: quotes.make_invoice(quote, by=alice, now=present()),
            behind_ms=behind_ms,
        )
        assert made[0] == made[1]
        assert Invoice.objects.filter(quote=quote).count() == 1


def test_callback_and_return_and_worker(world: World, dana: Customer) -> None:
    for quote, behind_ms in rounds(accepted(dana), width_ms=30, many=6):
        payment = world.start(quote)
        world.pay(payment)
        heard = world.callback(payment, "authorized")
        together(
            lambda: payments.receive(world.account, body=heard.body, headers=heard.headers, now=present()),
            lambda: refresh(payment),
            reconcile,
            behind_ms=behind_ms,
        )
        assert refresh(payment).status == "succeeded"
        assert deposits.deposit_status(quote) == "paid"
        assert Event.objects.filter(payment=payment, type="payment.succeeded").count() == 1
