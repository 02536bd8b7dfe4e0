"""The connections to the sandbox: HTTP/1.1 of the standard library, kept open, each used by one thread at a time.

A quarter of the CPU that httpx takes for a call, and a payment makes four of them.
"""

from __future__ import annotations

import select
import ssl
from collections.abc import Mapping
from functools import partial
from http.client import HTTPConnection, HTTPException, HTTPSConnection, IncompleteRead
from urllib.parse import urlsplit

from partway.lib.untrusted_json import MAX_BYTES

# Long enough for a card network, and well below the 60 seconds after which a proxy gives up on us.
_CONNECT_SECONDS, _READ_SECONDS = 3, 15

Response = tuple[int, str, bytes]


class HttpClient:
    """Sends requests below one base URL; all threads of a process share it. No proxy, no redirect, no compression."""

    def __init__(self, base_url: str) -> None:
        url = urlsplit(base_url)
        host, self._path = url.hostname or "", url.path
        self._connect = partial(HTTPConnection, host, url.port, timeout=_CONNECT_SECONDS)
        if url.scheme == "https":
            context = ssl.create_default_context()
            self._connect = partial(
                HTTPSConnection, host, url.port, timeout=_CONNECT_SECONDS, context=context
            )
        self._idle: list[HTTPConnection] = []

    def send(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None = None) -> Response:
        """Returns the status, the Date header, and the body, one byte longer than is read where it is too long.

        Raises OSError or HTTPException when there is no whole response; ValueError for a path that is no address.
        """
        kept = self._kept()
        connection = kept or self._connect()
        try:
            if kept is None:
                connection.connect()
                connection.sock.settimeout(_READ_SECONDS)
            connection.request(method, self._path + path, body, headers)
            response = connection.getresponse()
            sent = response.read(MAX_BYTES + 1)
            if response.length and len(sent) <= MAX_BYTES:
                raise IncompleteRead(sent, response.length)
        except BaseException:
            connection.close()
            raise
        if response.isclosed() and connection.sock is not None:
            self._idle.append(connection)
        else:
            connection.close()
        return response.status, response.headers.get("Date", ""), sent

    def _kept(self) -> HTTPConnection | None:
        """Returns an idle connection that the other end has not closed, or None."""
        while self._idle:
            try:
                connection = self._idle.pop()
            except IndexError:  # another thread has taken it
                return None
            poll = select.poll()
            poll.register(connection.sock, select.POLLIN)
            if not poll.poll(0):  # what it has to read can only be its end, for nothing was asked
                return connection
            connection.close()
        return None


NO_RESPONSE = (OSError, HTTPException)
