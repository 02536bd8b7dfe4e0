"""What can go wrong at the company, by every way of paying: the books stay right, and all are told the truth."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from partway.billing.documents import deposits, invoices, quotes
from partway.billing.errors import GatewayDown, PaymentInProgress
from partway.billing.events import Actor
from partway.billing.models import Customer, Event, Flag, Invoice, Payment, PaymentRequest, Quote
from partway.billing.payments.refresh import refresh_payment
from partway.billing.reconciliation import due_work
from partway.billing.requests import payment_requests
from partway.gateways.protocol import Unknown
from partway.lib.clock import now as present
from partway.lib.money import Money
from tests import personas
from tests.billing.world import WAYS, Source, World

ASKED = Money(30_000, "USD")


def begun(world: World, source: Source) -> Payment:
    """Whoever is told that the company does not answer presses the button again."""
    with suppress(GatewayDown):
        return world.start(source)
    return world.start(source)


def paid(world: World, source: Source, how: str = "good") -> Payment:
    """The customer pays, a debit settles, and our side learns of it sooner or later."""
    payment = begun(world, source)
    world.pay(payment, how)
    with suppress(Unknown):
        refresh_payment(payment, now=present())
    if how == "debit":
        world.settle(payment)
    return later(payment, hours=2)


def later(payment: Payment, hours: float = 0.05) -> Payment:
    """The worker looks again after a while."""
    due_work.ask_about_unsettled(now=present() + timedelta(hours=hours))
    return Payment.objects.get(pk=payment.pk)


def put_minor(source: Source) -> int:
    """How much stands on the invoice, or counts as the quote's deposit."""
    if isinstance(source, Quote):
        return source.deposit_minor if deposits.paid(Quote.objects.get(pk=source.pk)) else 0
    invoice = source.invoice if isinstance(source, PaymentRequest) else source
    return Invoice.objects.get(pk=invoice.pk).amount_paid_minor


def state(source: Source) -> str:
    return type(source).objects.get(pk=source.pk).status


def flags_of(payment: Payment) -> dict[str, str]:
    """What Attention says about this payment, by kind."""
    return dict(Flag.objects.filter(payment=payment).values_list("kind", "words"))


# No answer, though it was done, or was not

NO_ANSWER = ["error_before", "timeout_after_success", "garbage"]


@pytest.mark.parametrize("act", ["start", "fetch", "capture"])
@pytest.mark.parametrize("fault", NO_ANSWER)
def test_a_call_without_an_answer_takes_the_money_once(
    world: World, source: Source, fault: str, act: str
) -> None:
    world.go_wrong(fault, act=act)
    payment = paid(world, source)
    assert (payment.status, payment.captured, world.charged(payment)) == ("succeeded", ASKED, [30_000])
    assert (put_minor(source), flags_of(payment)) == (30_000, {})
    assert "You paid Alder Joinery" in world.receipt(payment)


END_IT: dict[type, Callable[[Any, Actor], object]] = {
    PaymentRequest: lambda request, by: payment_requests.cancel(request, by=by, now=present()),
    Invoice: lambda invoice, by: invoices.void(invoice, by=by, now=present()),
    Quote: lambda quote, by: quotes.make_invoice(quote, by=by, now=present()),
}
ENDED = {PaymentRequest: "canceled", Invoice: "void", Quote: "invoiced"}


@pytest.mark.parametrize("fault", NO_ANSWER)
def test_a_close_without_an_answer_ends_what_it_ends_at_once_and_charges_nobody(
    world: World, source: Source, alice: Actor, fault: str
) -> None:
    payment = world.start(source)
    world.go_wrong(fault, act="close")
    END_IT[type(source)](source, alice)
    payment.refresh_from_db()
    assert (state(source), payment.status) == (ENDED[type(source)], "closing")
    assert (later(payment).status, world.pay(payment).status_code) == ("canceled", 410)
    assert "Nothing was charged" in world.receipt(payment)


def test_a_capture_that_somebody_else_made_is_booked_once(world: World, source: Source) -> None:
    world.go_wrong("capture_too_late")
    payment = paid(world, source)
    assert (payment.captured, put_minor(source), world.charged(payment)) == (ASKED, 30_000, [30_000])


# Taken, but not what was asked

