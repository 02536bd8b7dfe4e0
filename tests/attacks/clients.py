"""Clients that misbehave: sockets that send or read slowly, and crowds that ask for the same at once."""

from __future__ import annotations

import os
import signal
import socket
import ssl
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any

import httpx

CROWD = 24

# No server here speaks TLS, and to read the certificates of the world takes as long as ten requests for each client.
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

# A machine that runs other tests beside this one is no defect, so the best of three counts. A server whose threads
# are held answers none of them in time.
_ATTEMPTS = 3


def assert_healthy(url: str) -> None:
    """Fails unless /healthz responds 200 within a second."""
    took = []
    for _ in range(_ATTEMPTS):
        began = time.monotonic()
        try:
            response = httpx.get(f"{url}/healthz", trust_env=False, verify=NO_TLS, timeout=5)
        except httpx.TimeoutException:
            took.append(5.0)
            continue
        took.append(time.monotonic() - began)
        if response.status_code == 200 and took[-1] < 1:
            return
    raise AssertionError(f"/healthz took {took} s")


@contextmanager
def open_sockets(url: str, data: str, count: int = 40) -> Iterator[list[socket.socket]]:
    """Opens connections that send this and then do nothing; they read nothing either."""
    address = httpx.URL(url)
    with ExitStack() as stack:
        sockets = []
        for _ in range(count):
            connection = stack.enter_context(socket.socket())
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            connection.settimeout(20)
            connection.connect((address.host, address.port))
            connection.sendall(data.encode())
            sockets.append(connection)
        yield sockets


@contextmanager
def crowd(count: int = CROWD) -> Iterator[Crowd]:
    """Yields a crowd; waits at the end of the block for its requests that are still under way."""
    with ThreadPoolExecutor(count) as pool:
        yield Crowd(pool, count)


class Crowd:
    """Clients that send the same at once."""

    def __init__(self, pool: ThreadPoolExecutor, count: int) -> None:
        self._pool = pool
        self._count = count
        self._responses: list[Future[httpx.Response]] = []

    def send(self, request: Callable[[int], httpx.Response]) -> None:
        """Sends a request for each number."""
        self._responses = [self._pool.submit(request, number) for number in range(self._count)]

    def finished(self) -> list[httpx.Response]:
        """Returns the responses that have arrived."""
        return [future.result() for future in self._responses if future.done()]

    def refused(self) -> int:
        """Returns how many were refused for now, with a time after which to try again."""
        return sum(
            response.status_code == 503 and int(response.headers["retry-after"]) > 0
            for response in self.finished()
        )

    def statuses(self) -> Counter[int]:
        """Waits for all responses and counts their statuses."""
        return Counter(future.result().status_code for future in self._responses)


@contextmanager
def stopped(process: subprocess.Popen[Any]) -> Iterator[None]:
    """Stops a process and its children for the block: it accepts connections and says nothing."""
    os.killpg(process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.killpg(process.pid, signal.SIGCONT)


def memory_mib(pid: int) -> int:
    """Returns the memory of a process, without its children."""
    with open(f"/proc/{pid}/status") as status:  # noqa: PTH123 - no file of a disk
        line = next(line for line in status if line.startswith("VmRSS:"))
    return int(line.split()[1]) // 1024


def children(pid: int) -> list[int]:
    """Returns the processes that this one has started."""
    with open(f"/proc/{pid}/task/{pid}/children") as names:  # noqa: PTH123
        return [int(name) for name in names.read().split()]
