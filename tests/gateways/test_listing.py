"""Contract: reconciliation can list everything that changed since some moment."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from partway.gateways.protocol import Status
from tests.gateways.stages import Stage

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def test_each_line_has_our_reference_and_the_truth(stage: Stage) -> None:
    checkout = stage.gateway.start(stage.order(reference="pay_7"))
    stage.pay(checkout)
    [line] = stage.gateway.list_since(LONG_AGO)
    assert (line.ref, line.reference) == (checkout.ref, "pay_7")
    assert line.truth == stage.gateway.fetch(checkout.ref)


def test_what_did_not_change_since_is_left_out(stage: Stage) -> None:
    stage.gateway.start(stage.order())
    between = datetime.now(UTC)
    late = stage.gateway.start(stage.order())
    assert [line.ref for line in stage.gateway.list_since(between)] == [late.ref]


def test_an_old_checkout_comes_back_when_it_changes(stage: Stage) -> None:
    checkout = stage.gateway.start(stage.order())
    between = datetime.now(UTC)
    stage.gateway.close(checkout.ref, "close")
    [line] = stage.gateway.list_since(between)
    assert line.truth.status == Status.CLOSED


def test_more_than_one_page_is_one_list(stage: Stage) -> None:
    started = [stage.gateway.start(stage.order()).ref for _ in range(230)]
    assert [line.ref for line in stage.gateway.list_since(LONG_AGO)] == started


def test_nothing_is_listed_from_the_future(stage: Stage) -> None:
    stage.gateway.start(stage.order())
    assert list(stage.gateway.list_since(datetime.now(UTC) + timedelta(days=1))) == []
