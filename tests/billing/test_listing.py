"""The gateway's own list is read: what it knows and we do not is settled, or a human is told."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from partway.accounts.models import GatewayAccount
from partway.billing import alerts
from partway.billing.checkouts import gateway_calls
from partway.billing.errors import GatewayDown
from partway.billing.events import Actor
from partway.billing.models import Flag, Payment, PaymentRequest
from partway.billing.reconciliation import due_work, gateway_list
from partway.billing.requests import payment_requests
from partway.gateways.protocol import Checkout, Order
from partway.lib.clock import now as present
from partway.lib.money import Money
from tests.billing.world import World


def read(minutes: float = 10) -> int:
    """The worker reads the lists, some minutes from now."""
    return gateway_list.read_lists(now=present() + timedelta(minutes=minutes))


def the_payment() -> Payment:
    return Payment.objects.get()


def over(payment: Payment, **columns: Any) -> None:
    """Something happened to our row that should not have."""
    Payment.objects.filter(pk=payment.pk).update(**columns)


def test_a_checkout_whose_name_we_never_learned_is_found(world: World, asked: PaymentRequest) -> None:
    world.go_wrong("timeout_after_success", act="start")
    with pytest.raises(GatewayDown):
        world.start(asked)
    assert the_payment().checkout_ref == ""
    assert read() == 1
    assert the_payment().checkout_ref != ""


def test_a_payment_nobody_reported_is_settled(world: World, asked: PaymentRequest) -> None:
    world.pay(world.start(asked))
    assert read() == 1
    assert the_payment().status == "succeeded"
    assert read(30) == 0


def test_a_checkout_that_waits_for_its_customer_is_left_alone(world: World, asked: PaymentRequest) -> None:
    world.start(asked)
    assert (read(), the_payment().status) == (0, "pending")


def test_money_that_came_after_we_gave_up_is_booked(
    world: World, asked: PaymentRequest, alice: Actor
) -> None:
    payment = world.start(asked)
    world.pay(payment, "debit")
    over(payment, status="failed", settled_at=present())  # as if a wrong report had been believed
    world.settle(payment)
    assert read() == 1
    assert (the_payment().status, the_payment().accepted) == ("succeeded", False)
    assert Flag.objects.get().kind == "unwanted_payment"


@pytest.fixture
def books(db: None) -> None:
    """Our rows are damaged on purpose here, so histories need not fit."""


def test_a_checkout_we_thought_never_opened_is_closed(world: World, asked: PaymentRequest) -> None:
    payment = world.start(asked)
    over(payment, status="failed", checkout_ref="", settled_at=present())
    assert read() == 1
    assert world.pay(payment).status_code == 410
    assert world.charged(payment) == []


def pay_beside(world: World, reference: str) -> Checkout:
    """A customer pays by bank debit on a checkout that the books do not know, under this reference."""
    assert world.ear is not None
    order = Order(
        key=f"beside {reference}",
        amount=Money(30_000, "USD"),
        description="An invoice that a restored backup does not have",
        reference=reference,
        return_url=world.ear.url,
        callback_url=world.ear.url,
        expires_at=present() + timedelta(minutes=30),
    )
    checkout = gateway_calls.gateway_of(world.account).start(order)
    world.company.type_in(f"{checkout.url}/pay", **world.FORMS["debit"])
    return checkout


def test_money_under_a_reference_that_is_gone_is_given_to_a_human(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(world, "agrees", lambda: None)  # they do not: that is the point
    pay_beside(world, "pay_gone")
    assert read() == 1
    assert Flag.objects.get().kind == "unknown_checkout"
    assert "pay_gone" in Flag.objects.get().words
    read(30)
    assert Flag.objects.count() == 1


def test_money_on_a_second_checkout_of_a_payment_is_given_to_a_human(
    world: World, asked: PaymentRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(world, "agrees", lambda: None)
    payment = world.collect(asked)
    second = pay_beside(world, payment.pk)
    assert read() == 1
    assert second.ref in Flag.objects.get(kind="unknown_checkout").words


def test_of_two_checkouts_listed_at_once_one_is_booked_and_the_other_is_told(
    world: World, asked: PaymentRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(world, "agrees", lambda: None)
    payment = world.start(asked)
    world.pay(payment, "debit")
    world.settle(payment)
    over(payment, checkout_ref="")
    second = pay_beside(world, payment.pk)
    read()
    assert (the_payment().status, the_payment().checkout_ref) == ("succeeded", payment.checkout_ref)
    assert second.ref in Flag.objects.get(kind="unknown_checkout").words


def test_a_name_learned_from_one_line_is_known_at_the_next(
    world: World, asked: PaymentRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(world, "agrees", lambda: None)
    payment = world.start(asked)
    over(payment, checkout_ref="")
    second = pay_beside(world, payment.pk)
    read()
    assert (the_payment().status, the_payment().checkout_ref) == ("pending", payment.checkout_ref)
    assert second.ref in Flag.objects.get().words


def test_a_refund_made_at_the_gateway_is_given_to_a_human(world: World, asked: PaymentRequest) -> None:
    payment = world.collect(asked)
    world.send_back(payment, 10_000)
    read()
    assert Flag.objects.get().kind == "refunded_at_gateway"
    assert "$100.00 of $300.00" in Flag.objects.get().words


def test_a_refund_that_failed_sent_nothing_back(world: World, asked: PaymentRequest) -> None:
    world.send_back_in_vain(world.collect(asked), 10_000)
    read()
    assert not Flag.objects.exists()


def test_another_amount_than_booked_is_given_to_a_human(
    world: World, asked: PaymentRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    payment = world.collect(asked)
    over(payment, captured_minor=30_001)
    monkeypatch.setattr(world, "agrees", lambda: None)
    read()
    assert Flag.objects.get().kind == "books_differ"


def test_a_silent_gateway_is_asked_again_from_where_we_were(
    world: World, asked: PaymentRequest, settings: Settings
) -> None:
    world.pay(world.start(asked))
    settings.PARTWAY_SANDBOX_URL, up = "http://127.0.0.1:9", settings.PARTWAY_SANDBOX_URL
    assert read() == 0
    assert _account(world).listed_until is None
    settings.PARTWAY_SANDBOX_URL = up
    assert read(20) == 1


def test_credentials_that_are_refused_are_tried_less_often(world: World) -> None:
    refuse(world.account)
    at = present() + timedelta(minutes=10)
    gateway_list.read_lists(now=at)
    assert _account(world).list_at == at + timedelta(hours=6)


# A list that stays unread

_AN_HOUR, _A_DAY = 60, 24 * 60


def out_of_reach(settings: Settings) -> None:
    settings.PARTWAY_SANDBOX_URL = "http://127.0.0.1:9"


def refuse(account: GatewayAccount) -> None:
    """The company does not know our credentials any more."""
    account.credentials = {**account.credentials, "api_key": "sk_sandbox_wrong"}
    account.save()


def test_a_list_that_is_unread_for_a_day_is_given_to_a_human(world: World, settings: Settings) -> None:
    up = settings.PARTWAY_SANDBOX_URL
    out_of_reach(settings)
    read(_A_DAY - _AN_HOUR)
    assert not Flag.objects.exists()
    read(_A_DAY + _AN_HOUR)
    settings.PARTWAY_SANDBOX_URL = up
    flag = Flag.objects.get()
    assert (flag.kind, flag.organization) == ("list_unread", world.account.organization)
    assert "there is no answer" in flag.words


def test_it_is_told_with_what_the_company_says_when_it_refuses(world: World) -> None:
    refuse(world.account)
    read(_A_DAY + _AN_HOUR)
    assert "it refuses." in Flag.objects.get(kind="list_unread").words


def test_a_list_of_which_a_line_stays_unclear_is_unread(world: World, asked: PaymentRequest) -> None:
    world.pay(world.start(asked))
    world.go_wrong("error_before", act="fetch", count=1)
    read(_A_DAY + _AN_HOUR)
    assert "does not tell what became of them" in Flag.objects.get().words


def test_it_ends_by_itself_when_the_list_is_read_again(world: World, settings: Settings) -> None:
    up = settings.PARTWAY_SANDBOX_URL
    out_of_reach(settings)
    read(_A_DAY + _AN_HOUR)
    settings.PARTWAY_SANDBOX_URL = up
    read(_A_DAY + 2 * _AN_HOUR)
    assert Flag.objects.get().resolution == "The list is read again."


def test_a_list_that_was_read_lately_is_not_unread(world: World, settings: Settings) -> None:
    up = settings.PARTWAY_SANDBOX_URL
    read(_A_DAY)
    out_of_reach(settings)
    read(_A_DAY + _AN_HOUR)
    settings.PARTWAY_SANDBOX_URL = up
    assert not Flag.objects.exists()


def test_nobody_is_told_of_a_replaced_account_on_which_nothing_waits(world: World, alice: Actor) -> None:
    refuse(world.account)
    read(_A_DAY + _AN_HOUR)
    GatewayAccount.objects.filter(pk=world.account.pk).update(is_current=False)
    read(2 * _A_DAY)
    assert Flag.objects.get().resolution == "It was replaced, and owes no answer."


def test_a_replaced_account_on_which_a_payment_waits_is_told(world: World, asked: PaymentRequest) -> None:
    world.start(asked)
    key = world.account.sealed_credentials
    refuse(world.account)
    GatewayAccount.objects.filter(pk=world.account.pk).update(is_current=False)
    read(_A_DAY + _AN_HOUR)
    GatewayAccount.objects.filter(pk=world.account.pk).update(sealed_credentials=key)
    assert Flag.objects.get().resolved_at is None


def test_two_workers_never_read_the_same_list(world: World) -> None:
    at = present() + timedelta(minutes=10)
    account = _account(world)
    assert [gateway_list._claim(account, at), gateway_list._claim(account, at)] == [True, False]


def _account(world: World) -> GatewayAccount:
    return GatewayAccount.objects.get(pk=world.account.pk)


# Payments without an end


def stuck(world: World, asked: PaymentRequest, settings: Settings, after: timedelta) -> datetime:
    """Nobody answers for a long time."""
    world.start(asked)
    settings.PARTWAY_SANDBOX_URL = "http://127.0.0.1:9"
    at = present() + after
    due_work.ask_about_unsettled(now=at)
    return at


def test_a_payment_without_an_end_is_given_to_a_human(
    world: World, asked: PaymentRequest, settings: Settings
) -> None:
    up = settings.PARTWAY_SANDBOX_URL
    stuck(world, asked, settings, timedelta(hours=25))
    settings.PARTWAY_SANDBOX_URL = up
    assert Flag.objects.get().kind == "payment_unsettled"


def test_which_ends_by_itself_when_the_gateway_answers(
    world: World, asked: PaymentRequest, settings: Settings, alice: Actor
) -> None:
    up = settings.PARTWAY_SANDBOX_URL
    at = stuck(world, asked, settings, timedelta(hours=25))
    settings.PARTWAY_SANDBOX_URL = up
    assert alerts.clear_passing(now=at) == 0
    payment_requests.cancel(asked, by=alice, now=at)
    assert alerts.clear_passing(now=at) == 1
    assert Flag.objects.get().resolution == "The payment is settled now."


def test_a_day_is_not_too_long(world: World, asked: PaymentRequest, settings: Settings) -> None:
    up = settings.PARTWAY_SANDBOX_URL
    stuck(world, asked, settings, timedelta(hours=20))
    settings.PARTWAY_SANDBOX_URL = up
    assert not Flag.objects.exists()


def test_a_second_refund_is_told_after_the_first_was_dealt_with(
    world: World, asked: PaymentRequest, alice: Actor
) -> None:
    payment = world.collect(asked)
    world.send_back(payment, 10_000)
    read()
    flag = Flag.objects.get()
    alerts.resolve(flag, shown=flag.edition, by=alice, now=present())
    read(20)
    assert Flag.objects.count() == 1
    world.send_back(payment, 5_000)
    read(30)
    assert "$150.00 of $300.00" in Flag.objects.get(resolved_at__isnull=True).words


def test_an_open_flag_says_the_latest(world: World, asked: PaymentRequest) -> None:
    payment = world.collect(asked)
    world.send_back(payment, 10_000)
    read()
    world.send_back(payment, 5_000)
    read(20)
    assert "$150.00 of $300.00" in Flag.objects.get().words


def test_money_that_another_connection_of_the_account_booked_is_no_stranger(
    world: World, asked: PaymentRequest
) -> None:
    world.collect(asked)
    again = GatewayAccount(organization=asked.organization, gateway="sandbox", is_current=False)
    again.credentials = world.account.credentials
    again.save()
    read()
    assert not Flag.objects.exists()


def test_money_of_a_checkout_without_a_name_is_booked_without_starting_it_again(
    world: World, asked: PaymentRequest
) -> None:
    payment = world.start(asked)
    world.pay(payment, "debit")
    world.settle(payment)
    over(payment, status="failed", checkout_ref="", settled_at=present())
    world.go_wrong("error_before", act="start", count=9)
    assert read() == 1
    assert the_payment().captured_minor == 30_000


def test_a_line_that_nobody_could_compare_is_read_once_more(world: World, asked: PaymentRequest) -> None:
    payment = world.start(asked)
    world.pay(payment)
    world.go_wrong("error_before", act="fetch", count=1)
    read()
    assert (_account(world).listed_until, the_payment().status) == (None, "pending")
    assert read(20) == 1
