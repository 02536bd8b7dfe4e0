"""Callbacks of Stripe: whether one is signed, and what it names; nothing in it is believed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import stripe

from partway.lib.untrusted_json import read_json

from ..protocol import BadCallback, VerifiedCallback
from .reading import expanded, id_of, moment, text

# Seconds between Stripe's signing and our reading, in both directions: clocks differ.
TOLERANCE = 300


class Event(NamedTuple):
    """A verified event: the account that it is about, where Stripe names one, whether it is live, and what it names."""

    sender: str
    is_live: bool
    callback: VerifiedCallback


def read(
    body: bytes,
    headers: Mapping[str, str],
    secrets: Sequence[str],
    *,
    live: bool,
    account: str,
    now: datetime,
) -> VerifiedCallback:
    """Verifies the signature over the raw `body` and returns what it names; raises BadCallback.

    `live` and `account` are those of our credentials; Stripe names the account only where it sends for several.
    """
    event = read_event(body, headers, secrets, now)
    if event.is_live is not live:
        raise BadCallback("a callback of the test mode for a live account, or the other way round")
    if event.sender and account and event.sender != account:
        raise BadCallback("a callback of another account")
    return event.callback


def read_event(body: bytes, headers: Mapping[str, str], secrets: Sequence[str], now: datetime) -> Event:
    """Verifies the signature over the raw `body` and returns the event; raises BadCallback.

    Any of `secrets` may have signed it, while one replaces another. A snapshot carries the object, a thin payload its
    id.
    """
    try:
        _verify(body, headers, secrets, now)
        event = expanded(read_json(body))
        if event["object"] == "v2.core.event":
            kind = text(event["type"], max_length=60).removeprefix("v1.")
            about, sender = expanded(event["related_object"]), event.get("context")
            at: datetime | None = datetime.fromisoformat(event["created"])
        else:
            kind, about = text(event["type"], max_length=60), expanded(event["data"]["object"])
            at, sender = moment(event["created"]), event.get("account")
        if at is None or at.tzinfo is None:
            raise BadCallback("a callback without a time")
        if type(event["livemode"]) is not bool:
            raise BadCallback("a callback of no mode")
        named = VerifiedCallback(event_id=text(event["id"]), kind=kind, at=at, **_named(kind, about))
        return Event(text(sender or ""), event["livemode"], named)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise BadCallback(f"not a callback of this account: {error}") from error


def signing_secrets(credentials: Mapping[str, str], at: datetime) -> list[str]:
    """Returns the secrets by which a callback may be signed at this time: while one is replaced, the old one too."""
    secrets = [credentials.get("signing_secret", "")]
    until = credentials.get("previous_until", "")
    if until and at < datetime.fromisoformat(until):
        secrets.append(credentials["previous_signing_secret"])
    return [secret for secret in secrets if secret]


def _verify(body: bytes, headers: Mapping[str, str], secrets: Sequence[str], now: datetime) -> None:
    lower_case = {name.lower(): value for name, value in headers.items()}
    signature = lower_case.get("stripe-signature", "")
    valid = 0
    for secret in secrets:
        try:
            stripe.WebhookSignature.verify_header(body, signature, secret)
            valid += 1
        except stripe.SignatureVerificationError:
            continue
    if not valid:
        raise BadCallback("not signed by this account")
    # The SDK refuses only what is too old, by a clock of its own.
    signed = [part.partition("=")[2] for part in signature.split(",") if part.startswith("t=")]
    if abs(int(signed[0]) - now.timestamp()) > TOLERANCE:
        raise BadCallback("signed at another time")


def _named(kind: str, about: Mapping[str, Any]) -> dict[str, str]:
    """Returns the arguments of VerifiedCallback that say what an event is about."""
    named = id_of(about)
    if kind.startswith("payout."):
        return {"checkout_ref": "", "payout_ref": named}
    if kind.startswith("account."):
        return {"checkout_ref": ""}
    if kind.startswith("checkout.session."):
        return {"checkout_ref": named, "object_ref": named}
    # Its intent, where the snapshot says it: one call less when the session is asked for.
    return {"checkout_ref": "", "object_ref": id_of(about.get("payment_intent")) or named}
