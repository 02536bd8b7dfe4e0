"""Nobody tests stolen cards here: checkouts are counted per link and per address."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pytest_django.fixtures import Settings

from partway.billing.errors import RateLimited
from partway.billing.models import Customer, Invoice, Payment, PaymentRequest
from partway.lib.clock import now as present
from tests import personas
from tests.billing.world import World


@pytest.fixture(autouse=True)
def _two(settings: Settings) -> None:
    """Two checkouts an hour for a link, three for an address."""
    settings.PARTWAY_CHECKOUTS_PER_LINK = 2
    settings.PARTWAY_CHECKOUTS_PER_ADDRESS = 3


def test_a_link_opens_so_many_checkouts_an_hour(world: World, asked: PaymentRequest) -> None:
    for _ in range(2):
        world.collect(asked, "lapsing")
    with pytest.raises(RateLimited):
        world.start(asked)
    assert world.start(asked, now=present() + timedelta(hours=1)).status == "pending"


def test_the_same_checkout_again_counts_once(world: World, asked: PaymentRequest) -> None:
    for _ in range(5):
        world.start(asked)
    assert Payment.objects.count() == 1


def test_declines_in_one_checkout_count_once(world: World, asked: PaymentRequest) -> None:
    for _ in range(5):
        world.collect(asked, "declined")
    assert world.collect(asked).status == "succeeded"


def test_each_link_has_its_own_count(world: World, asked: PaymentRequest, invoice: Invoice) -> None:
    for _ in range(2):
        world.collect(asked, "lapsing")
    assert world.start(invoice, address=None).status == "pending"


def test_an_address_opens_so_many_checkouts_an_hour(world: World, dana: Customer) -> None:
    for _ in range(3):
        world.start(personas.sent(dana), address="203.0.113.9")
    with pytest.raises(RateLimited):
        world.start(personas.sent(dana), address="203.0.113.9")
    assert world.start(personas.sent(dana), address="203.0.113.10").status == "pending"


def test_an_unknown_address_is_not_counted(world: World, dana: Customer) -> None:
    for _ in range(5):
        world.start(personas.sent(dana), address=None)
    assert Payment.objects.count() == 5
