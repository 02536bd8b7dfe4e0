"""A program that hears webhooks over real HTTP, and can fail, hang, redirect and lie."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from standardwebhooks.webhooks import Webhook


@dataclass(frozen=True)
class Heard:
    """One request: its path, its headers in lower case, and its body as it came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        """The `webhook-id`, which is the same in every attempt."""
        return self.headers["webhook-id"]

    @property
    def said(self) -> dict[str, Any]:
        """The body as JSON."""
        return dict(json.loads(self.body))

    def verify(self, secret: str) -> dict[str, Any]:
        """Returns the body, verified by the library of the specification."""
        return dict(Webhook(secret).verify(self.body, self.headers))


Respond = Callable[["Handler", Heard], None]


def accept(handler: Handler, _heard: Heard) -> None:
    """Responds 200."""
    status(200)(handler, _heard)


def status(code: int, body: bytes = b"", **headers: str) -> Respond:
    """Returns what responds with this status; headers are written as `Retry_After`."""

    def respond(handler: Handler, _heard: Heard) -> None:
        handler.send_response(code)
        for name, text in {**headers, "Content_Length": str(len(body))}.items():
            handler.send_header(name.replace("_", "-"), text)
        handler.end_headers()
        handler.wfile.write(body)

    return respond


def close(handler: Handler, _heard: Heard) -> None:
    """Closes the connection without a response."""
    handler.close_connection = True


def hang(handler: Handler, _heard: Heard) -> None:
    """Says nothing until the receiver stops."""
    handler.receiver.stopping.wait(60)


def drip_headers(handler: Handler, _heard: Heard) -> None:
    """Sends a response letter by letter and never ends it."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Long: ")
    _drip(handler)


def drip_body(handler: Handler, _heard: Heard) -> None:
    """Accepts, and sends a body letter by letter that never ends."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
    _drip(handler)


def _drip(handler: Handler) -> None:
    try:
        while not handler.receiver.stopping.wait(0.05):
            handler.wfile.write(b"x")
    except OSError:
        pass


def flood(handler: Handler, _heard: Heard) -> None:
    """Accepts, and sends as much as is read."""
    handler.send_response(200)
    handler.end_headers()
    try:
        while not handler.receiver.stopping.is_set():
            handler.wfile.write(b"y" * 65536)
            handler.receiver.flooded += 65536
    except OSError:
        pass


class Handler(BaseHTTPRequestHandler):
    """Hands each request to its receiver."""

    receiver: WebhookReceiver
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Keeps the request, and responds as the receiver is set to."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        heard = Heard(self.path, {name.lower(): text for name, text in self.headers.items()}, body)
        with self.receiver.lock:
            self.receiver.heard.append(heard)
        self.receiver.respond(self, heard)

    def log_message(self, *_: object) -> None:
        """Prints nothing."""


@dataclass
class WebhookReceiver:
    """Listens on a port of its own while its block runs; `respond` decides what it does."""

    respond: Respond = accept
    tls: ssl.SSLContext | None = None
    heard: list[Heard] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    flooded: int = 0  # bytes
    stopping: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        handler = type("ReceiverHandler", (Handler,), {"receiver": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]
        if self.tls:
            self._server.socket = self.tls.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever, args=[0.05], daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._server.server_close()

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        """Its address."""
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}/hooks"

    @property
    def types(self) -> list[str]:
        """The types of the events that it heard, in order."""
        return [str(one.said["type"]) for one in self.heard]
