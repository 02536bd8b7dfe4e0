"""One stage per gateway: how a test plays the customer, the gateway's own staff and bad luck there."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, Protocol

from partway.gateways.protocol import Checkout, Gateway, Order, Refund
from partway.gateways.registry import open_gateway
from partway.gateways.sandbox import provision
from partway.lib.money import Money
from tests.gateways.company import Company, Ear, Heard, signed

# The port of the discard service, which no machine runs.
NOBODY = "http://127.0.0.1:9"

_numbers = count(1)


class Stage(Protocol):
    """What the contract suite needs besides the gateway itself."""

    gateway: Gateway
    stranger: Gateway  # with credentials that open nothing
    unreachable: Gateway  # at an address where nobody listens
    ear: Ear

    def another(self) -> Stage: ...
    def order(self, **changes: Any) -> Order: ...
    def pay(self, checkout: Checkout, how: str = "good") -> None: ...
    def settle(self, checkout: Checkout, outcome: str) -> None: ...
    def settle_refund(self, refund: Refund, outcome: str) -> None: ...
    def go_wrong(self, kind: str, **details: object) -> None: ...
    def signed(self, body: bytes, at: datetime) -> Heard: ...
    def captures(self, checkout: Checkout) -> list[int]: ...


class SandboxStage:
    """The pretend company: its test cards are the customer, its faults the bad luck."""

    FORMS = {
        "good": {"number": "4242424242424242"},
        "declined": {"number": "4000000000000002"},
        "insufficient_funds": {"number": "4000000000009995"},
        "lapsing": {"number": "4000000000000341"},
        "debit": {"method": "bank_debit", "account": "000123456789"},
        "bad_debit": {"method": "bank_debit", "account": "000111111116"},
    }

    def __init__(self, company: Company, ear: Ear) -> None:
        self.company = company
        self.ear = ear
        self.credentials = provision(company.url, "Acme", ear.url)
        self.gateway = self._open(company.url)
        self.stranger = self._open(company.url, api_key="sk_sandbox_wrong")
        self.unreachable = self._open(NOBODY)

    def _open(self, url: str, **changes: str) -> Gateway:
        return open_gateway("sandbox", {**self.credentials, **changes}, endpoints={"sandbox": url})

    def another(self) -> Stage:
        return SandboxStage(self.company, self.ear)

    def order(self, **changes: Any) -> Order:
        order = Order(
            key=f"order-{next(_numbers)}",
            amount=Money(12_500, "USD"),
            description="Invoice INV-0042, first stage",
            reference="pay_1",
            return_url="http://merchant.test/back",
            callback_url=self.ear.url,
            expires_at=datetime.now(UTC) + timedelta(minutes=35),
        )
        return replace(order, **changes)

    def pay(self, checkout: Checkout, how: str = "good") -> None:
        self.company.type_in(f"{checkout.url}/pay", **self.FORMS[how])

    def settle(self, checkout: Checkout, outcome: str) -> None:
        self._ask("POST", f"/v1/checkouts/{checkout.ref}/settle", outcome=outcome)

    def settle_refund(self, refund: Refund, outcome: str) -> None:
        self._ask("POST", f"/v1/refunds/{refund.ref}/settle", outcome=outcome)

    def go_wrong(self, kind: str, **details: object) -> None:
        self._ask("POST", "/v1/faults", kind=kind, **details)

    def signed(self, body: bytes, at: datetime) -> Heard:
        return signed(body, at, self.credentials["signing_secret"])

    def captures(self, checkout: Checkout) -> list[int]:
        lines = self._ask("GET", "/v1/ledger")["data"]
        [line] = [line for line in lines if line["id"] == checkout.ref]
        return [line["captured"]] * line["captures"]

    def _ask(self, method: str, path: str, **body: object) -> dict[str, Any]:
        answer = self.company.ask(method, path, self.credentials["api_key"], **body)
        assert answer.is_success, answer.text
        return dict(answer.json())
