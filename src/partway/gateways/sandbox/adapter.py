"""The adapter of the sandbox: translates between its HTTP API and the gateway protocol."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime
from functools import cache
from json import dumps
from typing import Any, TypeVar
from urllib.parse import urlencode, urlsplit

from standardwebhooks import Webhook, WebhookVerificationError

from partway.lib.money import MAX_AMOUNT_MINOR, Money
from partway.lib.untrusted_json import read_json

from ..connection_report import ConnectionReport, Finding, FindingLevel, clock_finding
from ..protocol import (
    BadCallback,
    Checkout,
    CheckoutRequest,
    CheckoutState,
    CheckoutStatus,
    CheckoutSummary,
    CloseOutcome,
    Dispute,
    DisputeStatus,
    FoundCheckout,
    OutcomeUnknown,
    Payout,
    PayoutItem,
    PayoutItemKind,
    PayoutStatus,
    Refund,
    RefundStatus,
    Refused,
    VerifiedCallback,
)
from .capabilities import SandboxCapabilities
from .http_client import NO_RESPONSE, HttpClient

# Request time-out, too early, too many requests: a server may send these after it acted, so they refuse nothing.
_UNDECIDED_STATUS_CODES = frozenset({408, 425, 429})

_CLOSE_OUTCOMES = {
    CheckoutStatus.CLOSED: CloseOutcome.CLOSED,
    CheckoutStatus.FAILED: CloseOutcome.CLOSED,
    CheckoutStatus.PROCESSING: CloseOutcome.TOO_LATE,
    CheckoutStatus.CAPTURED: CloseOutcome.TOO_LATE,
}

Json = dict[str, Any]
T = TypeVar("T")


class SandboxGateway(SandboxCapabilities):
    """One account at the sandbox; `credentials` are {api_key, signing_secret}."""

    def __init__(self, base_url: str, credentials: Mapping[str, str]) -> None:
        self._client = client_for(base_url.rstrip("/"))
        self._headers = {"Authorization": f"Bearer {credentials['api_key']}"}
        self._signing_secret = credentials["signing_secret"]
        self.checkout_origin = "{0.scheme}://{0.netloc}".format(urlsplit(base_url))

    def check(self, callback_url: str, now: datetime) -> ConnectionReport:
        """Reads the account of the API key; each checkout names its own callback URL, so there is none to compare."""
        with _reading():
            date_header, account = _send(self._client, "GET", "/v1/account", headers=self._headers)
            ref, name = _text(account["id"]), _text(account["name"])
            charges = FindingLevel.OK if account["charges_enabled"] else FindingLevel.WRONG
        ours = clock_finding(date_header, now)
        findings = (
            Finding(FindingLevel.OK, "account", {"name": name, "ref": ref}),
            Finding(FindingLevel.OK, "mode_test"),
            Finding(charges, "charges", {"reason": "", "requirements": []}),
            Finding(FindingLevel.OK, "methods", {"methods": list(self.methods)}),
            *([ours] if ours else []),
        )
        return ConnectionReport(ref, name, findings)

    def start(self, request: CheckoutRequest) -> Checkout:
        """Opens a checkout for exactly this amount."""
        body = {
            "amount": request.amount.amount_minor,
            "currency": request.amount.currency,
            "description": request.description,
            "reference": request.reference,
            "return_url": request.return_url,
            "callback_url": request.callback_url,
            "expires_at": request.expires_at.isoformat(),
            "methods": list(request.methods),
        }
        with _reading():
            # Under an idempotency key: the same call after a lost response opens no second checkout (P4).
            response = self._call("POST", "/v1/checkouts", body, request.key)
            return Checkout(_text(response["id"]), _text(response["url"], max_length=2000))

    def fetch(self, ref: str) -> CheckoutState:
        """Returns the current state of a checkout."""
        with _reading():
            return _checkout_state(self._call("GET", f"/v1/checkouts/{ref}"))

    def capture(self, ref: str, amount: Money, key: str) -> CheckoutState:
        """Captures an authorization, at most once and at most that much."""
        body = {"amount": amount.amount_minor, "currency": amount.currency}
        with _reading():
            return _checkout_state(self._call("POST", f"/v1/checkouts/{ref}/capture", body, key))

    def close(self, ref: str, key: str) -> CloseOutcome:
        """Closes a checkout and releases an authorization that was not captured."""
        try:
            with _reading():
                response = self._call("POST", f"/v1/checkouts/{ref}/close", {}, key)
                return _CLOSE_OUTCOMES.get(CheckoutStatus(response["status"]), CloseOutcome.UNKNOWN)
        # The worker closes it again later; an act that canceled the payment has committed and has nothing to
        # undo.
        except OutcomeUnknown:
            return CloseOutcome.UNKNOWN

    def refund(self, ref: str, amount: Money, key: str) -> Refund:
        """Sends back part or all of what was captured."""
        body = {"amount": amount.amount_minor, "currency": amount.currency, "reference": key}
        with _reading():
            return _refund(self._call("POST", f"/v1/checkouts/{ref}/refunds", body, key))

    def read_callback(self, body: bytes, headers: Mapping[str, str]) -> VerifiedCallback:
        """Verifies the signature over the raw `body`; raises BadCallback."""
        try:
            # Only the signature: verify() would parse the body with a reader that has no limits.
            Webhook(self._signing_secret).verify(body, dict(headers), json_parse=False)
            event: Any = read_json(body)
            about = event["data"]
            return VerifiedCallback(
                event_id=_text(event["id"]),
                kind=_text(event["type"], max_length=60),
                checkout_ref="" if "payout" in about else _text(about["checkout"]),
                at=datetime.fromisoformat(event["created"]),
                payout_ref=_text(about["payout"]) if "payout" in about else "",
            )
        except (WebhookVerificationError, ValueError, TypeError, KeyError) as error:
            raise BadCallback(f"not a callback of this account: {error}") from error

    def find_checkout(self, object_ref: str) -> FoundCheckout | None:
        """Returns a checkout with its reference; each callback of the sandbox names one."""
        with _reading():
            row = self._call("GET", f"/v1/checkouts/{object_ref}")
            return FoundCheckout(_text(row["id"]), _text(row["reference"]))

    def list_since(self, at: datetime) -> Iterator[CheckoutSummary]:
        """Yields every checkout that changed at or after `at`, oldest change first."""
        return self._list(
            "checkouts",
            at,
            lambda row: CheckoutSummary(_text(row["id"]), _text(row["reference"]), _checkout_state(row)),
        )

    def payouts_since(self, at: datetime) -> Iterator[Payout]:
        """Yields every payout that changed at or after `at`, oldest change first."""
        return self._list("payouts", at, _payout)

    def _list(self, what: str, at: datetime, read: Callable[[Json], T]) -> Iterator[T]:
        query = {"since": at.isoformat()}
        while True:
            with _reading():
                page = self._call("GET", f"/v1/{what}?{urlencode(query)}")
                rows = [read(row) for row in page["data"]]
                # Read page by page and never as a whole: a list after a long outage has no bound.
                query["cursor"] = page["next"]
            yield from rows
            if not query["cursor"]:
                return

    def _call(self, method: str, path: str, body: Json | None = None, key: str = "") -> Json:
        headers = {**self._headers, "Idempotency-Key": key} if key else self._headers
        return _send(self._client, method, path, headers=headers, json=body)[1]


def create_account(base_url: str, name: str, callback_url: str) -> dict[str, str]:
    """Opens an account at the sandbox, which is free to all, and returns its credentials."""
    body = {"name": name, "callback_url": callback_url}
    with _reading():
        _, account = _send(client_for(base_url.rstrip("/")), "POST", "/v1/accounts", headers={}, json=body)
        return {"api_key": account["api_key"], "signing_secret": account["signing_secret"]}


client_for = cache(HttpClient)
# A forked worker must not use its parent's connections.
os.register_at_fork(after_in_child=client_for.cache_clear)


def _send(
    client: HttpClient, method: str, path: str, *, headers: Mapping[str, str], json: Json | None = None
) -> tuple[str, Json]:
    """Sends a request and returns the Date header and the JSON body of its response.

    Raises Refused for a 4xx, OutcomeUnknown for everything undecided.
    """
    body = None if json is None else dumps(json).encode()
    try:
        status, date_header, sent = client.send(
            method, path, {"Content-Type": "application/json", **headers}, body
        )
    except NO_RESPONSE as error:
        raise OutcomeUnknown(f"no answer: {error or type(error).__name__}") from error
    # A server error says nothing about what the server did before it: only the gateway's own "no" is a refusal
    # (P5).
    if status >= 500 or status in _UNDECIDED_STATUS_CODES:
        raise OutcomeUnknown(f"answered {status}")
    with _reading():
        read: Any = read_json(sent)
        if 200 <= status < 300:
            return date_header, dict(read)
        code, message = read["error"]["code"], read["error"]["message"]
        raise Refused(_text(code, max_length=60), _text(message, max_length=300))


@contextmanager
def _reading() -> Iterator[None]:
    """Turns the errors of an unreadable response into OutcomeUnknown."""
    try:
        yield
    except (KeyError, TypeError, ValueError) as error:
        raise OutcomeUnknown(f"unreadable answer: {error!r}") from error


def _checkout_state(row: Json) -> CheckoutState:
    return CheckoutState(
        status=CheckoutStatus(row["status"]),
        # The captured currency is a field of its own: it need not be the one that was asked for.
        captured=_money(row["captured"], row["captured_currency"]),
        authorized=_money(row["authorized"], row["currency"]),
        method=_text(row["method"], max_length=40),
        code=_text(row["code"], max_length=60),
        message=_text(row["message"], max_length=300),
        refunds=tuple(_refund(refund) for refund in row["refunds"]),
        fee=_signed_money(row["fee"], row["fee_currency"]),
        disputes=tuple(_dispute(dispute) for dispute in row["disputes"]),
        settles_by=_moment(row["settles_by"]),
    )


def _payout(row: Json) -> Payout:
    def money(amount_minor: object) -> Money:
        if type(amount_minor) is not int or abs(amount_minor) > MAX_AMOUNT_MINOR:
            raise ValueError(f"{amount_minor!r} is not an amount")
        return Money(amount_minor, row["currency"])

    items = tuple(
        PayoutItem(
            ref=_text(item["id"]),
            kind=PayoutItemKind(item["kind"]),
            amount=money(item["amount"]),
            fee=money(item["fee"]),
            net=money(item["net"]),
            checkout_ref=_text(item["checkout"]),
            source_ref=_text(item["source"]),
        )
        for item in row["items"]
    )
    arrives_on = date.fromisoformat(row["arrives_on"])
    return Payout(_text(row["id"]), PayoutStatus(row["status"]), money(row["amount"]), arrives_on, items)


def _money(amount_minor: int | None, currency: str) -> Money | None:
    if amount_minor is not None and amount_minor < 0:
        raise ValueError(f"{amount_minor} is not an amount")
    return _signed_money(amount_minor, currency)


def _signed_money(amount_minor: int | None, currency: str) -> Money | None:
    """Returns an amount that may be negative, as a fee that is given back."""
    if amount_minor is None:
        return None
    if not -MAX_AMOUNT_MINOR <= amount_minor <= MAX_AMOUNT_MINOR:
        raise ValueError(f"{amount_minor} is not an amount")
    return Money(amount_minor, currency)


def _moment(value: str | None) -> datetime | None:
    moment = datetime.fromisoformat(value) if value else None
    if moment is not None and moment.tzinfo is None:
        raise ValueError(f"{value} has no time zone")
    return moment


def _text(value: object, *, max_length: int = 200) -> str:
    """Returns text that fits into a column of any database, cut at `max_length`; raises TypeError for anything else."""
    # PostgreSQL stores no NUL, and one in a gateway's text must not undo the booking of money.
    if not isinstance(value, str) or "\0" in value:
        raise TypeError(f"{value!r} is not text")
    return value[:max_length]


def _refund(row: Json) -> Refund:
    amount = _money(row["amount"], row["currency"])
    if amount is None:
        raise ValueError("a refund without an amount")
    return Refund(
        ref=_text(row["id"]),
        status=RefundStatus(row["status"]),
        amount=amount,
        reference=_text(row["reference"]),
        fee=_signed_money(row["fee"], row["fee_currency"]),
    )


def _dispute(row: Json) -> Dispute:
    amount = _money(row["amount"], row["currency"])
    due_at = datetime.fromisoformat(row["evidence_due_at"]) if row["evidence_due_at"] else None
    if not amount or (due_at and due_at.tzinfo is None):
        raise ValueError("a dispute without an amount, or a time without its zone")
    return Dispute(
        ref=_text(row["id"]),
        status=DisputeStatus(row["status"]),
        amount=amount,
        reason=_text(row["reason"], max_length=40),
        evidence_due_at=due_at,
        fee=_money(row["fee"], row["fee_currency"]) or None,
    )
