"""One harness for each gateway: how a test acts as its customer and its staff, and injects faults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, Protocol

import stripe

from partway.gateways.protocol import Checkout, CheckoutRequest, Gateway, Refund
from partway.gateways.registry import open_gateway
from partway.gateways.sandbox.adapter import create_account
from partway.gateways.stripe import STRIPE
from partway.gateways.stripe.connection import EVENT_TYPES
from partway.lib.money import Money
from tests.gateways.stripe_server.client import StandIn
from tests.support.sandbox_server import (
    CallbackReceiver,
    ReceivedCallback,
    SandboxServer,
    sign_callback,
    wait_until,
)

# The port of the discard service, on which nothing listens.
UNREACHABLE_URL = "http://127.0.0.1:9"

_numbers = count(1)


class GatewayHarness(Protocol):
    """The gateway and all that the contract suite needs to drive it."""

    gateway: Gateway
    wrong_credentials: Gateway  # with credentials of no account
    unreachable: Gateway  # at an address on which nothing listens
    callback_receiver: CallbackReceiver
    # Of its callbacks: the type of each that the suite waits for, the headers of a signature, values that are none.
    CALLBACK_TYPES: Mapping[str, str]
    SIGNATURE_HEADERS: tuple[str, ...]
    WRONG_SIGNATURES: tuple[str, ...]

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
    def moment(self) -> datetime: ...
    def let_expire(self, checkout: Checkout) -> None: ...


def checkout_request(callback_receiver: CallbackReceiver, changes: Mapping[str, Any]) -> CheckoutRequest:
    """Returns a request of $125.00 under a key of its own, with these fields changed."""
    request = CheckoutRequest(
        key=f"request-{next(_numbers)}",
        amount=Money(12_500, "USD"),
        description="Invoice INV-0042, first stage",
        reference="pay_1",
        return_url="http://merchant.test/back",
        callback_url=callback_receiver.url,
        expires_at=datetime.now(UTC) + timedelta(minutes=35),
    )
    return replace(request, **changes)


def wait_for_callback(harness: GatewayHarness, kind: str) -> ReceivedCallback:
    """Returns the first callback of this kind, a key of CALLBACK_TYPES, once it has arrived."""
    wanted, received = harness.CALLBACK_TYPES[kind], harness.callback_receiver.received
    first: ReceivedCallback = wait_until(
        lambda: next((one for one in list(received) if one.event["type"] == wanted), None)
    )
    return first


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

    CALLBACK_TYPES = {
        "authorized": "checkout.authorized",
        "refund_failed": "checkout.refund_failed",
        "dispute_opened": "checkout.dispute_opened",
        "dispute_closed": "checkout.dispute_closed",
        "payout_paid": "payout.paid",
    }
    SIGNATURE_HEADERS = ("webhook-signature", "webhook-id", "webhook-timestamp")
    WRONG_SIGNATURES = ("", "v1", "v1,", "v1,!!", "v2,AAAA", "ünsigned", "v1,AAAA v1,BBBB")

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
        return checkout_request(self.callback_receiver, changes)

    def moment(self) -> datetime:
        """Returns a time after all changes so far and not after any later one."""
        return datetime.now(UTC)

    def let_expire(self, checkout: Checkout) -> None:
        """Lets the time of a checkout pass, which was opened to expire at once."""
        del checkout
        ends_at = datetime.now(UTC) + timedelta(seconds=0.3)
        wait_until(lambda: datetime.now(UTC) > ends_at)

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


class StripeHarness:
    """Drives the stand-in of Stripe: its page, and its control, which plays the banks, the clock and the dashboard."""

    PAYMENT_FORMS = {
        "good": {"number": "4242424242424242"},
        "declined": {"number": "4000000000000002"},
        "insufficient_funds": {"number": "4000000000009995"},
        "lapsing": {"number": "4242424242424242"},
        "debit": {"method": "us_bank_account", "account": "000000000009"},
        "bad_debit": {"method": "us_bank_account", "account": "000000000009"},
    }
    CALLBACK_TYPES = {
        "authorized": "checkout.session.completed",
        "refund_failed": "refund.failed",
        "dispute_opened": "charge.dispute.created",
        "dispute_closed": "charge.dispute.closed",
        "payout_paid": "payout.paid",
    }
    SIGNATURE_HEADERS = ("stripe-signature",)
    WRONG_SIGNATURES = (
        "",
        "v1",
        "t=1,v1=",
        "t=,v1=AAAA",
        "t=1700000000,v0=AAAA",
        "ünsigned",
        "v1=AAAA,v1=BBBB",
    )
    ROUTES = {
        "start": "checkout.sessions.create",
        "fetch": "checkout.sessions.retrieve",
        "capture": "payment_intents.capture",
        "close": "*.[ec][xa][pn][ic]*",  # checkout.sessions.expire and payment_intents.cancel
        "refund": "refunds.create",
        "list_payouts": "payouts.list",
    }
    # The fault of the suite → that of the stand-in, with the fields that it takes away.
    FAULTS: Mapping[str, tuple[str, dict[str, Any]]] = {
        "error_before": ("bad_gateway", {}),
        "timeout_after_success": ("dropped", {}),
        "garbage": ("garbage", {}),
        "no_amount": ("without", {"fields": ["amount_received"]}),
        "no_fee": ("without", {"fields": ["balance_transaction"]}),
        "wrong_amount": ("capture_other_amount", {}),
        "wrong_currency": ("capture_other_currency", {}),
        "close_too_late": ("pay_before_expiry", {}),
        "callback_first": ("event_first", {}),
        "callback_twice": ("event_twice", {}),
        "callback_late": ("event_late", {}),
        "callback_lost": ("event_lost", {}),
        "callback_out_of_order": ("event_out_of_order", {}),
    }

    def __init__(self, stand_in: StandIn, callback_receiver: CallbackReceiver) -> None:
        self.stand_in, self.callback_receiver = stand_in, callback_receiver
        self.account = stand_in.open_account()
        endpoint = self.account.control(
            "add_endpoint", url=callback_receiver.url, enabled_events=list(EVENT_TYPES)
        )
        self.credentials = {
            "api_key": self.account.test_key,
            "signing_secret": endpoint["secret"],
            "account": self.account.id,
        }
        self.gateway = STRIPE.open(stand_in.url, self.credentials)
        self.wrong_credentials = STRIPE.open(stand_in.url, {**self.credentials, "api_key": "sk_test_wrong"})
        self.unreachable = STRIPE.open(UNREACHABLE_URL, self.credentials)

    def another(self) -> GatewayHarness:
        return StripeHarness(self.stand_in, self.callback_receiver)

    def checkout_request(self, **changes: Any) -> CheckoutRequest:
        # A session lives for half an hour at least; `let_expire` lets more than that pass.
        fixed = {"expires_at": datetime.now(UTC) + timedelta(minutes=30)}
        methods = ("card", "us_bank_account", "sepa_debit")
        return checkout_request(self.callback_receiver, {"methods": methods, **changes, **fixed})

    def pay(self, checkout: Checkout, how: str = "good") -> None:
        self.account.pay(checkout.url, **self.PAYMENT_FORMS[how])
        if how == "lapsing":
            self.account.control("lapse", id=checkout.ref)

    def settle_bank_debit(self, checkout: Checkout, outcome: str) -> None:
        outcome = "succeeded" if outcome == "captured" else outcome
        self.account.control("settle", id=checkout.ref, outcome=outcome)

    def settle_refund(self, refund: Refund, outcome: str) -> None:
        self.account.control("settle_refund", id=refund.ref, outcome=outcome)

    def dispute(self, checkout: Checkout, amount_minor: int, **details: object) -> str:
        return str(self.account.control("dispute", id=checkout.ref, amount=amount_minor, **details)["id"])

    def decide_dispute(self, ref: str, outcome: str) -> None:
        self.account.control("decide_dispute", id=ref, outcome=outcome)

    def pay_out(self) -> list[str]:
        return [payout["id"] for payout in self.account.control("pay_out")]

    def settle_payout(self, ref: str, outcome: str) -> None:
        self.account.control("settle_payout", id=ref, outcome=outcome)

    def inject_fault(self, kind: str, **details: object) -> None:
        kind, more = self.FAULTS.get(kind, (kind, {}))
        act = details.pop("act", None)
        if isinstance(details.get("currency"), str):
            details["currency"] = str(details["currency"]).lower()
        on = {"on": self.ROUTES[str(act)]} if act else {}
        self.account.control("inject", kind=kind, **on, **more, **details)

    def sign_callback(self, body: bytes, at: datetime) -> ReceivedCallback:
        secret = self.credentials["signing_secret"]
        header = stripe.WebhookSignature.generate_signature_header(body.decode(), secret, int(at.timestamp()))
        return ReceivedCallback("/", body, {"Stripe-Signature": header})

    def captures(self, checkout: Checkout) -> list[int]:
        headers = {"Authorization": f"Bearer {self.account.test_key}"}
        session = self._read(f"/v1/checkout/sessions/{checkout.ref}?expand[]=payment_intent", headers)
        if not session["payment_intent"]:
            return []
        charge = session["payment_intent"]["latest_charge"]
        booked = self._read(f"/v1/balance_transactions?source={charge}&type=charge", headers)["data"]
        return [transaction["amount"] for transaction in booked]

    def moment(self) -> datetime:
        # Stripe's times have no parts of seconds.
        return datetime.fromtimestamp(int(self.account.control("shift_clock", seconds=2)["now"]), UTC)

    def let_expire(self, checkout: Checkout) -> None:
        del checkout
        self.account.control("shift_clock", seconds=40 * 60)

    def _read(self, path: str, headers: dict[str, str]) -> dict[str, Any]:
        response = self.stand_in.client.get(self.stand_in.url + path, headers=headers)
        assert response.is_success, response.text
        return dict(response.json())
