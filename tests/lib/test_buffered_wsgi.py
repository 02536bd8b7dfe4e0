"""The buffer between clients and the application: what waits, what is held in memory, and what is never read."""

from __future__ import annotations

import asyncio
import json
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import pytest

from partway.lib.buffered_wsgi import BufferedWsgi, Message
from partway.lib.bulkheads import FULL, Bulkhead, BulkheadFull

MEGABYTE = 1024 * 1024
GREETING = b"hello"


def greet(_environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
    """A WSGI application that has one page."""
    start("200 OK", [])
    return [GREETING]


async def request(
    app: BufferedWsgi, *received: Message, headers: Sequence[tuple[bytes, bytes]] = ()
) -> list[Message]:
    """Sends a request; a client that has sent `received` says nothing more. Returns the messages of the response."""
    headers = [*headers, *([(b"transfer-encoding", b"chunked")] if received else [])]
    scope = {"method": "POST", "path": "/", "raw_path": b"/", "query_string": b"", "headers": headers}
    pieces, sent = iter(received), []

    async def receive() -> Message:
        piece = next(pieces, None)
        return piece if piece is not None else await asyncio.Future()

    async def send(message: Message) -> None:
        sent.append(message)

    await app({**scope, "http_version": "1.1", "scheme": "http"}, receive, send)
    return sent


def piece(size: int, *, is_last: bool = False) -> Message:
    return {"type": "http.request", "body": bytes(size), "more_body": not is_last}


def test_request_gets_response() -> None:
    app = BufferedWsgi(greet, threads=1, max_body_bytes=10)
    start, body = asyncio.run(request(app, piece(3), piece(4, is_last=True)))
    assert (start["status"], body["body"], app.requests, app.body_bytes) == (200, GREETING, 0, 0)


def test_refusal_of_a_program_is_a_problem() -> None:
    app = BufferedWsgi(greet, threads=1, max_body_bytes=10, api="/")
    start, body = asyncio.run(request(app, piece(11)))
    assert dict(start["headers"])[b"content-type"] == b"application/problem+json"
    said = json.loads(body["body"])
    assert (said["status"], said["code"]) == (413, "too_large")
    assert dict(start["headers"])[b"x-request-id"].decode() == said["request_id"]


def test_refusal_for_a_slow_body_is_a_problem_too() -> None:
    app = BufferedWsgi(greet, threads=1, max_body_bytes=10, api="/", body_seconds=0.01)
    _start, body = asyncio.run(request(app, piece(1)))
    assert json.loads(body["body"])["code"] == "request_timeout"


def test_header_with_underscores_does_not_pose_as_the_one_with_hyphens() -> None:
    def echo(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        start("200 OK", [])
        return [environ["HTTP_X_FORWARDED_FOR"].encode()]

    app = BufferedWsgi(echo, threads=1, max_body_bytes=10)
    headers = [(b"x-forwarded-for", b"192.0.2.1"), (b"x_forwarded_for", b"6.6.6.6")]
    _start, body = asyncio.run(request(app, headers=headers))
    assert body["body"] == b"192.0.2.1"


def test_request_beyond_those_that_may_wait_is_refused_at_once() -> None:
    gate = threading.Event()

    def wait(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        gate.wait()
        return greet(environ, start)

    async def crowd() -> Counter[int]:
        app = BufferedWsgi(wait, threads=1, max_body_bytes=10)
        sending = [asyncio.create_task(request(app)) for _ in range(app.max_requests + 1)]
        try:
            responded, _waiting = await asyncio.wait(sending, timeout=5, return_when="FIRST_COMPLETED")
        finally:
            gate.set()
        [refused] = [each.result()[0] for each in responded]
        assert (refused["status"], dict(refused["headers"])[b"retry-after"]) == (503, b"5")
        return Counter(response[0]["status"] for response in await asyncio.gather(*sending))

    assert asyncio.run(crowd()) == {200: 17, 503: 1}


def test_bodies_that_are_being_received_have_a_limit_together() -> None:
    async def upload() -> None:
        app = BufferedWsgi(greet, threads=1, max_body_bytes=40 * MEGABYTE)
        slow = asyncio.create_task(request(app, piece(33 * MEGABYTE)))
        await asyncio.sleep(0)
        [start, _body] = await asyncio.wait_for(request(app, piece(33 * MEGABYTE)), 5)
        assert (start["status"], app.body_bytes) == (503, 33 * MEGABYTE)
        slow.cancel()
        await asyncio.wait([slow])
        assert app.body_bytes == 0

    asyncio.run(upload())


def test_response_that_is_not_read_is_given_up() -> None:
    async def send(message: Message) -> None:
        if message["type"] == "http.response.body":
            await asyncio.Future()

    async def download() -> None:
        app = BufferedWsgi(greet, threads=1, max_body_bytes=10, piece_seconds=0.01)
        scope = {"method": "GET", "path": "/", "raw_path": b"/", "query_string": b"", "headers": []}
        reading = app({**scope, "http_version": "1.1", "scheme": "http"}, asyncio.Future, send)
        await asyncio.wait_for(reading, 5)

    asyncio.run(download())


def test_error_of_a_streamed_response_is_a_server_error_with_security_headers() -> None:
    def break_off() -> Iterator[bytes]:
        yield GREETING
        raise ValueError

    def stream(_environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        start("200 OK", [])
        return break_off()

    app = BufferedWsgi(stream, threads=1, max_body_bytes=10)
    start, body = asyncio.run(request(app))
    assert (start["status"], app.requests) == (500, 0)
    assert (b"x-content-type-options", b"nosniff") in start["headers"]
    assert GREETING not in body["body"]


@pytest.mark.parametrize(("held_seconds", "status", "runs"), [(0.1, 200, 2), (60, 503, 1)])
def test_request_waits_for_a_place_in_a_bulkhead_without_a_thread(
    held_seconds: float, status: int, runs: int
) -> None:
    calls, bulkhead = Counter[str](), Bulkhead("calls", has_line=True)
    bulkhead.limit = bulkhead.in_use = 1

    def call(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        calls[environ["wsgi.input"].read().decode()] += 1
        try:
            with bulkhead.enter():
                start("200 OK", [])
        except BulkheadFull:
            environ[FULL] = bulkhead
            start("503 Service Unavailable", [])
        return []

    async def held() -> list[list[Message]]:
        app = BufferedWsgi(call, threads=1, max_body_bytes=10, place_seconds=0.5)
        waiting = asyncio.gather(*(request(app, piece(1, is_last=True)) for _ in range(2)))
        asyncio.get_running_loop().call_later(held_seconds, vars(bulkhead).update, {"in_use": 0})
        return await waiting

    assert [start["status"] for start, _ in asyncio.run(held())] == [status] * 2
    assert calls == {"\0": 2 * runs}
