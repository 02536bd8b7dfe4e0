"""Contract: reconciliation can list everything that changed since some moment."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from partway.gateways.protocol import CheckoutStatus
from tests.gateways.harnesses import GatewayHarness

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def test_each_line_has_our_reference_and_the_truth(harness: GatewayHarness) -> None:
    checkout = harness.gateway.start(harness.order(reference="pay_7"))
    harness.pay(checkout)
    [line] = harness.gateway.list_since(LONG_AGO)
    assert (line.ref, line.reference) == (checkout.ref, "pay_7")
    assert line.truth == harness.gateway.fetch(checkout.ref)


def test_what_did_not_change_since_is_left_out(harness: GatewayHarness) -> None:
    harness.gateway.start(harness.order())
    between = datetime.now(UTC)
    late = harness.gateway.start(harness.order())
    assert [line.ref for line in harness.gateway.list_since(between)] == [late.ref]


def test_an_old_checkout_comes_back_when_it_changes(harness: GatewayHarness) -> None:
    checkout = harness.gateway.start(harness.order())
    between = datetime.now(UTC)
    harness.gateway.close(checkout.ref, "close")
    [line] = harness.gateway.list_since(between)
    assert line.truth.status == CheckoutStatus.CLOSED


def test_more_than_one_page_is_one_list(harness: GatewayHarness) -> None:
    started = [harness.gateway.start(harness.order()).ref for _ in range(230)]
    assert [line.ref for line in harness.gateway.list_since(LONG_AGO)] == started


def test_nothing_is_listed_from_the_future(harness: GatewayHarness) -> None:
    harness.gateway.start(harness.order())
    assert list(harness.gateway.list_since(datetime.now(UTC) + timedelta(days=1))) == []
