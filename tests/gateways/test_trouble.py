"""Contract: no answer is neither yes nor no, and asking again never does a thing twice."""

from __future__ import annotations

import pytest

from partway.gateways.protocol import Status, Unknown
from partway.lib.money import Money
from tests.gateways.stages import Stage


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


def test_nobody_there_is_unknown(stage: Stage) -> None:
    with pytest.raises(Unknown):
        stage.unreachable.check()
