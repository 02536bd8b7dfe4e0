"""Errors of Stripe, over HTTP and through its SDK: a definite no is Refused with our code, all else is unknown."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from partway.gateways.protocol import OutcomeUnknown, Refused
from partway.gateways.stripe.adapter import StripeGateway
from partway.gateways.stripe.client import within

MISSING = (
    "The provided key 'rk_test_*' does not have the required permissions for this endpoint. Having the "
    "'rak_checkout_session_read' permission would allow this request to continue."
)


class CannedStripe:
    """An API that gives one response to each request."""

    def __init__(self) -> None:
        self.status, self.body, self.headers = 200, b"{}", {"Request-Id": "req_1"}
        self.requests, self.at_once = 0, 1_000_000  # bytes, with a pause between them
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.gateway = StripeGateway(
            f"http://127.0.0.1:{self.server.server_port}",
            {"api_key": "sk_test_1", "signing_secret": "whsec_1"},
        )

    def refuses(self, status: int, **error: object) -> None:
        self.status, self.body = status, json.dumps({"error": {"message": "No.", **error}}).encode()


def _handler(canned: CannedStripe) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            canned.requests += 1
            self.send_response(canned.status)
            for name, value in {**canned.headers, "Content-Length": str(len(canned.body))}.items():
                self.send_header(name, value)
            self.end_headers()
            with suppress(OSError):
                for start in range(0, len(canned.body), canned.at_once):
                    self.wfile.write(canned.body[start : start + canned.at_once])
                    time.sleep(0.05 if start + canned.at_once < len(canned.body) else 0)

        def log_message(self, *_: object) -> None:
            """Logs nothing."""

    return Handler


@pytest.fixture
def canned() -> Iterator[CannedStripe]:
    canned = CannedStripe()
    threading.Thread(target=canned.server.serve_forever, args=(0.02,), daemon=True).start()
    yield canned
    canned.server.shutdown()
    canned.server.server_close()


@pytest.mark.parametrize(
    ("status", "error", "code"),
    [
        (401, {"type": "invalid_request_error"}, "unauthenticated"),
        (401, {"type": "invalid_request_error", "code": "api_key_expired"}, "unauthenticated"),
        (403, {"type": "invalid_request_error", "message": MISSING}, "permission_missing"),
        (403, {"type": "invalid_request_error", "code": "account_invalid"}, "account_restricted"),
        (404, {"type": "invalid_request_error", "code": "resource_missing"}, "not_found"),
        (400, {"type": "idempotency_error"}, "idempotency_key_reused"),
        (400, {"code": "amount_too_small"}, "amount_too_small"),
        (400, {"param": "amount_to_capture", "code": "parameter_invalid_integer"}, "amount_too_large"),
        (400, {"param": "line_items[0][price_data][currency]"}, "currency_not_supported"),
        (400, {"param": "allowed_payment_method_types[1]"}, "method_not_supported"),
        (400, {"code": "charge_expired_for_capture"}, "authorization_lapsed"),
        (400, {"code": "charge_already_captured"}, "already_captured"),
        (
            400,
            {"code": "payment_intent_unexpected_state", "payment_intent": {"status": "succeeded"}},
            "already_captured",
        ),
        (
            400,
            {"code": "payment_intent_unexpected_state", "payment_intent": {"status": "canceled"}},
            "not_authorized",
        ),
        (400, {"code": "parameter_unknown", "param": "colour"}, "invalid_request"),
        (402, {"code": "card_declined", "decline_code": "insufficient_funds"}, "insufficient_funds"),
    ],
)
def test_refusal_has_our_code_and_the_text_of_stripe(
    canned: CannedStripe, status: int, error: dict[str, Any], code: str
) -> None:
    canned.refuses(status, **error)
    with pytest.raises(Refused) as refused:
        canned.gateway.fetch("cs_1")
    assert (refused.value.code, refused.value.message) == (code, error.get("message", "No."))


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, {"code": "rate_limit"}),
        (409, {"type": "idempotency_error", "code": "idempotency_key_in_use"}),
        (429, {"code": "lock_timeout"}),
        (500, {"type": "api_error"}),
        (503, {}),
    ],
)
def test_undecided_response_is_unknown_and_not_repeated(
    canned: CannedStripe, status: int, error: dict[str, Any]
) -> None:
    canned.refuses(status, **error)
    with pytest.raises(OutcomeUnknown):
        canned.gateway.fetch("cs_1")
    assert canned.requests == 1  # Partway's own rows decide whether a call is made again


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"\xff",
        b"[]",
        b"[" * 60_000,
        b'{"id": "cs_1", "payment_intent": 7}',
        b'{"id": "\\u0000"}',
        b"9" * 60_000,
        b'{"a": "' + b"a" * 9_000_000 + b'"}',
    ],
)
@pytest.mark.parametrize("status", [200, 400, 502])
def test_unreadable_response_is_unknown(canned: CannedStripe, status: int, body: bytes) -> None:
    canned.status, canned.body = status, body
    with pytest.raises(OutcomeUnknown):
        canned.gateway.fetch("cs_1")


def test_response_that_comes_drop_by_drop_ends_with_the_time_of_all_calls(canned: CannedStripe) -> None:
    canned.body, canned.at_once = b" " * 20 + b"{}", 1
    with within(0.2), pytest.raises(OutcomeUnknown, match="the time for all calls together is over"):
        canned.gateway.fetch("cs_1")


def test_list_waits_as_long_as_stripe_says(canned: CannedStripe) -> None:
    canned.headers["Retry-After"] = "0"
    canned.refuses(429, code="rate_limit")
    with pytest.raises(OutcomeUnknown):
        list(canned.gateway.payouts_since(datetime(2026, 11, 29, tzinfo=UTC)))
    assert canned.requests == 6


def test_environment_names_no_proxy_and_no_file_is_written(
    canned: CannedStripe, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    canned.refuses(404, code="resource_missing")
    with pytest.raises(Refused):
        canned.gateway.fetch("cs_1")
    assert list(tmp_path.iterdir()) == []
