"""The adapter of Stripe: translates between its API, which the official SDK calls, and the gateway protocol."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime
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
from .capabilities import StripeCapabilities
from .client import calling, client_for, within
from .connection import is_connected, is_test_account
from .errors import RepeatedAnswer
from .reading import Json, Unreadable, expanded, id_of, text
from .session_params import GRACE_PERIOD, session_params
from .states import PAYMENT_KEY, REFUND_KEY

_LIVE_URL = "https://api.stripe.com"
_LIVE_CHECKOUT_ORIGIN = "https://checkout.stripe.com"


_CLOSE_OUTCOMES = {
    CheckoutStatus.CLOSED: CloseOutcome.CLOSED,
    CheckoutStatus.FAILED: CloseOutcome.CLOSED,
    CheckoutStatus.PROCESSING: CloseOutcome.TOO_LATE,
    CheckoutStatus.CAPTURED: CloseOutcome.TOO_LATE,
}
# A key or an account of which Stripe refuses any call.
_REFUSED_TO_ALL = ("unauthenticated", "permission_missing", "account_restricted")
# All calls of one act, for a person may wait for it and a proxy gives up after 60 seconds. Closing follows a decision
# that is committed, as a cancel by a member: after less, the worker goes on with it.
_ACT_SECONDS, _CLOSE_SECONDS = 40, 8
# Read, act, read again: more turns than this mean that Stripe contradicts itself.
_MAX_TURNS = 4
# Of a refund, what it and its failure moved in the balance of the account.
_BOOKED = ["balance_transaction", "failure_balance_transaction"]


class StripeGateway(StripeCapabilities):
    """One account at Stripe; `credentials` has `api_key`, `signing_secret` and more, see `connection`.

    `account`, where it is there, is Stripe's id of the account, with which callbacks are compared.
    """

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
        credentials = self._credentials
        return client_for(self._base_url, credentials["api_key"], credentials.get("connected_account", ""))

    @within(_ACT_SECONDS)
    def check(self, callback_url: str, now: datetime) -> ConnectionReport:
        """Returns the report on the account of the key, and on the endpoint for `callback_url`."""
        if is_connected(self._credentials):
            return endpoint.check_connected(self._base_url, self._credentials, callback_url, now)
        return endpoint.check(self._base_url, self._credentials, callback_url, now)

    @within(_ACT_SECONDS)
    def start(self, request: CheckoutRequest) -> Checkout:
        """Opens a session for exactly this amount, or returns the one that was opened under this reference."""
        # Stripe keeps an idempotency key for a day, with a 500 too, and then forgets it. So a start is repeated only
        # while its session could still be paid; later what became of it is looked for (P4, P5).
        if now() > request.expires_at + GRACE_PERIOD:
            return self._find_started(request)
        params = session_params(request)
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
                # Too old to be opened, or written otherwise by an earlier version: an earlier call may have opened it,
                # and Stripe does not say so.
                if refusal.code in ("checkout_expired", "idempotency_key_reused"):
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
        """Returns the session of this reference and amount; raises Refused where none was opened.

        The list, unlike the search, has a session as soon as it exists. Without all of it the outcome is unknown.
        """
        ends_at = request.expires_at + GRACE_PERIOD
        try:
            session = listing.find_session(self._api, request.reference, expires_at=ends_at)
        except Refused as refusal:
            # It is the list that Stripe refuses, as after a key was revoked; that says nothing of the session.
            raise OutcomeUnknown(f"the list of sessions was refused: {refusal.message}") from refusal
        if session is None:
            raise Refused("checkout_expired", "The checkout was not opened in time.")
        if amounts.from_stripe(session["amount_total"], session["currency"]) != request.amount:
            raise Refused(
                "idempotency_key_reused", "A checkout of another amount was opened under this reference."
            )
        return _checkout(session)

    @within(_ACT_SECONDS)
    def fetch(self, ref: str) -> CheckoutState:
        """Returns the current state of a session, by its intent."""
        return self._state(self._session(ref))

    @within(_ACT_SECONDS)
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
        with within(_CLOSE_SECONDS), suppress(OutcomeUnknown):
            for turn in range(_MAX_TURNS):
                session = self._session(ref)
                outcome = _CLOSE_OUTCOMES.get(self._state(session).status)
                if outcome is not None:
                    return outcome
                # By turn: under one key Stripe would repeat its answer to an earlier one, which may be a refusal.
                options: Any = {"idempotency_key": f"{key}:{turn}"}
                # The customer may pay, or Stripe may cancel, between the two calls. Then it refuses, and the next
                # turn reads what happened.
                try:
                    with calling():
                        if session["status"] == "open":
                            self._api.v1.checkout.sessions.expire(ref, {}, options)
                        else:
                            self._api.v1.payment_intents.cancel(id_of(session["payment_intent"]), {}, options)
                except Refused as refusal:
                    if refusal.code in _REFUSED_TO_ALL:
                        raise
        return CloseOutcome.UNKNOWN

    @within(_ACT_SECONDS)
    def refund(self, ref: str, amount: Money, key: str) -> Refund:
        """Sends back part or all of what was captured."""
        units = amounts.part_to_stripe(amount)
        session = self._session(ref)
        intent = _intent_of(session, "not_captured")
        if intent["status"] != "succeeded":
            raise Refused("not_captured", "Nothing was captured, so there is nothing to send back.")
        if intent["currency"].upper() != amount.currency:
            raise Refused("currency_mismatch", f"The payment was taken in {intent['currency'].upper()}.")
        params: Any = {
            "payment_intent": intent["id"],
            "amount": units,
            "metadata": {PAYMENT_KEY: states.reference_of(session), REFUND_KEY: key},
            "expand": _BOOKED,
        }
        for each in (key, f"{key}:2", f"{key}:3"):
            options: Any = {"idempotency_key": each}
            with suppress(RepeatedAnswer), calling():
                return states.refund(self._api.v1.refunds.create(params, options).to_dict())
            # The earlier call is over, and Stripe would repeat its 500 for a day. It may have made the refund after
            # all; else the next key cannot make a second one.
            with calling():
                for made in map(states.refund, self._refunds(intent)):
                    if made.reference == key:
                        return made
        raise OutcomeUnknown("Stripe repeats an error of its own")

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

    @within(_ACT_SECONDS)
    def find_checkout(self, object_ref: str) -> FoundCheckout | None:
        """Returns the session that an intent, a charge, a refund or a dispute belongs to, None for another's."""
        return listing.find_checkout(self._api, object_ref)

    def list_since(self, at: datetime) -> Iterator[CheckoutSummary]:
        """Yields our sessions that changed at or after `at`: the new ones, then older ones by their events.

        One that cannot be read does not keep the others from being yielded; it is raised at the end.
        """
        # Read first: what changes while the new ones are read is in the events of the next reading.
        changed = list(listing.sessions_changed_since(self._api, at, now()))
        new: set[str] = set()
        unreadable: Unreadable | None = None

        def sessions() -> Iterator[Json]:
            for session in listing.sessions_created_since(self._api, at):
                new.add(session["id"])
                yield session
            for ref in changed:
                if ref not in new:
                    new.add(ref)
                    yield self._session(ref)

        for session in sessions():
            try:
                state = self._state(session)
            except Unreadable as error:
                unreadable = error
                continue
            ours = states.reference_of(session), state, states.organization_of(session)
            yield CheckoutSummary(text(session["id"]), *ours)
        if unreadable is not None:
            raise unreadable

    def payouts_since(self, at: datetime) -> Iterator[Payout]:
        """Yields every payout that was created or ended at or after `at`, oldest first."""
        return payouts.payouts_since(self._api, at, now())

    def _session(self, ref: str) -> Json:
        with calling():
            expand: Any = {"expand": listing.EXPAND}
            return self._api.v1.checkout.sessions.retrieve(ref, expand).to_dict()

    def _refunds(self, intent: Json) -> list[Json]:
        """Returns all refunds of an intent, the newest first, with what they moved in the balance."""
        about = {"payment_intent": intent["id"], "expand": [f"data.{name}" for name in _BOOKED]}
        return list(listing.rows(self._api.v1.refunds.list, about, max_waits=0))

    def _state(self, session: Json) -> CheckoutState:
        """Returns the state of an expanded session; asks for refunds and disputes only where there are some."""
        refunds: list[Json] = []
        disputes: list[Json] = []
        with calling():
            intent = expanded(session["payment_intent"])
            charge = expanded(intent["latest_charge"]) if intent else {}
            if charge and charge["refunds"]["data"]:
                refunds = self._refunds(intent)
            if charge and charge["disputed"]:
                about = {"payment_intent": intent["id"]}
                disputes = list(listing.rows(self._api.v1.disputes.list, about, max_waits=0))
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
