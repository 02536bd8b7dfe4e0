"""The sandbox as a process of its own, and an HTTP server that receives its callbacks."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
from standardwebhooks import Webhook

TIMEOUT_SECONDS = 60
START_WITHIN_SECONDS = 60


def wait_until(
    question: Callable[[], Any], within: float = TIMEOUT_SECONDS, interval_seconds: float = 0.01
) -> Any:
    """Returns the first true result of `question`; fails when there is none in time.

    Asks less and less often, down to ten times a second, because most questions read the database.
    """
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        result = question()
        if result:
            return result
        time.sleep(interval_seconds)
        interval_seconds = max(interval_seconds, min(1.2 * interval_seconds, 0.1))
    raise AssertionError("the condition never became true")


@dataclass(frozen=True)
class ReceivedCallback:
    """One received callback."""

    path: str
    body: bytes
    headers: dict[str, str]

    @property
    def event(self) -> dict[str, Any]:
        return dict(json.loads(self.body))

    @property
    def kind(self) -> str:
        return str(self.event["type"]).removeprefix("checkout.")  # of a payout it keeps its noun


def sign_callback(body: bytes, at: datetime, secret: str) -> ReceivedCallback:
    """Returns a callback with this body, signed as the sandbox would sign it at this time."""
    event_id = "evt_signed"  # not the body's, which need not be readable
    headers = {
        "webhook-id": event_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign(event_id, at, body.decode()),
    }
    return ReceivedCallback("/", body, headers)


class CallbackReceiver:
    """A callback address; it responds 503 as often as `failures_left` says, then 204."""

    def __init__(self) -> None:
        self.received: list[ReceivedCallback] = []
        self.failures_left = 0
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self._server.server_port}/callbacks"

    def __enter__(self) -> CallbackReceiver:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def receive(self, received: ReceivedCallback) -> int:
        """Records a callback and returns the status of the response."""
        self.received.append(received)
        if self.failures_left:
            self.failures_left -= 1
            return 503
        return 204

    def kinds(self, ref: str) -> list[str]:
        return [received.kind for received in self.received if received.event["data"].get("checkout") == ref]

    def wait_for(self, ref: str, *kinds: str) -> None:
        """Waits until exactly these callbacks of a checkout have arrived, in this order."""
        wait_until(lambda: self.kinds(ref) == list(kinds))


def _handler(callback_receiver: CallbackReceiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            self.send_response(
                callback_receiver.receive(ReceivedCallback(self.path, body, dict(self.headers)))
            )
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Logs nothing."""

    return Handler


class SandboxServer:
    """A running sandbox, and the calls that only tests make."""

    def __init__(self, home: Path, port: int, process: subprocess.Popen[bytes]) -> None:
        self.home = home
        self.port = port
        self.process = process
        self.url = f"http://127.0.0.1:{port}"
        self.client = httpx.Client(base_url=self.url, trust_env=False, timeout=30)

    def call_api(self, method: str, path: str, key: str = "", **body: object) -> httpx.Response:
        """Calls the API without the adapter; `key` is the API key of the account."""
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        return self.client.request(method, path, headers=headers, json=body or None)

    def submit_form(self, address: str, **form: str) -> httpx.Response:
        """Submits a form as a customer, without following the redirect."""
        return self.client.post(address, data=form)

    def is_up(self) -> bool:
        assert self.process.poll() is None, f"the sandbox ended with {self.process.returncode}"
        try:
            return self.call_api("GET", "/healthz").is_success
        except httpx.HTTPError:
            return False


@contextmanager
def running_sandbox(
    home: Path, *, port: int = 0, settle_after: float = 600, payout_every: float = 0
) -> Iterator[SandboxServer]:
    """Runs a sandbox on a free port; bank debits settle when a test says so, unless `settle_after` is short."""
    port = port or free_port()
    options = ["--home", str(home), "--port", str(port), "--settle-after", str(settle_after)]
    options += ["--payout-every", str(payout_every)]  # with 0 when a test says so
    process = subprocess.Popen([sys.executable, "-m", "partway.sandbox", *options])
    sandbox_server = SandboxServer(home, port, process)
    try:
        wait_until(sandbox_server.is_up, within=START_WITHIN_SECONDS)
        yield sandbox_server
    finally:
        sandbox_server.client.close()
        process.terminate()
        process.wait(TIMEOUT_SECONDS)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
