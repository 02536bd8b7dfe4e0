"""The adapter of Stripe: translates between its API, which the official SDK calls, and the gateway protocol."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import stripe

from partway.lib.clock import now
from partway.lib.money import Money

from ..connection_report import ConnectionReport
from ..protocol import (
    Checkout,
    CheckoutRequest,
    CheckoutState,
    CheckoutStatus,
    CheckoutSummary,
    CloseOutcome,
    FoundCheckout,
    OutcomeUnknown,
    Payout,
    Refund,
    Refused,
    VerifiedCallback,
)
from . import amounts, endpoint, listing, payouts, states, webhooks
from .capabilities import METHODS, StripeCapabilities
from .client import calling, client_for
from .connection import is_test_account
from .errors import RepeatedAnswer
from .reading import Json, expanded, id_of, text
from .states import PAYMENT_KEY, REFUND_KEY

_LIVE_URL = "https://api.stripe.com"
_LIVE_CHECKOUT_ORIGIN = "https://checkout.stripe.com"

# A session lives for at least thirty minutes after its creation *at Stripe*; clocks differ, and a call takes time.
_GRACE_PERIOD = timedelta(minutes=4)

_CLOSE_OUTCOMES = {
    CheckoutStatus.CLOSED: CloseOutcome.CLOSED,
    CheckoutStatus.FAILED: CloseOutcome.CLOSED,
    CheckoutStatus.PROCESSING: CloseOutcome.TOO_LATE,
    CheckoutStatus.CAPTURED: CloseOutcome.TOO_LATE,
}
# Read, act, read again: more turns than this mean that Stripe contradicts itself.
_MAX_TURNS = 4

# Languages of Checkout besides the two letters of a language alone.
_LANGUAGES = (
    "bg cs da de el en es et fi fil fr hr hu id it ja ko lt lv ms mt nb nl pl pt ro ru sk sl sv th tr vi zh"
)
_REGIONS = frozenset({"en-GB", "es-419", "fr-CA", "pt-BR", "zh-HK", "zh-TW"})
_NOT_ON_STATEMENTS = re.compile(r"[^A-Za-z0-9 .,#/-]")
# A statement has 22 characters, of which the account's own prefix takes at most 10 and Stripe two.
_MAX_STATEMENT = 10


class StripeGateway(StripeCapabilities):
    """One account at Stripe; `credentials` has `api_key`, `signing_secret` and more, see `connection`."""

    def __init__(self, base_url: str, credentials: Mapping[str, str]) -> None:
        self._base_url = base_url.rstrip("/")
        self._credentials = credentials
        self.checkout_origin = (
            _LIVE_CHECKOUT_ORIGIN
            if self._base_url == _LIVE_URL
            else "{0.scheme}://{0.netloc}".format(urlsplit(base_url))
        )

    @property
    def _api(self) -> stripe.StripeClient:
        return client_for(self._base_url, self._credentials["api_key"])

    def check(self, callback_url: str, now: datetime) -> ConnectionReport:
        """Returns the report on the account of the key, and on the endpoint for `callback_url`."""
        return endpoint.check(self._base_url, self._credentials, callback_url, now)

    def start(self, request: CheckoutRequest) -> Checkout:
        """Opens a session for exactly this amount, or returns the one that was opened under this reference."""
        # Stripe keeps an idempotency key for a day, with a 500 too, and then forgets it. So a start is repeated only
        # while its session could still be paid; later what became of it is looked for (P4, P5).
        if now() > request.expires_at + _GRACE_PERIOD:
            return self._find_started(request)
        params = _session_params(request)
        for key in (request.key, f"{request.key}:2", f"{request.key}:3"):
            try:
                with calling():
                    options: Any = {"idempotency_key": key}
                    return _checkout(self._api.v1.checkout.sessions.create(params, options).to_dict())
            except RepeatedAnswer:
                # The earlier call is over, and Stripe would repeat its 500 for a day. If it has made a session after
                # all, that is ours; else one that appears later cannot be paid, for its address is in no hands.
                with suppress(Refused):
                    return self._find_started(request)
            except Refused as refusal:
                # Too old to be opened, but an earlier call of it may have been: its key would have brought that back.
                if refusal.code == "checkout_expired":
                    return self._find_started(request)
                # Stripe judges an address or a number more strictly than we do. No payment may fail for what only
                # makes it easier; the same key with other parameters is refused, so they go under the next one.
                if refusal.code != "invalid_detail":
                    raise
                params["payment_intent_data"].pop("statement_descriptor_suffix", None)
                params.pop("customer_email", None)
                params["locale"] = "auto"
        raise OutcomeUnknown("Stripe repeats an error of its own")

    def _find_started(self, request: CheckoutRequest) -> Checkout:
        """Returns the session with the request's reference; raises Refused where none was opened.

        The list, unlike the search, has a session as soon as it exists.
        """
        began, ended = request.expires_at - timedelta(hours=1), request.expires_at + timedelta(hours=1)
        for session in listing.sessions_created_since(self._api, began, until=ended):
            if states.reference_of(session) == request.reference:
                return _checkout(session)
        raise Refused("checkout_expired", "The checkout was not opened in time.")

    def fetch(self, ref: str) -> CheckoutState:
        """Returns the current state of a session, by its intent."""
        return self._state(self._session(ref))

    def capture(self, ref: str, amount: Money, key: str) -> CheckoutState:
        """Captures the intent of a session, at most once and at most that much."""
        units = amounts.part_to_stripe(amount)
        session = self._session(ref)
        intent = _intent_of(session, "not_authorized")
        if intent["currency"].upper() != amount.currency:
            raise Refused("currency_mismatch", f"The authorization is in {intent['currency'].upper()}.")
        expand = [path.partition(".")[2] for path in listing.EXPAND]
        with calling():
            captured = self._api.v1.payment_intents.capture(
                intent["id"],
                {"amount_to_capture": units, "expand": expand},
                {"idempotency_key": key},
            ).to_dict()
        return self._state({**session, "payment_intent": captured})

    def close(self, ref: str, key: str) -> CloseOutcome:
        """Expires the session while it is open, and cancels its intent while that can be captured."""
        # The worker closes it again later; an act that canceled the payment has committed and has nothing to undo.
        try:
            return self._close(ref, key)
        except OutcomeUnknown:
            return CloseOutcome.UNKNOWN

    def _close(self, ref: str, key: str) -> CloseOutcome:
        for turn in range(_MAX_TURNS):
            session = self._session(ref)
            outcome = _CLOSE_OUTCOMES.get(self._state(session).status)
            if outcome is not None:
                return outcome
            # A turn of its own: Stripe would repeat its answer to an earlier one, which may be a refusal.
            options: Any = {"idempotency_key": f"{key}:{turn}"}
            # The customer may pay, or Stripe may cancel, between the two calls. Then it refuses, and the next turn
            # reads what happened.
            try:
                with calling():
                    if session["status"] == "open":
                        self._api.v1.checkout.sessions.expire(ref, {}, options)
                    else:
                        self._api.v1.payment_intents.cancel(id_of(session["payment_intent"]), {}, options)
            except Refused as refusal:
                if refusal.code in ("unauthenticated", "permission_missing", "account_restricted"):
                    raise
        return CloseOutcome.UNKNOWN

    def refund(self, ref: str, amount: Money, key: str) -> Refund:
        """Sends back part or all of what was captured."""
        units = amounts.part_to_stripe(amount)
        session = self._session(ref)
        intent = _intent_of(session, "not_captured")
        if intent["status"] != "succeeded":
            raise Refused("not_captured", "Nothing was captured, so there is nothing to send back.")
        if intent["currency"].upper() != amount.currency:
            raise Refused("currency_mismatch", f"The payment was taken in {intent['currency'].upper()}.")
        metadata = {PAYMENT_KEY: states.reference_of(session), REFUND_KEY: key}
        with calling():
            made = self._api.v1.refunds.create(
                {
                    "payment_intent": intent["id"],
                    "amount": units,
                    "metadata": metadata,
                    "expand": ["balance_transaction", "failure_balance_transaction"],
                },
                {"idempotency_key": key},
            )
            return states.refund(made.to_dict())

    def read_callback(self, body: bytes, headers: Mapping[str, str]) -> VerifiedCallback:
        """Verifies the signature over the raw `body`; raises BadCallback."""
        credentials = self._credentials
        return webhooks.read(
            body,
            headers,
            webhooks.signing_secrets(credentials, now()),
            live=not is_test_account(credentials),
            account=credentials.get("account", ""),
            now=now(),
        )

    def find_checkout(self, object_ref: str) -> FoundCheckout | None:
        """Returns the session that an intent, a charge, a refund or a dispute belongs to, None for another's."""
        return listing.find_checkout(self._api, object_ref)

    def list_since(self, at: datetime) -> Iterator[CheckoutSummary]:
        """Yields our sessions that changed at or after `at`: older ones by their events, then the new ones."""
        new: set[str] = set()
        changed = list(listing.sessions_changed_since(self._api, at, now()))
        for session in listing.sessions_created_since(self._api, at):
            new.add(session["id"])
            yield self._summary(session)
        for ref in changed:
            if ref not in new:
                new.add(ref)
                yield self._summary(self._session(ref))

    def payouts_since(self, at: datetime) -> Iterator[Payout]:
        """Yields every payout that was created or ended at or after `at`, oldest first."""
        return payouts.payouts_since(self._api, at, now())

    def _session(self, ref: str) -> Json:
        with calling():
            expand: Any = {"expand": listing.EXPAND}
            return self._api.v1.checkout.sessions.retrieve(ref, expand).to_dict()

    def _summary(self, session: Json) -> CheckoutSummary:
        return CheckoutSummary(text(session["id"]), states.reference_of(session), self._state(session))

    def _state(self, session: Json) -> CheckoutState:
        """Returns the state of an expanded session; asks for refunds and disputes only where there are some."""
        refunds: list[Json] = []
        disputes: list[Json] = []
        with calling():
            intent = expanded(session["payment_intent"])
            charge = expanded(intent["latest_charge"]) if intent else {}
            about = {"payment_intent": intent.get("id")}
            if charge and charge["refunds"]["data"]:
                booked = ["data.balance_transaction", "data.failure_balance_transaction"]
                refunds = list(listing.rows(self._api.v1.refunds.list, {**about, "expand": booked}))
            if charge and charge["disputed"]:
                disputes = list(listing.rows(self._api.v1.disputes.list, about))
            return states.checkout_state(session, refunds, disputes)


