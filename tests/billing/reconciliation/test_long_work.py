"""Work of many transactions gives each its own time: else one could be booked into a month that was closed since."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from time import monotonic

import pytest

from partway.billing.models import Customer, Event
from partway.billing.reconciliation import gateway_list, payout_list
from partway.lib import clock
from partway.lib.clock import now as present
from tests.support import failpoints, personas
from tests.support.gateway_driver import GatewayDriver


@contextmanager
def lasting(monkeypatch: pytest.MonkeyPatch, name: str) -> Iterator[None]:
    """Lets six minutes pass whenever this failpoint is reached, without waiting for them."""
    passed = [0]

    def pass_time(failpoint: str) -> None:
        passed[0] += 360 * (failpoint == name)

    monkeypatch.setattr(clock, "monotonic", lambda: monotonic() + passed[0])
    with failpoints.on_failpoint(pass_time):
        yield


def seconds_between(event_type: str) -> float:
    """The time between the two events of this type."""
    first, second = Event.objects.filter(type=event_type).order_by("created_at", "pk")
    return (second.created_at - first.created_at).total_seconds()


def test_each_payment_of_a_long_reading_is_booked_at_its_own_time(
    gateway_driver: GatewayDriver, dana: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        gateway_driver.pay(gateway_driver.start(personas.sent_invoice(dana)))
    with lasting(monkeypatch, "event payment.succeeded"):
        assert gateway_list.reconcile_gateway_lists(now=present() + timedelta(minutes=10)) == 2
    assert seconds_between("payment.succeeded") >= 360


def test_each_payout_of_a_long_reading_is_booked_at_its_own_time(
    gateway_driver: GatewayDriver, dana: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        gateway_driver.start_and_pay(personas.sent_invoice(dana))
        gateway_driver.pay_out()
    with lasting(monkeypatch, "event payout.reported"):
        assert payout_list.read_payouts(now=present()) == 2
    assert seconds_between("payout.reported") >= 360
