"""The adapter for the pretend payment company: its HTTP on one side, our facts on the other."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx
from standardwebhooks import Webhook, WebhookVerificationError

from partway.gateways.protocol import (
    BadCallback,
    Checkout,
    CheckoutRequest,
    CheckoutState,
    CheckoutStatus,
    CheckoutSummary,
    CloseOutcome,
    OutcomeUnknown,
    Refund,
    RefundStatus,
    Refused,
    VerifiedCallback,
)
from partway.lib.money import EXPONENTS, MAX_AMOUNT_MINOR, Money

# Least amount and step in minor units, by the currency's decimals. The last digit of a three-decimal amount
# must be 0: card networks carry two decimals and real gateways demand the same.
_MINIMUM = {0: 50, 2: 50, 3: 100}
_STEP = {0: 1, 2: 1, 3: 10}

# These say "not now", not "no": whether an earlier try got through is still open.
_NOT_NOW = frozenset({408, 425, 429})

_CLOSINGS = {
    CheckoutStatus.CLOSED: CloseOutcome.CLOSED,
    CheckoutStatus.FAILED: CloseOutcome.CLOSED,
    CheckoutStatus.PROCESSING: CloseOutcome.TOO_LATE,
    CheckoutStatus.CAPTURED: CloseOutcome.TOO_LATE,
}

Json = dict[str, Any]


class SandboxGateway:
    """One account at the pretend company; `credentials` are {api_key, signing_secret}."""

    methods = ("card", "bank_debit")

    def __init__(self, base_url: str, credentials: Mapping[str, str]) -> None:
        self._client = _client(base_url.rstrip("/"))
        self._headers = {"Authorization": f"Bearer {credentials['api_key']}"}
        self._signing_secret = credentials["signing_secret"]
        self.checkout_origin = "{0.scheme}://{0.netloc}".format(urlsplit(base_url))

    def authorizes(self, method: str) -> bool:
        """A card is held first; a bank debit is taken as soon as the customer agrees."""
        return method == "card"

    def minimum(self, currency: str) -> int:
        """The least it takes, in minor units."""
        return _MINIMUM[EXPONENTS[currency]]

    def step(self, currency: str) -> int:
        """An amount must be a multiple of this many minor units."""
        return _STEP[EXPONENTS[currency]]

    def check(self) -> None:
        """Return if the key opens an account."""
        self._call("GET", "/v1/account")

    def start(self, order: CheckoutRequest) -> Checkout:
        """Open a checkout for exactly this amount."""
        body = {
            "amount": order.amount.amount_minor,
            "currency": order.amount.currency,
            "description": order.description,
            "reference": order.reference,
            "return_url": order.return_url,
            "callback_url": order.callback_url,
            "expires_at": order.expires_at.isoformat(),
        }
        with _reading():
            answer = self._call("POST", "/v1/checkouts", body, order.key)
            return Checkout(_text(answer["id"]), _text(answer["url"], most=2000))

    def fetch(self, ref: str) -> CheckoutState:
        """Ask what is true now."""
        with _reading():
            return _truth(self._call("GET", f"/v1/checkouts/{ref}"))

    def capture(self, ref: str, amount: Money, key: str) -> CheckoutState:
        """Take what was authorized, at most once and at most that much."""
        with _reading():
            return _truth(self._call("POST", f"/v1/checkouts/{ref}/capture", _wire(amount), key))

    def close(self, ref: str, key: str) -> CloseOutcome:
        """Make it unpayable, and give up an authorization that was not captured."""
        try:
            with _reading():
                answer = self._call("POST", f"/v1/checkouts/{ref}/close", {}, key)
                return _CLOSINGS.get(CheckoutStatus(answer["status"]), CloseOutcome.UNKNOWN)
        except OutcomeUnknown:
            return CloseOutcome.UNKNOWN

    def refund(self, ref: str, amount: Money, key: str) -> Refund:
        """Send back part or all of what was captured."""
        with _reading():
            body = {**_wire(amount), "reference": key}
            return _refund(self._call("POST", f"/v1/checkouts/{ref}/refunds", body, key))

    def read_callback(self, body: bytes, headers: Mapping[str, str]) -> VerifiedCallback:
        """Verify the raw `body`; raises BadCallback."""
        try:
            event = Webhook(self._signing_secret).verify(body, dict(headers))
            at = datetime.fromisoformat(event["created"])
            ref = _text(event["data"]["checkout"])
            return VerifiedCallback(_text(event["id"]), _text(event["type"], most=60), ref, at)
        except (WebhookVerificationError, ValueError, TypeError, KeyError) as error:
            raise BadCallback(f"not a callback of this account: {error}") from error

    def list_since(self, at: datetime) -> Iterator[CheckoutSummary]:
        """Every checkout that changed at or after `at`, oldest change first."""
        query = {"since": at.isoformat()}
        while True:
            with _reading():
                page = self._call("GET", f"/v1/checkouts?{urlencode(query)}")
                listed = [CheckoutSummary(row["id"], row["reference"], _truth(row)) for row in page["data"]]
                query["cursor"] = page["next"]
            yield from listed
            if not query["cursor"]:
                return

    def _call(self, method: str, path: str, body: Json | None = None, key: str = "") -> Json:
        headers = {**self._headers, "Idempotency-Key": key} if key else self._headers
        return _answer(self._client, method, path, headers=headers, json=body)


def create_account(base_url: str, name: str, callback_url: str) -> dict[str, str]:
    """Open an account at the company, which asks nobody's permission; returns its credentials."""
    body = {"name": name, "callback_url": callback_url}
    with _reading():
        account = _answer(_client(base_url.rstrip("/")), "POST", "/v1/accounts", json=body)
        return {"api_key": account["api_key"], "signing_secret": account["signing_secret"]}


