"""Delivers events to webhook endpoints: signed, in the background, and again while the response is no 2xx."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import threading
from collections import deque
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from .company import Account
from .errors import Json

TIMEOUT_SECONDS = 30
# Live events are repeated for three days, those of a test mode three times within a few hours.
RETRY_AFTER_SECONDS = {
    False: (300, 1800, 7200),
    True: (300, 1800, 7200, 18_000, 36_000, 36_000, 72_000, 72_000),
}


@dataclass(eq=False)
class Delivery:
    """One event on its way to one endpoint of `owner`."""

    owner: Account
    endpoint: Json
    payload: Json
    attempts: int = 0

    @property
    def body(self) -> bytes:
        return json.dumps(self.payload, indent=2).encode()


def signature(body: bytes, secrets: list[str], timestamp: int) -> str:
    """Returns the `Stripe-Signature` header; while a secret is rotated there are two signatures."""
    signed = f"{timestamp}.".encode() + body
    digests = [hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest() for secret in secrets]
    return ",".join([f"t={timestamp}", *(f"v1={digest}" for digest in digests)])


@dataclass
class Courier:
    """Sends the deliveries of one account one after the other, by a thread that ends when there are none."""

    account: Account
    held: list[Delivery] = field(default_factory=list)  # until the next one has been sent
    _queue: deque[Delivery] = field(default_factory=deque)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _runs: bool = False

    def take(self, deliveries: list[Delivery]) -> None:
        with self._lock:
            self._queue.extend(deliveries)
            if self._runs or not self._queue:
                return
            self._runs = True
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while True:
            with self._lock:
                if not self._queue:
                    self._runs = False
                    return
                delivery = self._queue.popleft()
            self.send(delivery)

    def send(self, delivery: Delivery) -> None:
        """Sends once, and plans the next attempt where this one is not acknowledged."""
        delivery.attempts += 1
        if _post(delivery):
            return
        plan = RETRY_AFTER_SECONDS[self.account.livemode]
        if delivery.attempts <= len(plan):
            with self.account.lock:
                self.account.later(plan[delivery.attempts - 1], lambda: self.take([delivery]))


def _post(delivery: Delivery) -> bool:
    """Returns whether the endpoint acknowledged; a redirect is no acknowledgement."""
    parts = urlsplit(delivery.endpoint["url"])
    connect = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    secrets = delivery.owner.hidden[delivery.endpoint["id"]]["secrets"]
    # Signed by the clock of the world, as the receiver compares it with its own.
    body, timestamp = delivery.body, int(delivery.owner.time() - delivery.owner.clock_shift)
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "Stripe-Signature": signature(body, secrets, timestamp),
        "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
    }
    connection = connect(parts.hostname or "", parts.port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("POST", parts.path or "/", body, headers)
        return 200 <= connection.getresponse().status < 300
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