WRONG = {
    "a cent less": ({"kind": "wrong_amount", "delta": -1}, Money(29_999, "USD")),
    "twenty dollars more": ({"kind": "wrong_amount", "delta": 2_000}, Money(32_000, "USD")),
    "dollars of another country": ({"kind": "wrong_currency", "currency": "CAD"}, Money(30_000, "CAD")),
    "yen, which have no cents": ({"kind": "wrong_currency", "currency": "JPY"}, Money(30_000, "JPY")),
    "dinars, which have mils": ({"kind": "wrong_currency", "currency": "KWD"}, Money(30_000, "KWD")),
}
wrong_money = pytest.mark.parametrize(("fault", "taken"), WRONG.values(), ids=list(WRONG))


@wrong_money
@pytest.mark.parametrize("how", ["good", "debit"])
def test_wrong_money_is_booked_as_taken_and_shown_to_everybody(
    world: World, source: Source, how: str, fault: dict[str, Any], taken: Money
) -> None:
    world.go_wrong(**fault)
    payment = paid(world, source, how)
    assert payment.captured == taken == world.taken(payment)
    [(kind, words)] = flags_of(payment).items()
    assert (kind, f"{taken} was taken where $300.00 was asked" in words) == ("amount_differs", True)
    assert str(taken) in world.receipt(payment)


@pytest.mark.parametrize(
    ("way", "fault", "put"),
    [
        ("request", "a cent less", 29_999),
        ("request", "twenty dollars more", 32_000),
        ("request", "dollars of another country", 0),
        ("pay now", "a cent less", 29_999),
        ("pay now", "twenty dollars more", 30_000),
        ("pay now", "yen, which have no cents", 0),
        ("deposit", "a cent less", 0),
        ("deposit", "twenty dollars more", 30_000),
        ("deposit", "dinars, which have mils", 0),
    ],
)
def test_only_what_fits_is_put_where_it_was_meant_for(
    world: World, dana: Customer, way: str, fault: str, put: int
) -> None:
    source = WAYS[way](dana)
    world.go_wrong(**WRONG[fault][0])
    paid(world, source)
    assert put_minor(source) == put


@wrong_money
def test_wrong_money_ends_the_link_once_and_for_all(
    world: World, asked: PaymentRequest, fault: dict[str, Any], taken: Money
) -> None:
    world.go_wrong(**fault)
    payment = paid(world, asked)
    events = Event.objects.count()
    refresh_payment(payment, now=present())
    assert (state(asked), state(asked.invoice), Event.objects.count()) == ("paid", "sent", events)


def test_another_currency_by_pay_now_leaves_the_open_request_alone(
    world: World, asked: PaymentRequest
) -> None:
    world.go_wrong("wrong_currency")
    assert paid(world, asked.invoice).captured == Money(100_000, "CAD")
    assert (state(asked), put_minor(asked)) == ("open", 0)


def test_a_receipt_in_another_currency_says_that_nothing_of_it_stands_on_the_invoice(
    world: World, asked: PaymentRequest
) -> None:
    world.go_wrong("wrong_currency")
    page = world.receipt(paid(world, asked))
    assert "CA$300.00 was taken in another currency than this invoice’s. It is kept as your credit" in page
    assert "This payment$0.00 Left to pay$1,000.00" in page


def test_a_capture_of_nothing_is_no_payment(world: World, source: Source) -> None:
    world.go_wrong("wrong_amount", delta=-30_000)
    payment = paid(world, source)
    assert (payment.status, payment.captured, put_minor(source)) == ("failed", None, 0)
    assert list(flags_of(payment)) == ["amount_differs"]
    assert "Nothing was charged" in world.receipt(payment)
    assert paid(world, source).captured == ASKED


def test_a_capture_without_an_amount_waits_for_one_and_a_human_is_told(world: World, source: Source) -> None:
    world.go_wrong("no_amount", act="capture")
    payment = world.collect(source)
    assert (payment.status, list(flags_of(payment))) == ("capturing", ["amount_missing"])
    assert "We are confirming your payment" in world.receipt(payment)
    assert (later(payment).captured, put_minor(source)) == (ASKED, 30_000)


def test_a_settled_debit_without_an_amount_holds_the_money_until_there_is_one(
    world: World, source: Source
) -> None:
    payment = world.start(source)
    world.pay(payment, "debit")
    world.settle(payment)
    world.go_wrong("no_amount", act="fetch")
    assert refresh_payment(payment, now=present()).is_committed
    assert list(flags_of(payment)) == ["amount_missing"]
    assert "Your payment is on its way" in world.receipt(payment)
    assert (later(payment, hours=2).captured, put_minor(source)) == (ASKED, 30_000)


