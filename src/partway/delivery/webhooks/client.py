"""One POST to a stranger's address: to a checked address only, never redirected, within a deadline and a size."""

from __future__ import annotations

import queue
import socket
import ssl
import threading
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import timedelta
from functools import cache
from typing import Any

import httpcore
import httpx
import structlog

from partway.billing.people.webhook_deliveries import Outcome
from partway.lib.public_addresses import is_in, is_public

log = structlog.get_logger(__name__)

# The whole of it, from the look-up of the name on; and for the body of a response whose status is known already.
DEADLINE_SECONDS, BODY_SECONDS = 15.0, 2.0
MAX_BODY = 4_000
# Of the addresses of a name; each one more takes from the deadline of the others.
_MAX_ADDRESSES = 4
_MAX_MESSAGE = 300
_PART_BYTES = 16_384
# These come from what stands before a program that is down or busy; another delivery would get the same.
_SILENT_STATUSES = (429, 502, 503, 504)


class _NotSent(Exception):
    """There is no response; `code` is that of the outcome."""

    def __init__(self, code: str, message: str = "") -> None:
        super().__init__(message)
        self.code = code


def post(url: str, body: bytes, headers: Mapping[str, str], allowed: tuple[str, ...]) -> Outcome:
    """Sends a POST and returns what came of it; `allowed` are networks that may be reached though they are not public.

    Codes: address_refused, not_encrypted, unknown_host, unreachable, tls, timeout, redirect, status.
    """
    try:
        return _outcome(*_sent(url, body, headers, allowed))
    except _NotSent as error:
        code, message = error.code, str(error)
    except (httpcore.TimeoutException, TimeoutError):
        code, message = "timeout", ""
    except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
        # The client of HTTP passes on only the words of its TLS library.
        is_tls = isinstance(error, ssl.SSLError) or "[SSL" in str(error)
        code, message = "tls" if is_tls else "unreachable", str(error)
    except (httpx.InvalidURL, UnicodeError) as error:
        code, message = "unknown_host", str(error)
    return Outcome(error_code=code, error_message=message[:_MAX_MESSAGE], is_silent=True)


def _sent(
    url: str, body: bytes, headers: Mapping[str, str], allowed: tuple[str, ...]
) -> tuple[int, dict[str, str], str]:
    """Returns status, headers in lower case and the beginning of the body."""
    deadline, target = _Deadline(DEADLINE_SECONDS), httpx.URL(url)
    backend = _PinnedBackend(_checked_addresses(target, allowed, deadline), deadline)
    address = httpcore.URL(
        scheme=target.raw_scheme, host=target.raw_host, port=target.port, target=target.raw_path
    )
    sent = {"Host": target.netloc.decode("ascii"), "Content-Length": str(len(body)), **headers}
    pool = httpcore.ConnectionPool(ssl_context=_tls(), network_backend=backend, max_connections=1)
    with pool, pool.stream("POST", address, headers=list(sent.items()), content=body) as response:
        deadline.shorten(BODY_SECONDS)
        known = {name.decode("latin-1").lower(): text.decode("latin-1") for name, text in response.headers}
        found = b""
        # The status decides, whatever becomes of the body.
        with suppress(httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError, OSError):
            for part in response.iter_stream():
                found += part
                if len(found) >= MAX_BODY:
                    break
    # No text in a database has a NUL.
    return response.status, known, found[:MAX_BODY].decode("utf-8", "replace").replace("\0", "")


def _outcome(status: int, headers: Mapping[str, str], body: str) -> Outcome:
    wish = headers.get("retry-after", "")
    return Outcome(
        status=status,
        body=body,
        error_code="" if 200 <= status < 300 else "redirect" if 300 <= status < 400 else "status",
        is_silent=status in _SILENT_STATUSES,
        retry_after=timedelta(seconds=int(wish[:6])) if wish.isascii() and wish.isdigit() else None,
    )


