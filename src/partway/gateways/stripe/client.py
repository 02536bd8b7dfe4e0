"""The official SDK, set up as Partway needs it; the only module that opens a connection to Stripe.

It takes half a second to import, so the adapter does that with the first call and not at start.
"""

from __future__ import annotations

import logging
import math
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any

import httpx
import stripe

from partway.lib.untrusted_json import InvalidJson, read_json

from .errors import translate
from .reading import reading

# A hundred sessions with their intents, charges and balance transactions.
_MAX_BYTES = 8 * 1024 * 1024
# For the next bytes of one response: long enough for a card network.
_READ_SECONDS, _CONNECT_SECONDS = 15, 3

# It would keep an id of this machine in a file of the operator's home, and send times of earlier calls with each one.
stripe.enable_telemetry = False
# It would log each call, and messages that quote the links of our customers.
logging.getLogger("stripe").setLevel(logging.WARNING)


# The SDK annotates its other errors.
_connection_error: Callable[[str], stripe.APIConnectionError] = stripe.APIConnectionError


_ends_at: ContextVar[float] = ContextVar("calls_end_at", default=math.inf)


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Gives all calls of the block together so many seconds; after that each is OutcomeUnknown, also one under way.

    For what a person waits for: several calls in a row may each be slow, and a response may come drop by drop.
    """
    token = _ends_at.set(min(_ends_at.get(), time.monotonic() + seconds))
    try:
        yield
    finally:
        _ends_at.reset(token)


def _seconds_left() -> float:
    """Returns the seconds until the end of the `within` block, at most those of one read; raises httpx.ReadTimeout."""
    left = _ends_at.get() - time.monotonic()
    if left <= 0:
        raise httpx.ReadTimeout("the time for all calls together is over")
    return min(left, _READ_SECONDS)


class _Transport(stripe.HTTPClient):
    """The HTTP client of the SDK: without a proxy from the environment, and no body is read without end."""

    name = "httpx"

    def __init__(self) -> None:
        super().__init__()
        headers = {"Accept-Encoding": "identity"}  # see `request`
        self._http = httpx.Client(trust_env=False, headers=headers)

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: Any = None,
        *,
        _usage: list[str] | None = None,
    ) -> tuple[str, int, Mapping[str, str]]:
        """Returns body, status and headers; raises APIConnectionError where there is no readable response."""
        body = bytearray()
        try:
            seconds = _seconds_left()
            timeout = httpx.Timeout(seconds, connect=min(seconds, _CONNECT_SECONDS))
            with self._http.stream(
                method, url, headers=dict(headers or {}), content=post_data, timeout=timeout
            ) as response:
                # Raw: a compressed body of a few kilobytes would be gigabytes in memory before its length is known.
                for piece in response.iter_raw():
                    body += piece
                    _seconds_left()
                    if len(body) > _MAX_BYTES:
                        break
            # The SDK parses it with a reader that has no limits.
            read_json(bytes(body), max_bytes=_MAX_BYTES)
        except httpx.HTTPError as error:
            raise _connection_error(str(error) or type(error).__name__) from error
        except InvalidJson as error:
            message = f"unreadable answer {response.status_code}: {error}"
            raise _connection_error(message) from error
        return body.decode(), response.status_code, response.headers

    def close(self) -> None:
        self._http.close()


@cache
def _transport() -> _Transport:
    """Returns the connection pool that all threads of a process and all accounts share."""
    return _Transport()


@cache
def client_for(base_url: str, api_key: str, connected_account: str = "") -> stripe.StripeClient:
    """Returns the client of one account; its API version is the one that the SDK was made for.

    With `connected_account` the key is a platform's, and each request names that account, for which it acts.

    It repeats nothing by itself: Partway's own rows decide whether a call is made again (P4).
    """
    return stripe.StripeClient(
        api_key,
        base_addresses={"api": base_url.rstrip("/")},
        http_client=_transport(),
        stripe_account=connected_account or None,
        max_network_retries=0,
    )


# A forked worker must not use its parent's connections.
os.register_at_fork(after_in_child=client_for.cache_clear)
os.register_at_fork(after_in_child=_transport.cache_clear)


@contextmanager
def calling() -> Iterator[None]:
    """Turns what the SDK raises, and an object that is not as documented, into Refused or OutcomeUnknown."""
    try:
        with reading():
            yield
    except stripe.StripeError as error:
        raise translate(error) from error
