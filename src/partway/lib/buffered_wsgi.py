"""Runs a WSGI application behind an ASGI server; a client that sends or reads slowly never holds a thread.

A thread gets a request when its body is complete, and is free as soon as the response is made, before it is sent. A
request that a full bulkhead has refused waits for its place here, without a thread, and is then run again.
"""

from __future__ import annotations

import asyncio
import io
import json
import sys
import tempfile
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import IO, Any
from urllib.parse import unquote_to_bytes

import structlog

from .bulkheads import FULL, Bulkhead
from .ids import new_id

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
WsgiApplication = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

log = structlog.get_logger(__name__)

_MEGABYTE = 1024 * 1024
# Requests that wait for a thread, in multiples of the threads. Beyond, a client hears at once that it is too much.
_WAITING_PER_THREAD = 16
# What all bodies that are being received may take together: without a limit, slow uploads would fill the memory.
_MAX_BODY_BYTES_TOGETHER = 64 * _MEGABYTE
_PIECE_BYTES = 64 * 1024
# Requests that wait for a place in a bulkhead. Beyond, one is refused at once, so that they never are all there are.
_LINE_LENGTH = 32
# How often the first of them looks.
_LOOK_SECONDS = 0.02
# Larger responses are a file in the temporary folder while they are sent.
_RESPONSE_BYTES_IN_MEMORY = _MEGABYTE
_RETRY_AFTER_SECONDS = 5
# The codes of problems, by the status of the refusal.
REFUSAL_CODES = {
    400: "bad_request",
    408: "request_timeout",
    413: "too_large",
    500: "internal_error",
    503: "unavailable",
}


class _Refusal(Exception):
    """The request is refused before the application sees it, or the application failed."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


@dataclass
class _Response:
    """The response of the application; the body is closed by the one who sends it."""

    status: int = 500
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    full: Bulkhead | None = None  # which has refused it
    body: IO[bytes] = field(default_factory=io.BytesIO)

    def start(self, status: str, headers: list[tuple[str, str]], _exc_info: object = None) -> None:
        """WSGI's `start_response`."""
        self.status = int(status[:3])
        self.headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]


