"""Runs a payment in a real account in test mode, to see that Stripe still does what the adapter expects of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from partway.lib.ids import new_id
from partway.lib.money import Money

from ..protocol import CheckoutRequest, CheckoutStatus, CloseOutcome, OutcomeUnknown
from .adapter import StripeGateway
from .client import calling, client_for

_RETURN_URL = "https://partway.example/"
_AMOUNT = Money(12_50, "USD")
# Events follow what they report within seconds.
_EVENTS_WITHIN_SECONDS, _PAUSE = 20, 0.5


def run(base_url: str, api_key: str) -> Iterator[str]:
    """Yields a line for each step that went as expected; raises Refused, or OutcomeUnknown where something else came.

    The page of a session cannot be paid without a browser, so the session is opened, read and closed, and the payment
    is made by an intent and one of Stripe's test methods. No money moves, and nothing of ours is in its metadata.
    """
    began, key = datetime.now(UTC), new_id("try")
    gateway = StripeGateway(base_url, {"api_key": api_key})
    report = gateway.check(_RETURN_URL, began)
    about = [finding.code for finding in report.findings if finding.level == "wrong"]
    # There is no endpoint of callbacks for a trial.
    if wrong := [code for code in about if not code.startswith("callbacks")]:
        raise OutcomeUnknown(f"the check found {', '.join(wrong)}")
    yield f"account {report.account_ref} ({report.account_name}) was checked"

    request = CheckoutRequest(
        key=f"{key}:start",
        amount=_AMOUNT,
        description="Partway: a trial in test mode",
        reference=key,
        return_url=_RETURN_URL,
        callback_url=_RETURN_URL,
        expires_at=began + timedelta(minutes=31),
        methods=("card",),
    )
    checkout = gateway.start(request)
    _expect("the session", gateway.start(request).ref, checkout.ref)
    _expect("the session", gateway.fetch(checkout.ref).status, CheckoutStatus.OPEN)
    yield f"session {checkout.ref} was opened once under its key, and read"
    _expect("closing", gateway.close(checkout.ref, f"{key}:close"), CloseOutcome.CLOSED)
    _expect("the session", gateway.fetch(checkout.ref).status, CheckoutStatus.CLOSED)
    yield "the session was closed"
    yield from _pay(base_url, api_key, key, began)


def _pay(base_url: str, api_key: str, key: str, began: datetime) -> Iterator[str]:
    api = client_for(base_url, api_key)
    params: Any = {
        "amount": _AMOUNT.amount_minor,
        "currency": _AMOUNT.currency.lower(),
        "capture_method": "manual",
        "payment_method": "pm_card_visa",
        "confirm": True,
        "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
        "description": "Partway: a trial in test mode",
    }

    def options(act: str) -> Any:
        return {"idempotency_key": f"{key}:{act}"}

    with calling():
        intent = api.v1.payment_intents.create(params, options("pay")).to_dict()
        _expect("the intent", intent["status"], "requires_capture")
        yield f"intent {intent['id']} was authorized with a test card"
        captured = api.v1.payment_intents.capture(intent["id"], {}, options("capture")).to_dict()
        _expect("the intent", captured["status"], "succeeded")
        yield "it was captured"
        refund = api.v1.refunds.create({"payment_intent": intent["id"]}, options("refund")).to_dict()
        if refund["status"] not in ("succeeded", "pending"):
            raise OutcomeUnknown(f"the refund is {refund['status']}")
        yield f"refund {refund['id']} was made"
        wanted = {"payment_intent.amount_capturable_updated", "payment_intent.succeeded", "charge.refunded"}
        ends_at = time.monotonic() + _EVENTS_WITHIN_SECONDS
        while wanted and time.monotonic() < ends_at:
            recent: Any = {
                "created": {"gte": int(began.timestamp()) - 60},
                "types": sorted(wanted),
                "limit": 100,
            }
            for event in api.v1.events.list(recent).data:
                about = event.to_dict()["data"]["object"]
                if intent["id"] in (about["id"], about.get("payment_intent")):
                    wanted.discard(event.type)
            time.sleep(_PAUSE if wanted else 0)
    if wanted:
        raise OutcomeUnknown(f"no event {', '.join(sorted(wanted))}")
    yield "their events were listed"


def _expect(what: str, found: object, expected: object) -> None:
    if found != expected:
        raise OutcomeUnknown(f"{what} is {found}, and not {expected}")
