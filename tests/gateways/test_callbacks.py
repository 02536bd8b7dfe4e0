"""Contract: a callback is valid only if the gateway signed exactly this body, recently."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from partway.gateways.protocol import BadCallback, Checkout
from tests.gateways.harnesses import GatewayHarness, wait_for_callback
from tests.support.sandbox_server import ReceivedCallback, wait_until


@pytest.fixture
def checkout(harness: GatewayHarness) -> Checkout:
    checkout = harness.gateway.start(harness.checkout_request())
    harness.pay(checkout)
    return checkout


@pytest.fixture
def received(harness: GatewayHarness, checkout: Checkout) -> ReceivedCallback:
    return wait_for_callback(harness, "authorized")


def test_verified_callback_has_event_id_and_checkout_ref(
    harness: GatewayHarness, checkout: Checkout, received: ReceivedCallback
) -> None:
    callback = harness.gateway.read_callback(received.body, received.headers)
    assert callback.checkout_ref == checkout.ref
    assert callback.event_id.startswith("evt_")
    assert callback.kind == harness.CALLBACK_TYPES["authorized"]
    assert callback.at.tzinfo is not None


def test_callback_headers_are_case_insensitive(harness: GatewayHarness, received: ReceivedCallback) -> None:
    upper_case = {name.upper(): value for name, value in received.headers.items()}
    assert harness.gateway.read_callback(received.body, upper_case)


def test_callback_with_changed_body_is_refused(harness: GatewayHarness, received: ReceivedCallback) -> None:
    with pytest.raises(BadCallback):
        harness.gateway.read_callback(received.body + b" ", received.headers)


def test_callback_without_a_signature_header_is_refused(
    harness: GatewayHarness, received: ReceivedCallback
) -> None:
    for name in harness.SIGNATURE_HEADERS:
        rest = {key: value for key, value in received.headers.items() if key.lower() != name}
        assert len(rest) == len(received.headers) - 1
        with pytest.raises(BadCallback):
            harness.gateway.read_callback(received.body, rest)


def test_callback_with_invalid_signature_is_refused(
    harness: GatewayHarness, received: ReceivedCallback
) -> None:
    name = harness.SIGNATURE_HEADERS[0]
    rest = {key: value for key, value in received.headers.items() if key.lower() != name}
    for wrong in harness.WRONG_SIGNATURES:
        with pytest.raises(BadCallback):
            harness.gateway.read_callback(received.body, {**rest, name: wrong})


def test_callback_with_changed_timestamp_is_refused(
    harness: GatewayHarness, received: ReceivedCallback
) -> None:
    at = datetime.now(UTC).replace(microsecond=0)
    signed = harness.sign_callback(received.body, at)
    assert harness.gateway.read_callback(signed.body, signed.headers)
    was, newer = (str(int(moment.timestamp())) for moment in (at, at + timedelta(seconds=1)))
    headers = {name: value.replace(was, newer) for name, value in signed.headers.items()}
    assert headers != signed.headers
    with pytest.raises(BadCallback):
        harness.gateway.read_callback(signed.body, headers)


@pytest.mark.parametrize("hours", [-1, 1])
def test_callback_signed_an_hour_off_is_refused(
    harness: GatewayHarness, received: ReceivedCallback, hours: int
) -> None:
    at = datetime.now(UTC)
    resigned = harness.sign_callback(received.body, at)
    assert harness.gateway.read_callback(resigned.body, resigned.headers)
    replayed = harness.sign_callback(received.body, at + timedelta(hours=hours))
    with pytest.raises(BadCallback):
        harness.gateway.read_callback(replayed.body, replayed.headers)


@pytest.mark.parametrize(
    "part", [{"id": "evt\0"}, {"id": 7}, {"data": {"checkout": None}}, {"data": []}, {"type": []}]
)
def test_signed_callback_with_invalid_fields_is_refused(
    harness: GatewayHarness, received: ReceivedCallback, part: dict[str, object]
) -> None:
    invalid = harness.sign_callback(json.dumps({**received.event, **part}).encode(), datetime.now(UTC))
    with pytest.raises(BadCallback):
        harness.gateway.read_callback(invalid.body, invalid.headers)


@pytest.mark.parametrize(
    "body", [b"[" * 60_000, b'{"a":' * 12_000, b"[NaN]", b"9" * 60_000, b'{"id": "\\ud800"}']
)
def test_signed_callback_with_unreadable_body_is_refused(
    harness: GatewayHarness, received: ReceivedCallback, body: bytes
) -> None:
    unreadable = harness.sign_callback(body, datetime.now(UTC))
    with pytest.raises(BadCallback):
        harness.gateway.read_callback(unreadable.body, unreadable.headers)


@pytest.mark.parametrize("body", [b"", b"\xff", b"[]", b"null", b"{}"])
def test_callback_with_malformed_body_is_refused(
    harness: GatewayHarness, received: ReceivedCallback, body: bytes
) -> None:
    with pytest.raises(BadCallback):
        harness.gateway.read_callback(body, received.headers)


def test_callback_of_another_account_is_refused(harness: GatewayHarness, received: ReceivedCallback) -> None:
    harness.callback_receiver.received.clear()
    other = harness.another()
    other.pay(other.gateway.start(other.checkout_request()))
    theirs = wait_until(lambda: harness.callback_receiver.received)[0]
    with pytest.raises(BadCallback):
        harness.gateway.read_callback(theirs.body, theirs.headers)
