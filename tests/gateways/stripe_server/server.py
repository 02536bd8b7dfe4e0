"""The HTTP server: hands a request to the API, to the customer's pages or to the control of tests."""

from __future__ import annotations

import json
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

from . import control, events, onboarding, pages
from .company import Company
from .errors import StripeError
from .front import Front, Request

SWEEP_SECONDS = 0.2


class StripeServer(ThreadingHTTPServer):
    """A running stand-in: `with StripeServer() as server`, at `server.url`."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.company = Company(self.url)
        self.front = Front(self.company)
        self._stopped = threading.Event()

    def __enter__(self) -> StripeServer:
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()
        threading.Thread(target=self._sweep, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self.shutdown()
        self.server_close()

    def _sweep(self) -> None:
        """Lets happen what is due without a request: sessions that expire, events that are late."""
        while not self._stopped.wait(SWEEP_SECONDS):
            for account in list(self.company.accounts.values()):
                if account.is_due():
                    with account.lock:
                        account.catch_up()
                        events.release(account)


class _Handler(BaseHTTPRequestHandler):
    server: StripeServer
    protocol_version = "HTTP/1.1"
    # One packet for a response: the client would wait some milliseconds for the second one.
    wbufsize = -1
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
        parts = urlsplit(self.path)
        if parts.path.startswith(("/c/pay/", "/setup/")):
            answer = onboarding.answer if parts.path.startswith("/setup/") else pages.answer
            page = answer(self.server.company, self.command, parts.path, dict(parse_qsl(body)))
            self._send(page.status, page.html, {"Location": page.location}, "text/html; charset=utf-8")
        elif parts.path.startswith("/_control/"):
            self._control(parts.path.removeprefix("/_control/"), body)
        else:
            self._api(Request(self.command, parts.path, parts.query, self.headers, body))

    do_GET = do_DELETE = do_POST  # noqa: N815 - the names that the base class looks for

    def _api(self, request: Request) -> None:
        answer = self.server.front.answer(request)
        if answer.fault == "dropped":
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
        elif answer.fault in ("garbage", "bad_gateway"):
            status = 200 if answer.fault == "garbage" else 502
            self._send(status, "<h1>We will be back soon</h1>", {}, "text/html")
        else:
            response = answer.response
            self._send(response.status, json.dumps(response.body), response.headers, "application/json")
        if answer.account is not None:
            # Only now: at Stripe, too, an event comes some time after the response.
            with answer.account.lock:
                events.release(answer.account)

    def _control(self, act: str, body: str) -> None:
        secret = self.headers.get("authorization", "").removeprefix("Bearer ")
        try:
            done = control.answer(self.server.company, secret, act, json.loads(body or "{}"))
        except (StripeError, TypeError, ValueError) as error:
            self._send(400, json.dumps({"error": str(error)}), {}, "application/json")
        else:
            self._send(200, json.dumps(done), {}, "application/json")

    def _send(self, status: int, text: str, headers: dict[str, str], content_type: str) -> None:
        body = text.encode()
        self.send_response(status)
        for name, value in {**headers, "Content-Type": content_type}.items():
            if value:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, *_: object) -> None:
        """Logs nothing."""


def serve(port: int) -> None:
    """Runs the stand-in until the process is ended; prints its address and the key of an account."""
    with StripeServer(port) as server:
        opened = server.company.open_account()
        print(
            f"{server.url} stands in for Stripe. Account {opened['id']}, key {opened['test_key']}", flush=True
        )
        while True:
            time.sleep(3600)
