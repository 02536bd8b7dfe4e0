"""Contract: `list_since` lists every checkout that changed since a time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from partway.gateways.protocol import CheckoutStatus
from tests.gateways.harnesses import GatewayHarness

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def test_checkout_list_line_has_reference_and_state(harness: GatewayHarness) -> None:
    checkout = harness.gateway.start(harness.checkout_request(reference="pay_7"))
    harness.pay(checkout)
    [line] = harness.gateway.list_since(LONG_AGO)
    assert (line.ref, line.reference) == (checkout.ref, "pay_7")
    assert line.state == harness.gateway.fetch(checkout.ref)


def test_checkout_list_omits_unchanged_checkouts(harness: GatewayHarness) -> None:
    harness.gateway.start(harness.checkout_request())
    between = harness.moment()
    late = harness.gateway.start(harness.checkout_request())
    assert [line.ref for line in harness.gateway.list_since(between)] == [late.ref]


def test_checkout_list_includes_old_checkout_after_change(harness: GatewayHarness) -> None:
    checkout = harness.gateway.start(harness.checkout_request())
    between = harness.moment()
    harness.gateway.close(checkout.ref, "close")
    [line] = harness.gateway.list_since(between)
    assert line.state.status == CheckoutStatus.CLOSED


def test_checkout_list_spans_several_pages(harness: GatewayHarness) -> None:
    started = [harness.gateway.start(harness.checkout_request()).ref for _ in range(230)]
    assert [line.ref for line in harness.gateway.list_since(LONG_AGO)] == started


def test_checkout_list_since_future_is_empty(harness: GatewayHarness) -> None:
    harness.gateway.start(harness.checkout_request())
    assert list(harness.gateway.list_since(datetime.now(UTC) + timedelta(days=1))) == []
