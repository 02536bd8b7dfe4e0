"""Contract: a callback is believed only if the gateway signed exactly these bytes, just now."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from partway.gateways.protocol import BadCallback, Checkout
from tests.gateways.company import Heard, eventually
from tests.gateways.stages import Stage


@pytest.fixture
def checkout(stage: Stage) -> Checkout:
    checkout = stage.gateway.start(stage.order())
    stage.pay(checkout)
    return checkout


@pytest.fixture
def heard(stage: Stage, checkout: Checkout) -> Heard:
    stage.ear.wait_for(checkout.ref, "authorized")
    return stage.ear.heard[0]


def test_a_callback_names_its_event_and_its_checkout(stage: Stage, checkout: Checkout, heard: Heard) -> None:
    facts = stage.gateway.read_callback(heard.body, heard.headers)
    assert facts.checkout_ref == checkout.ref
    assert facts.event_id.startswith("evt_")
    assert facts.kind == "checkout.authorized"
    assert facts.at.tzinfo is not None


def test_headers_are_found_in_any_case(stage: Stage, heard: Heard) -> None:
    shouted = {name.upper(): value for name, value in heard.headers.items()}
    assert stage.gateway.read_callback(heard.body, shouted)


def test_one_changed_byte_is_a_bad_callback(stage: Stage, heard: Heard) -> None:
    with pytest.raises(BadCallback):
        stage.gateway.read_callback(heard.body + b" ", heard.headers)


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_every_header_is_needed(stage: Stage, heard: Heard, name: str) -> None:
    rest = {key: value for key, value in heard.headers.items() if key.lower() != name}
    with pytest.raises(BadCallback):
        stage.gateway.read_callback(heard.body, rest)


@pytest.mark.parametrize("wrong", ["", "v1", "v1,", "v1,!!", "v2,AAAA", "ünsigned", "v1,AAAA v1,BBBB"])
def test_a_made_up_signature_is_a_bad_callback(stage: Stage, heard: Heard, wrong: str) -> None:
    headers = {**heard.headers, "webhook-signature": wrong}
    with pytest.raises(BadCallback):
        stage.gateway.read_callback(heard.body, headers)


def test_the_timestamp_is_signed_too(stage: Stage, heard: Heard) -> None:
    newer = str(int(heard.headers["webhook-timestamp"]) + 1)
    with pytest.raises(BadCallback):
        stage.gateway.read_callback(heard.body, {**heard.headers, "webhook-timestamp": newer})


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_callback_signed_at_another_time_is_a_bad_callback(stage: Stage, heard: Heard, hours: int) -> None:
    at = datetime.now(UTC)
    again = stage.signed(heard.body, at)
    assert stage.gateway.read_callback(again.body, again.headers)
    replayed = stage.signed(heard.body, at + timedelta(hours=hours))
    with pytest.raises(BadCallback):
        stage.gateway.read_callback(replayed.body, replayed.headers)


@pytest.mark.parametrize(
    "part", [{"id": "evt\0"}, {"id": 7}, {"data": {"checkout": None}}, {"data": []}, {"type": []}]
)
def test_a_signed_body_that_names_nothing_is_a_bad_callback(
    stage: Stage, heard: Heard, part: dict[str, object]
) -> None:
    senseless = stage.signed(json.dumps({**heard.event, **part}).encode(), datetime.now(UTC))
    with pytest.raises(BadCallback):
        stage.gateway.read_callback(senseless.body, senseless.headers)


@pytest.mark.parametrize("body", [b"", b"\xff", b"[]", b"null", b"{}"])
def test_a_senseless_body_is_a_bad_callback(stage: Stage, heard: Heard, body: bytes) -> None:
    with pytest.raises(BadCallback):
        stage.gateway.read_callback(body, heard.headers)


def test_another_accounts_callback_is_a_bad_callback(stage: Stage, heard: Heard) -> None:
    stage.ear.heard.clear()
    other = stage.another()
    other.pay(other.gateway.start(other.order()))
    theirs = eventually(lambda: stage.ear.heard)[0]
    with pytest.raises(BadCallback):
        stage.gateway.read_callback(theirs.body, theirs.headers)