@cache
def _client(base_url: str) -> httpx.Client:
    """One pool of connections per company and process, shared by all threads."""
    return httpx.Client(base_url=base_url, timeout=httpx.Timeout(15, connect=3), trust_env=False)


# A forked worker must not speak on its parent's connections.
os.register_at_fork(after_in_child=_client.cache_clear)


def _answer(client: httpx.Client, method: str, path: str, **request: Any) -> Json:
    try:
        response = client.request(method, path, **request)
    except httpx.HTTPError as error:
        raise OutcomeUnknown(f"no answer: {error or type(error).__name__}") from error
    if response.status_code >= 500 or response.status_code in _NOT_NOW:
        raise OutcomeUnknown(f"answered {response.status_code}")
    with _reading():
        answer: Json = response.json()
        if response.is_success:
            return answer
        raise Refused(_text(answer["error"]["code"], most=60), _text(answer["error"]["message"], most=300))


@contextmanager
def _reading() -> Iterator[None]:
    """Whatever cannot be read was no answer."""
    try:
        yield
    except (KeyError, TypeError, ValueError) as error:
        raise OutcomeUnknown(f"unreadable answer: {error!r}") from error


def _wire(amount: Money) -> Json:
    return {"amount": amount.amount_minor, "currency": amount.currency}


def _truth(row: Json) -> CheckoutState:
    return CheckoutState(
        status=CheckoutStatus(row["status"]),
        captured=_money(row["captured"], row["captured_currency"]),
        authorized=_money(row["authorized"], row["currency"]),
        method=_text(row["method"], most=40),
        code=_text(row["code"], most=60),
        message=_text(row["message"], most=300),
        refunds=tuple(_refund(refund) for refund in row["refunds"]),
    )


def _money(amount_minor: int | None, currency: str) -> Money | None:
    """What was taken has a currency of its own: it need not be the one that was asked for."""
    if amount_minor is None:
        return None
    if not 0 <= amount_minor <= MAX_AMOUNT_MINOR:
        raise ValueError(f"{amount_minor} is not an amount")
    return Money(amount_minor, currency)


def _text(value: object, *, most: int = 200) -> str:
    """Text that fits into a column of any database, cut where it is longer."""
    if not isinstance(value, str) or "\0" in value:
        raise TypeError(f"{value!r} is not text")
    return value[:most]


def _refund(row: Json) -> Refund:
    amount = Money(row["amount"], row["currency"])
    return Refund(row["id"], RefundStatus(row["status"]), amount, row["reference"])
