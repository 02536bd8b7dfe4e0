"""One harness for each gateway: how a test acts as its customer and its staff, and injects faults."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, Protocol

from partway.gateways.protocol import Checkout, CheckoutRequest, Gateway, Refund
from partway.gateways.registry import open_gateway
from partway.gateways.sandbox.adapter import create_account
from partway.lib.money import Money
from tests.support.sandbox_server import CallbackReceiver, ReceivedCallback, SandboxServer, sign_callback

# The port of the discard service, on which nothing listens.
UNREACHABLE_URL = "http://127.0.0.1:9"

_numbers = count(1)


class GatewayHarness(Protocol):
    """The gateway and all that the contract suite needs to drive it."""

    gateway: Gateway
    wrong_credentials: Gateway  # with credentials of no account
    unreachable: Gateway  # at an address on which nothing listens
    callback_receiver: CallbackReceiver

    def another(self) -> GatewayHarness: ...
    def checkout_request(self, **changes: Any) -> CheckoutRequest: ...
    def pay(self, checkout: Checkout, how: str = "good") -> None: ...
    def settle_bank_debit(self, checkout: Checkout, outcome: str) -> None: ...
    def settle_refund(self, refund: Refund, outcome: str) -> None: ...
    def dispute(self, checkout: Checkout, amount_minor: int, **details: object) -> str: ...
    def decide_dispute(self, ref: str, outcome: str) -> None: ...
    def pay_out(self) -> list[str]: ...
    def settle_payout(self, ref: str, outcome: str) -> None: ...
    def inject_fault(self, kind: str, **details: object) -> None: ...
    def sign_callback(self, body: bytes, at: datetime) -> ReceivedCallback: ...
    def captures(self, checkout: Checkout) -> list[int]: ...


class SandboxHarness:
    """Drives the sandbox by its test cards, its API and its faults."""

    PAYMENT_FORMS = {
        "good": {"number": "4242424242424242"},
        "declined": {"number": "4000000000000002"},
        "insufficient_funds": {"number": "4000000000009995"},
        "lapsing": {"number": "4000000000000341"},
        "slow_refunds": {"number": "4000000000007726"},
        "failing_refunds": {"number": "4000000000003055"},
        "returned_refunds": {"number": "4000000000005126"},
        "disputed": {"number": "4000000000000259"},
        "partly_disputed": {"number": "4000000000001976"},
        "dispute_lost": {"number": "4000000000002685"},
        "dispute_won": {"number": "4000000000005423"},
        "debit": {"method": "bank_debit", "account": "000123456789"},
        "bad_debit": {"method": "bank_debit", "account": "000111111116"},
        "returned_debit": {"method": "bank_debit", "account": "000666666661"},
    }

    def __init__(self, sandbox_server: SandboxServer, callback_receiver: CallbackReceiver) -> None:
        self.sandbox_server = sandbox_server
        self.callback_receiver = callback_receiver
        self.credentials = create_account(sandbox_server.url, "Acme", callback_receiver.url)
        self.gateway = self._open(sandbox_server.url)
        self.wrong_credentials = self._open(sandbox_server.url, api_key="sk_sandbox_wrong")
        self.unreachable = self._open(UNREACHABLE_URL)

    def _open(self, url: str, **changes: str) -> Gateway:
        return open_gateway("sandbox", {**self.credentials, **changes}, urls={"sandbox": url})

    def another(self) -> GatewayHarness:
        return SandboxHarness(self.sandbox_server, self.callback_receiver)

    def checkout_request(self, **changes: Any) -> CheckoutRequest:
        request = CheckoutRequest(
            key=f"request-{next(_numbers)}",
            amount=Money(12_500, "USD"),
            description="Invoice INV-0042, first stage",
            reference="pay_1",
            return_url="http://merchant.test/back",
            callback_url=self.callback_receiver.url,
            expires_at=datetime.now(UTC) + timedelta(minutes=35),
        )
        return replace(request, **changes)

    def pay(self, checkout: Checkout, how: str = "good") -> None:
        self.sandbox_server.submit_form(f"{checkout.url}/pay", **self.PAYMENT_FORMS[how])

    def settle_bank_debit(self, checkout: Checkout, outcome: str) -> None:
        self._call_api("POST", f"/v1/checkouts/{checkout.ref}/settle", outcome=outcome)

    def settle_refund(self, refund: Refund, outcome: str) -> None:
        self._call_api("POST", f"/v1/refunds/{refund.ref}/settle", outcome=outcome)

    def dispute(self, checkout: Checkout, amount_minor: int, **details: object) -> str:
        """Opens a dispute as the customer's bank does; returns its ref."""
        path = f"/v1/checkouts/{checkout.ref}/disputes"
        return str(self._call_api("POST", path, amount=amount_minor, **details)["id"])

    def decide_dispute(self, ref: str, outcome: str) -> None:
        self._call_api("POST", f"/v1/disputes/{ref}/decide", outcome=outcome)

    def pay_out(self) -> list[str]:
        """Pays out what is in the balance; returns the refs of the payouts, one for each currency."""
        return [payout["id"] for payout in self._call_api("POST", "/v1/payouts")["data"]]

    def settle_payout(self, ref: str, outcome: str) -> None:
        self._call_api("POST", f"/v1/payouts/{ref}/settle", outcome=outcome)

    def inject_fault(self, kind: str, **details: object) -> None:
        self._call_api("POST", "/v1/faults", kind=kind, **details)

    def sign_callback(self, body: bytes, at: datetime) -> ReceivedCallback:
        return sign_callback(body, at, self.credentials["signing_secret"])

    def captures(self, checkout: Checkout) -> list[int]:
        lines = self._call_api("GET", "/v1/ledger")["data"]
        [line] = [line for line in lines if line["id"] == checkout.ref]
        return [line["captured"]] * line["captures"]

    def _call_api(self, method: str, path: str, **body: object) -> dict[str, Any]:
        response = self.sandbox_server.call_api(method, path, self.credentials["api_key"], **body)
        assert response.is_success, response.text
        return dict(response.json())
