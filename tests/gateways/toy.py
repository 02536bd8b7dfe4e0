"""A toy gateway as docs/recipes/add-a-gateway.md adds it: one folder's content in one file, without a network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from partway.gateways.definition import CredentialField, GatewayDefinition
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

GOOD_KEY = "toy_key_1"


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

    def check(self) -> None:
        if self._api_key != GOOD_KEY:
            raise Refused("unauthenticated", "No such key.")

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
