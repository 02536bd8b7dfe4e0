"""Contract: no answer is neither yes nor no, and asking again never does a thing twice."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from partway.gateways.protocol import Refused, Status, Unknown
from partway.lib.money import Money
from tests.gateways.stages import Stage

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def test_a_start_without_an_answer_is_found_again_by_its_key(stage: Stage) -> None:
    order = stage.order(reference="lost and found")
    stage.go_wrong("timeout_after_success", act="start")
    with pytest.raises(Unknown):
        stage.gateway.start(order)
    checkout = stage.gateway.start(order)
    found = [line.ref for line in stage.gateway.list_since(order.expires_at.replace(year=2000))]
    assert found == [checkout.ref]


def test_a_capture_without_an_answer_took_the_money_once(stage: Stage) -> None:
    checkout = stage.gateway.start(stage.order())
    stage.pay(checkout)
    stage.go_wrong("timeout_after_success", act="capture")
    with pytest.raises(Unknown):
        stage.gateway.capture(checkout.ref, Money(12_500, "USD"), "capture")
    assert stage.gateway.fetch(checkout.ref).status == Status.CAPTURED
    stage.gateway.capture(checkout.ref, Money(12_500, "USD"), "capture")
    assert stage.captures(checkout) == [12_500]


def test_a_capture_that_broke_before_took_nothing(stage: Stage) -> None:
    checkout = stage.gateway.start(stage.order())
    stage.pay(checkout)
    stage.go_wrong("error_before", act="capture")
    with pytest.raises(Unknown):
        stage.gateway.capture(checkout.ref, Money(12_500, "USD"), "capture")
    assert stage.gateway.fetch(checkout.ref).status == Status.AUTHORIZED


def test_a_fetch_without_an_answer_is_unknown(stage: Stage) -> None:
    checkout = stage.gateway.start(stage.order())
    stage.go_wrong("error_before", act="fetch")
    with pytest.raises(Unknown):
        stage.gateway.fetch(checkout.ref)


def test_another_amount_than_asked_for_is_told_as_it_is(stage: Stage) -> None:
    checkout = stage.gateway.start(stage.order())
    stage.pay(checkout)
    stage.go_wrong("wrong_amount", delta=-300)
    truth = stage.gateway.capture(checkout.ref, Money(12_500, "USD"), "capture")
    assert truth.captured == Money(12_200, "USD")


@pytest.mark.parametrize("how", ["good", "debit"])
def test_another_currency_than_asked_for_is_told_as_it_is(stage: Stage, how: str) -> None:
    checkout = stage.gateway.start(stage.order())
    stage.go_wrong("wrong_currency", currency="JPY")
    stage.pay(checkout, how)
    if how == "good":
        stage.gateway.capture(checkout.ref, Money(12_500, "USD"), "capture")
    else:
        stage.settle(checkout, "captured")
    assert stage.gateway.fetch(checkout.ref).captured == Money(12_500, "JPY")
    [listed] = stage.gateway.list_since(EPOCH)
    assert listed.truth.captured == Money(12_500, "JPY")


def test_a_refund_is_in_the_currency_that_was_taken(stage: Stage) -> None:
    checkout = stage.gateway.start(stage.order())
    stage.pay(checkout)
    stage.go_wrong("wrong_currency", currency="CAD")
    stage.gateway.capture(checkout.ref, Money(12_500, "USD"), "capture")
    with pytest.raises(Refused):
        stage.gateway.refund(checkout.ref, Money(500, "USD"), "refund in dollars of another country")
    assert stage.gateway.refund(checkout.ref, Money(500, "CAD"), "refund").amount == Money(500, "CAD")
    assert stage.gateway.fetch(checkout.ref).refunds[0].amount == Money(500, "CAD")


def test_a_currency_nobody_knows_is_no_answer(stage: Stage) -> None:
    checkout = stage.gateway.start(stage.order())
    stage.pay(checkout)
    stage.go_wrong("wrong_currency", currency="ZZZ")
    with pytest.raises(Unknown):
        stage.gateway.capture(checkout.ref, Money(12_500, "USD"), "capture")
    with pytest.raises(Unknown):
        stage.gateway.fetch(checkout.ref)


def test_taken_without_saying_how_much_is_told_so(stage: Stage) -> None:
    checkout = stage.gateway.start(stage.order())
    stage.pay(checkout)
    stage.go_wrong("no_amount", act="capture")
    truth = stage.gateway.capture(checkout.ref, Money(12_500, "USD"), "capture")
    assert (truth.status, truth.captured) == (Status.CAPTURED, None)
    assert stage.gateway.fetch(checkout.ref).captured == Money(12_500, "USD")


def test_an_unreadable_answer_is_unknown_and_nothing_is_done_twice(stage: Stage) -> None:
    checkout = stage.gateway.start(stage.order())
    stage.pay(checkout)
    stage.go_wrong("garbage", act="capture")
    with pytest.raises(Unknown):
        stage.gateway.capture(checkout.ref, Money(12_500, "USD"), "capture")
    assert stage.gateway.fetch(checkout.ref).status == Status.CAPTURED
    assert stage.captures(checkout) == [12_500]


def test_a_capture_somebody_else_has_made_is_refused(stage: Stage) -> None:
    checkout = stage.gateway.start(stage.order())
    stage.pay(checkout)
    stage.go_wrong("capture_too_late")
    with pytest.raises(Refused) as refused:
        stage.gateway.capture(checkout.ref, Money(12_500, "USD"), "capture")
    assert refused.value.code == "already_captured"
    assert stage.gateway.fetch(checkout.ref).captured == Money(12_500, "USD")


def test_nobody_there_is_unknown(stage: Stage) -> None:
    with pytest.raises(Unknown):
        stage.unreachable.check()
