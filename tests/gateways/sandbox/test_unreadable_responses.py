"""The sandbox adapter raises OutcomeUnknown for every unreadable response, and Refused only for a clear refusal."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from partway.gateways.protocol import CloseOutcome, Gateway, OutcomeUnknown, Refused
from partway.gateways.registry import open_gateway
from partway.gateways.sandbox.adapter import create_account
from partway.lib.money import Money

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
CREDENTIALS = {"api_key": "sk_sandbox_x", "signing_secret": "whsec_c2VjcmV0"}


class UnreadableServer(BaseHTTPRequestHandler):
    """Responds to every request with the response that the test has set."""

    response: tuple[int, bytes] = (200, b"")

    def do_GET(self) -> None:
        status, body = self.response
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, *_: object) -> None:
        """Logs nothing."""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), UnreadableServer)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def gateway(address: str) -> Gateway:
    return open_gateway("sandbox", CREDENTIALS, urls={"sandbox": address})


def test_checkout_origin_is_url_without_path() -> None:
    gateway = open_gateway("sandbox", CREDENTIALS, urls={"sandbox": "http://pay.test:8001/api/"})
    assert gateway.checkout_origin == "http://pay.test:8001"


UNREADABLE = {
    "nothing": b"",
    "no JSON": b"<html>",
    "a list": b"[]",
    "null": b"null",
    "no fields": b"{}",
    "not UTF-8": b"\xff",
    "unknown status": b'{"status": "napping"}',
    "deep": b"[" * 100_000,
    "NaN": b'{"status": NaN}',
    "5,000 digits": b"1" * 5_000,
    "more than a megabyte": b'"' + b"x" * 1024 * 1024 + b'"',
    "compressed": gzip.compress(b"{}"),
}


@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE)
def test_unreadable_response_raises_outcome_unknown(
    monkeypatch: pytest.MonkeyPatch, gateway: Gateway, address: str, body: bytes
) -> None:
    monkeypatch.setattr(UnreadableServer, "response", (200, body))
    with pytest.raises(OutcomeUnknown):
        gateway.fetch("co_1")
    with pytest.raises(OutcomeUnknown):
        list(gateway.list_since(EPOCH))
    with pytest.raises(OutcomeUnknown):
        create_account(address, "Acme", "http://merchant.test/")
    assert gateway.close("co_1", "close") == CloseOutcome.UNKNOWN


GOOD = {
    "id": "co_1",
    "status": "captured",
    "currency": "USD",
    "captured": 12_500,
    "captured_currency": "USD",
    "authorized": 12_500,
    "method": "card",
    "code": "",
    "message": "",
    "settles_by": None,
    "fee": 200,
    "fee_currency": "USD",
    "refunds": [],
    "disputes": [],
}
DISPUTE = {"id": "dp_1", "status": "open", "amount": 100, "currency": "USD", "reason": "fraudulent"}
DISPUTE |= {"evidence_due_at": None, "fee": 0, "fee_currency": "USD"}


@pytest.mark.parametrize(
    "change",
    [
        {"captured": -1},
        {"captured": 12_500.0},
        {"captured": True},
        {"captured": "12500"},
        {"captured": 10**30},
        {"captured_currency": "usd"},
        {"captured_currency": None},
        {"method": None},
        {"code": "with\0nul"},
        {"message": ["no", "text"]},
        {"fee": 2.5},
        {"fee_currency": "usd"},
        {"disputes": [{**DISPUTE, "amount": 0}]},
        {"disputes": [{**DISPUTE, "status": "warned"}]},
        {"disputes": [{**DISPUTE, "evidence_due_at": "soon"}]},
        {"disputes": [{**DISPUTE, "evidence_due_at": "2026-12-01T00:00:00"}]},
        {"settles_by": "on Monday"},
        {"settles_by": "2026-12-04T12:00:00"},  # in no time zone
    ],
)
def test_response_with_invalid_field_raises_outcome_unknown(
    monkeypatch: pytest.MonkeyPatch, gateway: Gateway, change: dict[str, object]
) -> None:
    monkeypatch.setattr(UnreadableServer, "response", (200, json.dumps(GOOD).encode()))
    assert gateway.fetch("co_1").captured == Money(12_500, "USD")
    monkeypatch.setattr(UnreadableServer, "response", (200, json.dumps({**GOOD, **change}).encode()))
    with pytest.raises(OutcomeUnknown):
        gateway.fetch("co_1")


def test_too_long_response_texts_are_truncated(monkeypatch: pytest.MonkeyPatch, gateway: Gateway) -> None:
    long = {**GOOD, "method": "m" * 500, "code": "c" * 500, "message": "w" * 500}
    monkeypatch.setattr(UnreadableServer, "response", (200, json.dumps(long).encode()))
    truth = gateway.fetch("co_1")
    assert (len(truth.method), len(truth.code), len(truth.message)) == (40, 60, 300)


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_retryable_http_status_raises_outcome_unknown(
    monkeypatch: pytest.MonkeyPatch, gateway: Gateway, status: int
) -> None:
    monkeypatch.setattr(
        UnreadableServer, "response", (status, b'{"error": {"code": "busy", "message": "Later."}}')
    )
    with pytest.raises(OutcomeUnknown):
        gateway.fetch("co_1")


def test_refusal_keeps_error_code_and_message(monkeypatch: pytest.MonkeyPatch, gateway: Gateway) -> None:
    monkeypatch.setattr(
        UnreadableServer, "response", (409, b'{"error": {"code": "no", "message": "Never."}}')
    )
    with pytest.raises(Refused) as refused:
        gateway.fetch("co_1")
    assert (refused.value.code, refused.value.message) == ("no", "Never.")


def test_refusal_of_proxy_raises_outcome_unknown(monkeypatch: pytest.MonkeyPatch, gateway: Gateway) -> None:
    monkeypatch.setattr(UnreadableServer, "response", (403, b"<h1>Proxy says no</h1>"))
    with pytest.raises(OutcomeUnknown):
        gateway.fetch("co_1")
