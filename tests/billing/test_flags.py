"""What a human must look at: raised once, dealt with as it was shown, and back when there is something new."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from partway.billing import alerts
from partway.billing.errors import Stale
from partway.billing.events import Actor
from partway.billing.models import Flag, PaymentRequest
from partway.billing.reconciliation import gateway_list
from partway.lib.clock import now as present
from tests.billing.world import World


def later(minutes: float) -> datetime:
    return present() + timedelta(minutes=minutes)


def the_flag() -> Flag:
    return Flag.objects.get(resolved_at__isnull=True)


def deal_with(flag: Flag, by: Actor, at: datetime | None = None) -> None:
    """A member presses the button beside what this flag said when it was read."""
    alerts.resolve(flag, shown=flag.edition, by=by, now=at or present())


@pytest.fixture
def refunded(world: World, asked: PaymentRequest) -> Flag:
    """$100.00 of $300.00 was sent back at the company, and a member has that on the screen."""
    world.send_back(world.collect(asked), 10_000)
    gateway_list.read_lists(now=later(10))
    return the_flag()


def send_back_more(world: World, refunded: Flag) -> None:
    assert refunded.payment is not None
    world.send_back(refunded.payment, 5_000)
    gateway_list.read_lists(now=later(20))


def test_nobody_deals_with_what_they_never_saw(world: World, refunded: Flag, alice: Actor) -> None:
    send_back_more(world, refunded)
    with pytest.raises(Stale):
        deal_with(refunded, alice)
    assert "$150.00 of $300.00" in the_flag().words


def test_a_page_is_compared_although_the_row_was_read_anew(
    world: World, refunded: Flag, alice: Actor
) -> None:
    send_back_more(world, refunded)
    with pytest.raises(Stale):
        alerts.resolve(the_flag(), shown=refunded.edition, by=alice, now=present())
    assert the_flag().resolved_at is None


def test_dealing_with_it_twice_is_once(refunded: Flag, alice: Actor) -> None:
    deal_with(refunded, alice)
    for shown in (refunded.edition, "another page"):
        alerts.resolve(refunded, shown=shown, by=alice, now=present(), resolution="Again.")
    assert Flag.objects.get().resolution == ""


def test_what_falls_back_to_earlier_words_is_news(world: World, refunded: Flag, alice: Actor) -> None:
    said = refunded.words
    deal_with(refunded, alice)
    send_back_more(world, refunded)
    deal_with(the_flag(), alice)
    assert refunded.payment is not None
    alerts.raise_flag(refunded.kind, refunded.payment, words=said, now=later(30))
    assert the_flag().words == said


# Trouble that passes


HOUR = 60


def complain(asked: PaymentRequest, minutes: float, reason: str) -> None:
    """The company refuses to tell what became of the payment, each time for another reason."""
    alerts.raise_flag("gateway_refuses", asked.payments.get(), words=reason, now=later(minutes))


@pytest.fixture
def stuck(world: World, asked: PaymentRequest, alice: Actor) -> PaymentRequest:
    """A payment of which nobody can learn the end; a member has just dealt with that."""
    world.start(asked)
    complain(asked, 0, "Account suspended.")
    deal_with(the_flag(), alice, later(0))
    return asked


def test_trouble_that_was_dealt_with_is_quiet_for_a_day(stuck: PaymentRequest) -> None:
    complain(stuck, 5, "Account suspended.")
    complain(stuck, 23 * HOUR, "Account closed.")
    assert not Flag.objects.filter(resolved_at__isnull=True).exists()


def test_trouble_that_lasts_comes_back_a_day_after_it_was_dealt_with(stuck: PaymentRequest) -> None:
    complain(stuck, 25 * HOUR, "Account suspended.")
    assert the_flag().words == "Account suspended."
