"""Drives the stand-in of Stripe as `GatewayDriver` drives the sandbox, so that tests of billing run on both."""

from __future__ import annotations

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
from tests.support.gateway_driver import GatewayDriver, PaymentTarget
from tests.support.sandbox_server import CallbackReceiver, ReceivedCallback, wait_until

# The callbacks of the sandbox → the events of Stripe that tell the same.
_EVENTS = {
    "authorized": "checkout.session.completed",
    "processing": "checkout.session.completed",
    "captured": "payment_intent.succeeded",
    "closed": "checkout.session.expired",
    "declined": "payment_intent.payment_failed",
    "failed": "checkout.session.async_payment_failed",
    "refunded": "charge.refunded",
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
        cls, company: StandIn, callback_receiver: CallbackReceiver | None, organization: Organization
    ) -> Self:
        opened = company.open_account()
        account = GatewayAccount(organization=organization, gateway="stripe", checked_at=present())
        endpoint = opened.control(
            "add_endpoint", url=gateway_calls.callback_url(account), enabled_events=list(EVENT_TYPES)
        )
        account.credentials = {
            "api_key": opened.test_key,
            "signing_secret": endpoint["secret"],
        }
        account.account_ref = opened.id
        GatewayAccount.objects.current(organization).update(is_current=False)
        account.save(force_insert=True)
        return cls(company, opened, callback_receiver, account)

    def another(self, organization: Organization) -> GatewayDriver:
        return self.connect(self.stand_in, self.callback_receiver, organization)

    def start_unpaid(self, source: PaymentTarget) -> Payment:
        payment = self.start(source)
        self.company.control("shift_clock", seconds=40 * 60)
        return payment

    def pay(self, payment: Payment, how: str = "good") -> httpx.Response:
        response = self.company.pay(payment.checkout_url, **self.PAYMENT_FORMS[how])
        if how == "lapsing":
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
        intent = self._session(payment.checkout_ref)["payment_intent"]["id"]
        units = part_to_stripe(Money(amount_minor, payment.currency))
        return str(self._post("refunds", payment_intent=intent, amount=str(units))["id"])

    def refund_ids(self, ref: str) -> list[str]:
        return [row["id"] for row in reversed(self._of_intent("refunds", ref))]

    def dispute_ids(self, ref: str) -> list[str]:
        return [row["id"] for row in reversed(self._of_intent("disputes", ref))]

    def settle_refund(self, refund_id: str, outcome: str = "succeeded") -> None:
        self.company.control("settle_refund", id=refund_id, outcome=outcome)

    def dispute(self, payment: Payment, amount_minor: int, **details: object) -> str:
        opened = self.company.control("dispute", id=payment.checkout_ref, amount=amount_minor, **details)
        return str(opened["id"])

    def decide_dispute(self, dispute_id: str, outcome: str) -> None:
        self.company.control("decide_dispute", id=dispute_id, outcome=outcome)

    def pay_out(self) -> list[str]:
        return [payout["id"] for payout in self.company.control("pay_out")]

    def settle_payout(self, payout_id: str, outcome: str) -> None:
        self.company.control("settle_payout", id=payout_id, outcome=outcome)

    def capture(self, payment: Payment) -> None:
        self._post(f"payment_intents/{self._session(payment.checkout_ref)['payment_intent']['id']}/capture")

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

    def close(self, ref: str) -> None:
        self._post(f"checkout/sessions/{ref}/expire")

    def page(self, ref: str) -> str:
        return str(self._session(ref)["url"])

    def sign_callback(self, body: bytes) -> ReceivedCallback:
        secret = self.account.credentials["signing_secret"]
        header = stripe.WebhookSignature.generate_signature_header(
            body.decode(), secret, int(present().timestamp())
        )
        return ReceivedCallback("/", body, {"Stripe-Signature": header})

    def callback(self, about: Payment | str, kind: str) -> ReceivedCallback:
        assert self.callback_receiver is not None, "the callbacks go to another receiver"
        received, wanted = self.callback_receiver.received, _EVENTS.get(kind, kind)
        return wait_until(
            lambda: next(
                (one for one in received if one.event["type"] == wanted and self._is_about(one, about)),
                None,
            )
        )

    def ledger(self) -> dict[str, dict[str, Any]]:
        rows = {}
        listed = self._get("checkout/sessions?limit=100&expand[]=data.payment_intent.latest_charge")["data"]
        for session in reversed(listed):
            intent = session["payment_intent"] or {}
            charge = intent.get("latest_charge") or {}
            reference = session["metadata"].get(PAYMENT_KEY)
            if reference is None:
                continue
            taken = intent.get("amount_received") or 0
            currency = str(intent.get("currency", session["currency"])).upper()
            booked = self._get(f"balance_transactions?source={charge['id']}")["data"] if charge else []
            # A test makes up a currency that we do not know; its payment is never booked.
            amount = from_stripe(taken, currency).amount_minor if currency in EXPONENTS else taken
            rows[reference] = {
                "id": session["id"],
                "reference": reference,
                "captures": sum(one["type"] in ("charge", "payment") for one in booked),
                "captured": amount,
                "captured_currency": currency,
                "refunded": charge.get("amount_refunded", 0),
            }
        return rows

    def _is_about(self, received: ReceivedCallback, about: Payment | str) -> bool:
        if self.account.pk not in received.path:  # the receiver is that of all tests, and of the sandbox too
            return False
        named = received.event["data"]["object"]
        if isinstance(about, str):
            return bool(named["id"] == about)
        return about.pk == (named.get("metadata") or {}).get(PAYMENT_KEY)

    def _session(self, ref: str) -> dict[str, Any]:
        return self._get(f"checkout/sessions/{ref}?expand[]=payment_intent")

    def _of_intent(self, what: str, ref: str) -> list[dict[str, Any]]:
        return list(self._get(f"{what}?payment_intent={self._session(ref)['payment_intent']['id']}")["data"])

    def _get(self, path: str) -> dict[str, Any]:
        response = self.stand_in.client.get(f"{self.stand_in.url}/v1/{path}", headers=self._headers())
        assert response.is_success, response.text
        return dict(response.json())

    def _post(self, path: str, **form: str) -> dict[str, Any]:
        url = f"{self.stand_in.url}/v1/{path}"
        response = self.stand_in.client.post(url, headers=self._headers(), data=form)
        return dict(response.json())

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.company.test_key}"}