def test_a_currency_nobody_knows_is_not_booked_until_it_is_known(world: World, source: Source) -> None:
    world.go_wrong("wrong_currency", currency="ZZZ")
    payment = paid(world, source)
    assert (payment.status, payment.captured, put_minor(source)) == ("capturing", None, 0)
    assert "We are confirming your payment" in world.receipt(payment)


# An authorization that lapses


def test_a_hold_that_lapses_when_it_is_captured_charges_nothing(world: World, source: Source) -> None:
    payment = paid(world, source, "lapsing")
    assert (payment.status, payment.failure_code) == ("failed", "authorization_lapsed")
    assert "Nothing was charged" in world.receipt(payment)
    assert paid(world, source).captured == ASKED


def test_a_hold_that_lapsed_before_we_looked_is_found_by_the_worker(world: World, source: Source) -> None:
    payment = world.start(source)
    world.pay(payment)
    world.lapse(payment)
    payment = later(payment)
    assert (payment.failure_code, world.charged(payment)) == ("authorization_lapsed", [])
    assert paid(world, source).captured == ASKED


def test_a_hold_that_lapses_while_we_try_to_capture_it_holds_nothing_any_more(
    world: World, source: Source
) -> None:
    world.go_wrong("error_before", act="capture")
    payment = world.collect(source)
    assert payment.status == "capturing"
    world.lapse(payment)
    payment = later(payment)
    assert (payment.status, payment.failure_code) == ("failed", "authorization_lapsed")
    assert paid(world, source).captured == ASKED


# Taken while it is being closed


@pytest.fixture
def overtaken(world: World, source: Source, alice: Actor) -> Payment:
    """A debit that the customer began just before what it pays for was ended."""
    payment = world.start(source)
    world.go_wrong("close_too_late")
    END_IT[type(source)](source, alice)
    return refresh_payment(payment, now=present())


def test_what_was_taken_while_closing_is_credit_and_ends_nothing_twice(
    world: World, source: Source, overtaken: Payment
) -> None:
    assert (overtaken.status, overtaken.accepted) == ("processing", False)
    assert "Your payment came too late" in world.receipt(overtaken)
    world.settle(overtaken)
    payment = refresh_payment(overtaken, now=present())
    assert (payment.captured, put_minor(source), state(source)) == (ASKED, 0, ENDED[type(source)])
    assert list(flags_of(payment)) == ["unwanted_payment"]
    assert "$300.00 c" in world.receipt(payment)  # came when …, could not be taken as …


def test_what_was_begun_while_closing_and_comes_to_nothing_leaves_nothing(
    world: World, source: Source, overtaken: Payment
) -> None:
    world.settle(overtaken, "failed")
    payment = refresh_payment(overtaken, now=present())
    assert (payment.status, flags_of(payment), state(source)) == ("failed", {}, ENDED[type(source)])
    assert "Nothing was charged" in world.receipt(payment)


@pytest.mark.parametrize("fault", [{}, WRONG["dollars of another country"][0]], ids=["right", "foreign"])
def test_what_is_captured_in_the_dashboard_while_we_let_go_of_it_is_credit(
    world: World, source: Source, alice: Actor, fault: dict[str, Any]
) -> None:
    payment = world.start(source)
    world.pay(payment)
    world.go_wrong("error_before", act="close", count=2)
    END_IT[type(source)](source, alice)
    assert refresh_payment(payment, now=present()).status == "releasing"
    if fault:
        world.go_wrong(**fault)
    world.capture(payment)
    payment = later(payment)
    assert (payment.captured, put_minor(source)) == (world.taken(payment), 0)
    assert list(flags_of(payment)) == ["amount_differs" if fault else "unwanted_payment"]


def test_another_way_of_paying_is_told_of_what_was_taken_while_closing(
    world: World, asked: PaymentRequest
) -> None:
    payment = world.start(asked)
    world.go_wrong("close_too_late")
    with pytest.raises(PaymentInProgress):
        world.start(asked.invoice)
    world.settle(payment)
    refresh_payment(payment, now=present())
    assert (state(asked), put_minor(asked)) == ("paid", 30_000)


def test_a_deposit_that_came_by_check_too_is_kept_once_and_the_other_is_credit(
    world: World, dana: Customer
) -> None:
    quote = personas.accept(personas.quote(dana))
    payment = world.start(quote)
    world.go_wrong("close_too_late")
    personas.pay_deposit(quote)
    world.settle(payment)
    payment = refresh_payment(payment, now=present())
    assert (payment.captured, payment.is_deposit) == (ASKED, False)
    assert list(flags_of(payment)) == ["unwanted_payment"]