def _checkout(session: Json) -> Checkout:
    """Returns a session as the customer needs it; one that has ended has no page any more."""
    return Checkout(text(session["id"]), text(session["url"] or "", max_length=2000))


def _intent_of(session: Json, code: str) -> Json:
    """Returns the intent of a session; raises Refused while the customer has not submitted the page."""
    intent = expanded(session["payment_intent"])
    if not intent:
        raise Refused(code, "The customer has not paid.")
    return intent


def _session_params(request: CheckoutRequest) -> Any:
    """Returns the parameters of a session; raises Refused for what Stripe documents not to take.

    They depend on nothing but the request: the same key with other parameters is refused.
    """
    units, currency = amounts.to_stripe(request.amount), request.amount.currency
    # Stripe offers those of them that are switched on in its dashboard; it refuses none of the others.
    allowed = request.methods or METHODS
    fitting = [name for name in allowed if name in METHODS and METHODS[name].takes(currency)]
    if not fitting:
        raise Refused("method_not_supported", f"None of the allowed payment methods takes {currency}.")
    metadata = {PAYMENT_KEY: request.reference}
    intent: dict[str, Any] = {"description": request.description, "metadata": metadata}
    options: dict[str, Any] = {
        name: {"capture_method": "manual"} for name in fitting if METHODS[name].authorizes
    }
    if "us_bank_account" in fitting:
        # By small deposits it would take days in which the session is over and nothing is moving.
        options["us_bank_account"] = {"verification_method": "instant"}
    statement = _NOT_ON_STATEMENTS.sub("", request.statement)
    if statement and "card" in fitting:
        # The end of a number tells it from others. Stripe wants a letter in each part of a statement.
        end = statement[-_MAX_STATEMENT:].strip()
        has_letter = any(letter.isalpha() for letter in end)
        intent["statement_descriptor_suffix"] = end if has_letter else f"NO {statement[3 - _MAX_STATEMENT :]}"
    params: dict[str, Any] = {
        "mode": "payment",
        "client_reference_id": request.reference,
        "metadata": metadata,
        "payment_intent_data": intent,
        "allowed_payment_method_types": fitting,
        "payment_method_options": options,
        # Stripe would show, and take, another currency to some customers; the invoice has one.
        "adaptive_pricing": {"enabled": False},
        "line_items": [
            {
                "quantity": 1,
                "price_data": {
                    "currency": currency.lower(),
                    "unit_amount": units,
                    "product_data": {"name": request.description[:250]},
                },
            }
        ],
        "success_url": request.return_url,
        "cancel_url": request.cancel_url or request.return_url,
        "expires_at": int((request.expires_at + _GRACE_PERIOD).timestamp()),
        "locale": _locale(request.locale),
    }
    if request.customer_email:
        params["customer_email"] = request.customer_email
    return params


def _locale(name: str) -> str:
    """Returns Checkout's name of a language of ours, as `pt_BR`; `auto` leaves it to the browser."""
    tag = name.replace("_", "-")
    if tag in _REGIONS:
        return tag
    language = tag.partition("-")[0]
    return language if language in _LANGUAGES.split() else "auto"
