"""Sends requests over real HTTP from a number of clients at once, and measures the CPU that they take."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from bench.installation import Server


@dataclass(frozen=True)
class Request:
    """One request, and the status that it must get."""

    method: str
    path: str
    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Measured:
    """Milliseconds of CPU of a request, in the web server and in the database, and requests a second."""

    web: float
    database: float
    per_second: float

    @property
    def cpu(self) -> float:
        """The milliseconds of CPU of a request in all."""
        return self.web + self.database

    def __add__(self, other: Measured) -> Measured:
        """The two requests one after the other."""
        per_second = 1 / (1 / self.per_second + 1 / other.per_second)
        return Measured(self.web + other.web, self.database + other.database, per_second)


@dataclass(frozen=True)
class Response:
    """The status, the headers and the body of a response."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def measure(server: Server, requests: Sequence[Request], *, clients: int) -> tuple[Measured, list[Response]]:
    """Sends the requests once each; returns what one of them took, and the responses in the order of the requests."""
    responses: list[Response | None] = [None] * len(requests)
    threads = [
        threading.Thread(target=_client, args=(server.url, requests, responses, number, clients))
        for number in range(clients)
    ]
    web, database = server.cpu()
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.perf_counter() - began
    web_after, database_after = server.cpu()
    got = [response for response in responses if response is not None]
    if len(got) < len(requests):
        raise AssertionError("a client has failed, see above")
    each = 1000 / len(requests)
    figures = Measured((web_after - web) * each, (database_after - database) * each, len(requests) / took)
    return figures, got


def _client(
    url: str, requests: Sequence[Request], responses: list[Response | None], first: int, step: int
) -> None:
    """Sends every `step`th request from the `first` one on, on one connection that is kept."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    for number in range(first, len(requests), step):
        request = requests[number]
        connection.request(request.method, request.path, request.body or None, dict(request.headers))
        response = connection.getresponse()
        body = response.read()
        if response.status != request.status:
            text = body[:200].decode(errors="replace")
            raise AssertionError(f"{request.method} {request.path}: {response.status} {text}")
        responses[number] = Response(response.status, dict(response.getheaders()), body)
    connection.close()
