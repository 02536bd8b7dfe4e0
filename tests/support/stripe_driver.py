"""Drives the stand-in of Stripe as `GatewayDriver` drives the sandbox, so that tests of billing run on both."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Self

import httpx
import stripe

from partway.accounts.models import GatewayAccount, Organization
from partway.billing.checkouts import gateway_calls
from partway.billing.models import Payment
from partway.gateways.stripe.amounts import from_stripe, part_to_stripe
from partway.gateways.stripe.connection import EVENT_TYPES
from partway.gateways.stripe.states import PAYMENT_KEY
from partway.lib.clock import now as present
from partway.lib.money import EXPONENTS, Money
from tests.gateways.harnesses import StripeHarness
from tests.gateways.stripe_server.client import StandIn, StandInAccount
from tests.support.gateway_driver import GatewayDriver, PaymentTarget, store_account
from tests.support.sandbox_server import CallbackReceiver, ReceivedCallback

# The callbacks of the sandbox → the events of Stripe that tell the same, one for each.
_EVENTS = {
    "authorized": ("checkout.session.completed",),
    "processing": ("checkout.session.completed",),
    "captured": ("payment_intent.succeeded",),
    "closed": ("checkout.session.expired", "payment_intent.canceled"),
    "declined": ("payment_intent.payment_failed",),
    "failed": ("checkout.session.async_payment_failed",),
    "refunded": ("refund.created", "refund.updated succeeded"),
    "refund_failed": ("refund.failed",),
    "dispute_opened": ("charge.dispute.created",),
    "dispute_updated": ("charge.dispute.updated balance_transactions",),
    "dispute_closed": ("charge.dispute.closed", "charge.dispute.updated status"),
}
# All events that Partway asks for, of what the sandbox tells by one callback.
_ALL_EVENTS = {
    "authorized": ("checkout.session.completed", "payment_intent.amount_capturable_updated"),
    "processing": ("checkout.session.completed", "payment_intent.processing"),
    "captured": ("payment_intent.succeeded",),
    "settled": ("payment_intent.succeeded", "checkout.session.async_payment_succeeded"),
}


class StripeDriver(GatewayDriver):
    """One account of an organization at the stand-in."""

    PAYMENT_FORMS = {
        **StripeHarness.PAYMENT_FORMS,
        "confirming": {"number": "4000002500003155"},
        "slow_refunds": {"number": "4000000000007726"},
        "returned_refunds": {"number": "4000000000005126"},
        "disputed": {"number": "4000000000000259"},
        "two_days": StripeHarness.PAYMENT_FORMS["debit"],
        "fails_on_day_four": {"method": "us_bank_account", "account": "000222222227"},
    }

    def __init__(
        self,
        stand_in: StandIn,
        company: StandInAccount,
        callback_receiver: CallbackReceiver | None,
        account: GatewayAccount,
    ) -> None:
        self.stand_in, self.company = stand_in, company
        self.callback_receiver = callback_receiver
        self.account = account
        self._foreign_references: set[str] = set()

    @classmethod
    def connect(
        cls,
        company: StandIn,
        callback_receiver: CallbackReceiver | None,
        organization: Organization,
        **columns: Any,
    ) -> Self:
        opened = company.open_account()
        account = GatewayAccount(organization=organization, gateway="stripe", checked_at=present(), **columns)
        endpoint = opened.control(
            "add_endpoint", url=gateway_calls.callback_url(account), enabled_events=list(EVENT_TYPES)
        )
        account.credentials = {
            "api_key": opened.test_key,
            "signing_secret": endpoint["secret"],
        }
        account.account_ref = opened.id
        store_account(account)
        return cls(company, opened, callback_receiver, account)

    def another(self, organization: Organization) -> GatewayDriver:
        return self.connect(self.stand_in, self.callback_receiver, organization)

    def start_unpaid(self, source: PaymentTarget) -> Payment:
        payment = self.start(source)
        self.company.control("shift_clock", seconds=40 * 60)
        return payment

    def pay(self, payment: Payment, how: str = "good") -> httpx.Response:
        response = self.company.pay(payment.checkout_url, **self.PAYMENT_FORMS[how])
        if response.headers.get("location", "").endswith("/3ds"):
            response = self.stand_in.client.get(response.headers["location"])
        if how == "lapsing" and response.status_code == 303:
            self.expire_authorization(payment)
        return response

    def confirm(
        self, payment: Payment, open_request: httpx.Response, decision: str = "confirm"
    ) -> httpx.Response:
        return self.company.authenticate(payment.checkout_url, decision)

    def create_foreign_checkout(self, **metadata: str) -> str:
        self._foreign_references.update(metadata.get(PAYMENT_KEY, "").split())
        price = "line_items[0][price_data]"
        form = {
            "mode": "payment",
            "success_url": "https://till.example/",
            f"{price}[currency]": "usd",
            f"{price}[unit_amount]": "4500",
            f"{price}[product_data][name]": "till 4",
            "line_items[0][quantity]": "1",
            **{f"metadata[{name}]": value for name, value in metadata.items()},
            **{f"payment_intent_data[metadata][{name}]": value for name, value in metadata.items()},
        }
        made = self._post("checkout/sessions", **form)
        self.company.pay(made["url"])
        return str(made["id"])

    def settle_bank_debit(self, payment: Payment, outcome: str = "captured") -> None:
        # Without an outcome its bank decides, and the only account of which a test leaves that open has no funds.
        outcome = {"captured": "succeeded", "": "failed"}.get(outcome, outcome)
        self.company.control("settle", id=payment.checkout_ref, outcome=outcome)

    def pass_days(self, payment: Payment, days: int) -> None:
        self.company.control("shift_clock", seconds=days * 86_400)

    def refund_at_gateway(self, payment: Payment, amount_minor: int) -> str:
        units = part_to_stripe(Money(amount_minor, payment.currency))
        return str(self.company.control("refund", id=payment.checkout_ref, amount=units)["id"])

    def refund_ids(self, ref: str) -> list[str]:
        # One without a transaction of the balance is the release of an authorization.
        return [row["id"] for row in self._of_checkout("refund", ref) if row["balance_transaction"]]

    def dispute_ids(self, ref: str) -> list[str]:
        return [row["id"] for row in self._of_checkout("dispute", ref)]

    def settle_refund(self, refund_id: str, outcome: str = "succeeded") -> None:
        self.company.control("settle_refund", id=refund_id, outcome=outcome)

    def dispute(self, payment: Payment, amount_minor: int, **details: object) -> str:
        opened = self.company.control("dispute", id=payment.checkout_ref, amount=amount_minor, **details)
        return str(opened["id"])

    def update_dispute(self, dispute_id: str, amount_minor: int, **details: object) -> None:
        # The amount of a dispute stays; what its bank takes less is given back.
        taken = [row["amount"] for row in self._objects("dispute")[dispute_id]["balance_transactions"]]
        self.company.control("return_part", id=dispute_id, amount=-sum(taken) - amount_minor)

    def decide_dispute(self, dispute_id: str, outcome: str) -> None:
        self.company.control("decide_dispute", id=dispute_id, outcome=outcome)

    def pay_out(self) -> list[str]:
        paid_out = self.company.control("pay_out")
        return [payout["id"] for payout in sorted(paid_out, key=lambda payout: str(payout["currency"]))]

    def settle_payout(self, payout_id: str, outcome: str) -> None:
        self.company.control("settle_payout", id=payout_id, outcome=outcome)

    def capture(self, payment: Payment) -> None:
        self.company.control("capture", id=payment.checkout_ref)

    def expire_authorization(self, payment: Payment) -> None:
        self.company.control("lapse", id=payment.checkout_ref)

    def inject_fault(self, kind: str, **details: object) -> None:
        kind, more = StripeHarness.FAULTS.get(kind, (kind, {}))
        act = details.pop("act", None)
        if isinstance(details.get("currency"), str):
            details["currency"] = str(details["currency"]).lower()
        on = {"on": StripeHarness.ROUTES.get(str(act), str(act))} if act else {}
        self.company.control("inject", kind=kind, **on, **more, **details)

    def clear_faults(self) -> None:
        self.company.control("clear_faults")

    def set_clock(self, now: datetime) -> None:
        self.company.control("set_clock", now=now.timestamp())

    def settle_only_when_told(self) -> None:
        self.company.control("change_settings", settles_by_itself=False)

    def close(self, ref: str) -> None:
        self.company.control("expire", id=ref)

    def page(self, ref: str) -> str:
        return f"{self.stand_in.url}/c/pay/{ref}"  # a session that is complete does not say it any more

    def sign_callback(self, body: bytes) -> ReceivedCallback:
        secret = self.account.credentials["signing_secret"]
        header = stripe.WebhookSignature.generate_signature_header(
            body.decode(), secret, int(present().timestamp())
        )
        return ReceivedCallback("/", body, {"Stripe-Signature": header})

    def event_types(self, *kinds: str) -> list[str]:
        return [event for kind in kinds for event in _ALL_EVENTS[kind]]

    def received_about(self, about: Payment | str, kind: str) -> list[ReceivedCallback]:
        assert self.callback_receiver is not None, "the callbacks go to another receiver"
        wanted = _EVENTS.get(kind, (kind,))
        return [
            one
            for one in list(self.callback_receiver.received)
            # The receiver is that of all tests, and of the sandbox too.
            if self.account.pk in one.path and wanted_by(one.event, wanted) and self._is_about(one, about)
        ]

    def ledger(self) -> dict[str, dict[str, Any]]:
        stored = self.company.control("objects")
        intents, charges = stored["payment_intent"], stored["charge"]
        rows = {}
        for session in stored["checkout.session"].values():
            intent = intents.get(session["payment_intent"], {})
            charge = charges.get(intent.get("latest_charge"), {})
            reference = session["metadata"].get(PAYMENT_KEY)
            if reference is None:
                continue
            currency = str(intent.get("currency", session["currency"])).upper()
            booked = [
                one for one in stored["balance_transaction"].values() if one["source"] == charge.get("id")
            ]
            sent_back = [
                one["amount"]
                for one in stored["refund"].values()
                if one["charge"] == charge.get("id")
                and one["balance_transaction"]
                and one["status"] != "failed"
            ]
            rows[reference] = {
                "id": session["id"],
                "reference": reference,
                "status": _status(session, intent),
                "currency": session["currency"].upper(),
                "captures": sum(one["type"] in ("charge", "payment") for one in booked),
                "captured": _minor(intent.get("amount_received") or 0, currency),
                "captured_currency": currency,
                "refunded": _minor(sum(sent_back), currency),
            }
        return rows

    def _is_about(self, received: ReceivedCallback, about: Payment | str) -> bool:
        named = received.event["data"]["object"]
        if isinstance(about, str):
            return bool(named["id"] == about)
        reference = (named.get("metadata") or {}).get(PAYMENT_KEY)
        if reference is None and named.get("payment_intent"):  # of the bank or the dashboard
            reference = self._objects("payment_intent")[named["payment_intent"]]["metadata"].get(PAYMENT_KEY)
        return bool(about.pk == reference)

    def _of_checkout(self, kind: str, ref: str) -> list[dict[str, Any]]:
        """Returns the refunds or disputes of a session, oldest first."""
        intent = self._objects("checkout.session")[ref]["payment_intent"]
        return [row for row in self._objects(kind).values() if row["payment_intent"] == intent]

    def _objects(self, kind: str) -> dict[str, dict[str, Any]]:
        # Past the API, so that no fault that a test has injected is used up.
        return dict(self.company.control("objects")[kind])

    def _post(self, path: str, **form: str) -> dict[str, Any]:
        url = f"{self.stand_in.url}/v1/{path}"
        headers = {"Authorization": f"Bearer {self.company.test_key}"}
        return dict(self.stand_in.client.post(url, headers=headers, data=form).json())


def wanted_by(event: dict[str, Any], wanted: tuple[str, ...]) -> bool:
    """Returns whether an event is of one of the types, which may name a new status or the field that changed."""
    kinds = {event["type"], f"{event['type']} {event['data']['object'].get('status')}"}
    kinds |= {f"{event['type']} {name}" for name in event["data"].get("previous_attributes") or ()}
    return not kinds.isdisjoint(wanted)


def _status(session: dict[str, Any], intent: dict[str, Any]) -> str:
    """Returns the state of a session in the words of the sandbox."""
    statuses = {
        "requires_capture": "authorized",
        "processing": "processing",
        "succeeded": "captured",
        "canceled": "closed",
    }
    if intent.get("status") in statuses:
        return statuses[intent["status"]]
    return {"open": "open", "expired": "closed", "complete": "failed"}[session["status"]]


def _minor(units: int, currency: str) -> int:
    # A test makes up a currency that we do not know; its payment is never booked.
    return from_stripe(units, currency).amount_minor if currency in EXPONENTS else units