def _checked_addresses(target: httpx.URL, allowed: tuple[str, ...], deadline: _Deadline) -> list[str]:
    """Looks up the host and returns its addresses that may be reached; raises _NotSent where none may."""
    host = target.raw_host.decode("ascii")
    addresses = _looked_up(host, target.port or 443, deadline)
    may_reach = [one for one in addresses if is_public(one) or is_in(one, allowed)]
    if not may_reach:
        # For the operator: owners could read the names and addresses of a network that is not theirs.
        log.warning("webhook_address_refused", host=host, addresses=addresses)
        raise _NotSent("address_refused")
    if target.scheme != "https":
        may_reach = [one for one in may_reach if is_in(one, allowed)]
        if not may_reach:
            raise _NotSent("not_encrypted")
    return may_reach[:_MAX_ADDRESSES]


def _looked_up(host: str, port: int, deadline: _Deadline) -> list[str]:
    """Returns the addresses of a name; on a thread that is left behind, since the system has no time-out for it."""
    found = queue.SimpleQueue[list[Any] | OSError | UnicodeError]()

    def look_up() -> None:
        try:
            found.put(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            found.put(error)

    threading.Thread(target=look_up, name=f"look up {host}", daemon=True).start()
    try:
        rows = found.get(timeout=deadline.left())
    except queue.Empty:
        raise httpcore.ConnectTimeout("the name was not looked up in time") from None
    if isinstance(rows, OSError | UnicodeError):
        raise _NotSent("unknown_host", str(rows)) from rows
    return list(dict.fromkeys(str(row[4][0]).partition("%")[0] for row in rows))


@cache
def _tls() -> ssl.SSLContext:
    """Returns the settings of TLS, which read some hundred certificates."""
    return httpx.create_ssl_context()


class _Deadline:
    """The time at which everything ends, so that a server which drips cannot extend it."""

    def __init__(self, seconds: float) -> None:
        self._until = time.monotonic() + seconds

    def shorten(self, seconds: float) -> None:
        """Ends so many seconds from now, unless it ends sooner."""
        self._until = min(self._until, time.monotonic() + seconds)

    def left(self) -> float:
        """Returns the seconds that are left; raises ReadTimeout when there are none."""
        left = self._until - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("the deadline has passed")
        return left


class _PinnedBackend(httpcore.NetworkBackend):
    """Connects to the addresses that were checked, whatever the name has become since.

    TLS is still verified for the name, which httpcore takes from the URL.
    """

    def __init__(self, addresses: list[str], deadline: _Deadline) -> None:
        self._addresses, self._deadline = addresses, deadline
        self._backend = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Returns a connection to the first address that accepts one; raises what the last of them did."""
        error: Exception = httpcore.ConnectError("no address")
        for untried, address in zip(range(len(self._addresses), 0, -1), self._addresses, strict=True):
            try:
                stream = self._backend.connect_tcp(address, port, self._deadline.left() / untried)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as refused:
                error = refused
            else:
                return _TimedStream(stream, self._deadline)
        raise error


class _TimedStream(httpcore.NetworkStream):
    """A connection of which each read and write ends with the deadline of the whole."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: _Deadline) -> None:
        self._stream, self._deadline = stream, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Returns some bytes; raises ReadTimeout."""
        return self._stream.read(max_bytes, self._deadline.left())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Sends the bytes; raises WriteTimeout."""
        # In parts, because the time-out begins anew with what the other side makes room for.
        for start in range(0, len(buffer), _PART_BYTES):
            self._stream.write(buffer[start : start + _PART_BYTES], self._deadline.left())

    def close(self) -> None:
        """Closes the connection."""
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """Returns the encrypted connection, verified for the host name; raises ConnectError."""
        encrypted = self._stream.start_tls(ssl_context, server_hostname, self._deadline.left())
        return _TimedStream(encrypted, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        """Returns what the connection knows about itself."""
        return self._stream.get_extra_info(info)
