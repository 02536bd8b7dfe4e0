"""A toy gateway as docs/recipes/add-a-gateway.md adds it: one folder's content in one file, without a network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from partway.gateways.connection_report import ConnectionReport, Finding, FindingLevel
from partway.gateways.definition import CallbackSetup, CredentialField, GatewayDefinition
from partway.gateways.protocol import (
    BadCallback,
    Checkout,
    CheckoutRequest,
    CheckoutState,
    CheckoutStatus,
    CheckoutSummary,
    CloseOutcome,
    FoundCheckout,
    Payout,
    Refund,
    RefundStatus,
    Refused,
    VerifiedCallback,
)
from partway.lib.money import EXPONENTS, Money

GOOD_KEY, NEW_KEY = "toy_key_1", "toy_key_2"  # of one account
OTHER_KEY = "toy_key_of_another_account"
LACKING_KEY, BLIND_KEY = "toy_key_3", "toy_key_4"  # without a permission; that to read the account
_ACCOUNTS = {GOOD_KEY: "toy_1", NEW_KEY: "toy_1", LACKING_KEY: "toy_1", OTHER_KEY: "toy_other", BLIND_KEY: ""}


class ToyCapabilities:
    methods = ("card",)
    currencies = frozenset(EXPONENTS)

    def authorizes(self, method: str) -> bool:
        return True

    def success_is_final(self, method: str) -> bool:
        return True

    def minimum(self, currency: str) -> int:
        return 1

    def step(self, currency: str) -> int:
        return 1


class ToyGateway(ToyCapabilities):
    """Authorizes every checkout as soon as it is fetched; keeps no state."""

    checkout_origin = "https://toy.example"

    def __init__(self, base_url: str, credentials: Mapping[str, str]) -> None:
        self._api_key = credentials["api_key"]
        self._signing_secret = credentials.get("signing_secret", "none is needed")

    def check(self, callback_url: str, now: datetime) -> ConnectionReport:
        if self._api_key not in _ACCOUNTS:
            raise Refused("unauthenticated", "No such key.")
        is_wrong = self._signing_secret == "" or self._api_key in (LACKING_KEY, BLIND_KEY)
        level = FindingLevel.WRONG if is_wrong else FindingLevel.OK
        ref = _ACCOUNTS[self._api_key]
        return ConnectionReport(ref, "Toy shop", (Finding(level, "callbacks_secret", {"url": callback_url}),))

    def start(self, request: CheckoutRequest) -> Checkout:
        return Checkout(f"toy_{request.amount.amount_minor}_{request.amount.currency}", self.checkout_origin)

    def fetch(self, ref: str) -> CheckoutState:
        return self._state(CheckoutStatus.AUTHORIZED, ref)

    def capture(self, ref: str, amount: Money, key: str) -> CheckoutState:
        return self._state(CheckoutStatus.CAPTURED, ref)

    def close(self, ref: str, key: str) -> CloseOutcome:
        return CloseOutcome.CLOSED

    def refund(self, ref: str, amount: Money, key: str) -> Refund:
        return Refund(key, RefundStatus.SUCCEEDED, amount, key)

    def read_callback(self, body: bytes, headers: Mapping[str, str]) -> VerifiedCallback:
        raise BadCallback("the toy sends none")

    def find_checkout(self, object_ref: str) -> FoundCheckout | None:
        return None

    def list_since(self, at: datetime) -> Iterator[CheckoutSummary]:
        return iter(())

    def payouts_since(self, at: datetime) -> Iterator[Payout]:
        return iter(())

    def _state(self, status: CheckoutStatus, ref: str) -> CheckoutState:
        _, amount_minor, currency = ref.split("_")
        amount = Money(int(amount_minor), currency)
        captured = amount if status == CheckoutStatus.CAPTURED else None
        return CheckoutState(status, captured, amount, "card", "", "")


TOY = GatewayDefinition(
    name="Toypay",
    phrase="Toypay",
    description="Toypay takes cards.",
    open=ToyGateway,
    fields=(CredentialField("api_key", "API key", help="Toypay shows it under Developers."),),
)


def _create(url: str, credentials: Mapping[str, str], callback_url: str, now: datetime) -> dict[str, str]:
    if credentials.get("may_create") == "no":
        raise Refused("permission_missing", "This key may not.")
    return {**credentials, "signing_secret": f"toy_secret_{now.isoformat()}"}


def _with_secret(credentials: Mapping[str, str], secret: str, now: datetime) -> dict[str, str]:
    if not secret.startswith("toy_secret_"):
        raise ValueError("not a secret")
    return {**credentials, "signing_secret": secret}


# The same, where the gateway is told to where it sends its callbacks.
TOY_WITH_CALLBACKS = replace(
    TOY,
    callback_setup=CallbackSetup(
        create=_create,
        with_secret=_with_secret,
        field=CredentialField("secret", "Signing secret"),
        steps=("Open Developers.",),
        events=("payment.done",),
    ),
)