class BufferedWsgi:
    """An ASGI application that runs `wsgi` on `threads` threads.

    body_seconds: how long a client may take to send a whole body; then 408.
    piece_seconds: how long it may take to read 64 kB of a response; then the connection is given up.
    place_seconds: how long a request waits for a place in a bulkhead; then it is refused as it was before.
    max_body_bytes: the largest body; then 413.
    api: below this path programs call, which get a refusal as a problem (RFC 9457).
    """

    def __init__(
        self,
        wsgi: WsgiApplication,
        *,
        threads: int,
        max_body_bytes: int,
        body_seconds: float = 30,
        piece_seconds: float = 30,
        place_seconds: float = 4,
        api: str = "",
    ) -> None:
        self.wsgi = wsgi
        self.api = api
        self.max_body_bytes = max_body_bytes
        self.body_seconds = body_seconds
        self.piece_seconds = piece_seconds
        self.place_seconds = place_seconds
        self.threads = ThreadPoolExecutor(threads, "web")
        self.max_requests = threads * (1 + _WAITING_PER_THREAD)
        # Changed on the event loop only, so without a lock.
        self.requests = 0
        self.body_bytes = 0
        self.waiting = 0
        self.lines: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Receives, runs and sends one request."""
        body = bytearray()
        try:
            await self._receive(scope, receive, body)
            response = await self._run(scope, body)
        except _Refusal as refusal:
            is_program = bool(self.api) and scope["path"].startswith(self.api)
            await _send_refusal(send, refusal, is_program=is_program)
            return
        finally:
            self.body_bytes -= len(body)
        await self._send(send, response)

    async def _receive(self, scope: Message, receive: Receive, body: bytearray) -> None:
        """Fills `body`; raises _Refusal. `body_bytes` counts what is in it, also then."""
        headers = dict(scope["headers"])
        length = headers.get(b"content-length", b"0")
        if length == b"0" and b"transfer-encoding" not in headers:
            return  # by HTTP/1.1 it has no body
        if not length.isdigit() or int(length) > self.max_body_bytes:
            raise _Refusal(413, "This is larger than it may be.")
        try:
            async with asyncio.timeout(self.body_seconds):
                while True:
                    message = await receive()
                    if message["type"] != "http.request":
                        # The client has gone, or its chunks cannot be read: granian reports both in this way, and
                        # would respond 500 itself.
                        raise _Refusal(400, "The request broke off.")
                    piece = message.get("body", b"")
                    body += piece
                    self.body_bytes += len(piece)
                    if len(body) > self.max_body_bytes:
                        raise _Refusal(413, "This is larger than it may be.")
                    if self.body_bytes > _MAX_BODY_BYTES_TOGETHER:
                        raise _Refusal(503, "Too much is being sent at once. Try again in a moment.")
                    if not message.get("more_body"):
                        return
        except TimeoutError:
            raise _Refusal(408, "The request did not arrive in time.") from None

    async def _run(self, scope: Message, body: bytearray) -> _Response:
        """Runs the application on a thread; raises _Refusal when it fails, or too many requests wait for a thread."""
        if self.requests >= self.max_requests:
            raise _Refusal(503, "Too many requests at once. Try again in a moment.")
        self.requests += 1
        loop = asyncio.get_running_loop()
        until = loop.time() + self.place_seconds
        try:
            while True:
                response = await loop.run_in_executor(self.threads, self._call, scope, body)
                if response.full is None or not await self._has_place(response.full, until):
                    return response
                response.body.close()
        finally:
            self.requests -= 1

    async def _has_place(self, bulkhead: Bulkhead, until: float) -> bool:
        """Waits for a place, the first who came before the others; returns False when there is none in time."""
        if self.waiting >= _LINE_LENGTH:
            return False
        self.waiting += 1
        try:
            async with asyncio.timeout_at(until), self.lines[bulkhead.name]:
                while bulkhead.is_full:
                    await asyncio.sleep(_LOOK_SECONDS)
                return True
        except TimeoutError:
            return False
        finally:
            self.waiting -= 1

    def _call(self, scope: Message, body: bytearray) -> _Response:
        """Calls the application and collects its response, as a file where it is large; raises _Refusal on errors."""
        response, environ = _Response(), _environ(scope, body)
        try:
            pieces = self.wsgi(environ, response.start)
            try:
                # Closed by `_send`, on the event loop.
                response.body = tempfile.SpooledTemporaryFile(_RESPONSE_BYTES_IN_MEMORY)  # noqa: SIM115
                for piece in pieces:
                    response.body.write(piece)
            finally:
                if close := getattr(pieces, "close", None):
                    close()
            response.body.seek(0)
            response.full = environ.get(FULL)
        except Exception:
            # Django turns the errors of views into pages itself; this one came from elsewhere, as from a streamed file.
            log.exception("request_failed", path=scope["path"])
            response.body.close()
            raise _Refusal(500, "Something went wrong.") from None
        return response

    async def _send(self, send: Send, response: _Response) -> None:
        """Sends the response piece by piece; gives up when the client does not read."""
        with response.body as body:
            piece = body.read(_PIECE_BYTES)
            await send(
                {"type": "http.response.start", "status": response.status, "headers": response.headers}
            )
            while True:
                following = body.read(_PIECE_BYTES) if len(piece) == _PIECE_BYTES else b""
                message = {"type": "http.response.body", "body": piece, "more_body": bool(following)}
                try:
                    async with asyncio.timeout(self.piece_seconds):
                        await send(message)
                except TimeoutError:
                    log.warning("response_not_read", status=response.status)
                    return
                if not following:
                    return
                piece = following


def _environ(scope: Message, body: bytearray) -> dict[str, Any]:
    """Returns the environment that PEP 3333 asks for. The body is complete, so it always has a length."""
    server, port = scope.get("server") or ("localhost", 80)
    environ = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        # PEP 3333: bytes as Latin-1, whatever they encode.
        "PATH_INFO": unquote_to_bytes(scope["raw_path"]).decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "SERVER_NAME": server,
        "SERVER_PORT": str(port),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    if client := scope.get("client"):
        environ["REMOTE_ADDR"] = client[0]
    for name, value in scope["headers"]:
        # X_Forwarded_For would become the same name as X-Forwarded-For, which a proxy writes and we believe.
        if b"_" in name:
            continue
        key = name.decode("latin-1").upper().replace("-", "_")
        key = key if key == "CONTENT_TYPE" else f"HTTP_{key}"
        text = value.decode("latin-1")
        separator = ";" if key == "HTTP_COOKIE" else ","
        environ[key] = f"{environ[key]}{separator}{text}" if key in environ else text
    environ.pop("HTTP_CONTENT_LENGTH", None)
    environ.pop("HTTP_TRANSFER_ENCODING", None)
    environ["CONTENT_LENGTH"] = str(len(body)) if body else ""
    return environ


async def _send_refusal(send: Send, refusal: _Refusal, *, is_program: bool) -> None:
    """Sends a refusal and ends the connection, on which the rest of the body may still be under way."""
    request_id, kind, content = new_id("req"), "text/plain; charset=utf-8", f"{refusal.reason}\n"
    if is_program:
        code = REFUSAL_CODES[refusal.status]
        problem = {
            "type": f"urn:partway:error:{code}",
            "title": HTTPStatus(refusal.status).phrase,
            "status": refusal.status,
            "code": code,
            "detail": refusal.reason,
            "request_id": request_id,
        }
        kind, content = "application/problem+json", json.dumps(problem)
    headers = [
        (b"content-type", kind.encode()),
        (b"x-request-id", request_id.encode()),
        (b"connection", b"close"),
        # The application's middleware, which adds these to every other response, never sees a refusal.
        (b"cache-control", b"no-store"),
        (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
        (b"referrer-policy", b"no-referrer"),
        (b"x-content-type-options", b"nosniff"),
        (b"x-frame-options", b"DENY"),
    ]
    if refusal.status == 503:
        headers.append((b"retry-after", str(_RETRY_AFTER_SECONDS).encode()))
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": content.encode()})
    log.warning("request_refused", status=refusal.status, reason=refusal.reason, request_id=request_id)
