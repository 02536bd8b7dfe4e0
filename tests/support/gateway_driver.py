"""Drives what is outside of Partway: customers who pay, and the sandbox with its ledger and its faults."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Self

import httpx
from django.test import Client

from partway.accounts.models import GatewayAccount, Organization
from partway.billing import links
from partway.billing.checkouts import gateway_calls
from partway.billing.checkouts.gateway_calls import current_gateway
from partway.billing.checkouts.online_amounts import amount_to_charge
from partway.billing.checkouts.payability import CHECKOUT_LIFETIME
from partway.billing.models import Callback, Customer, Invoice, Payment, PaymentRequest, Quote
from partway.billing.payments.refresh import refresh_payment
from partway.billing.payments.start import start_payment
from partway.billing.reconciliation import due_work
from partway.gateways.sandbox.adapter import create_account
from partway.lib.clock import now as present
from partway.lib.money import Money
from tests.support import personas
from tests.support.sandbox_server import (
    CallbackReceiver,
    ReceivedCallback,
    SandboxServer,
    sign_callback,
    wait_until,
)

PAYER_IP_ADDRESS = "192.0.2.7"

PaymentTarget = PaymentRequest | Invoice | Quote


# Every way in which $300.00 can be due and paid.
PAYMENT_SOURCES: dict[str, Callable[[Customer], PaymentTarget]] = {
    "request": lambda dana: personas.request_payment(personas.sent_invoice(dana)),
    "pay now": lambda dana: personas.sent_invoice(dana, 30_000),
    "deposit": lambda dana: personas.accept_quote(personas.sent_quote(dana)),
}


class GatewayDriver:
    """One account of an organization at the running sandbox."""

    PAYMENT_FORMS = {
        "good": {"number": "4242424242424242"},
        "declined": {"number": "4000000000000002"},
        "insufficient_funds": {"number": "4000000000009995"},
        "confirming": {"number": "4000002500003155"},
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
        "two_days": {"method": "bank_debit", "account": "000000002002"},
        "fails_on_day_four": {"method": "bank_debit", "account": "000000002004"},
    }

    def __init__(
        self,
        sandbox_server: SandboxServer,
        callback_receiver: CallbackReceiver | None,
        account: GatewayAccount,
    ) -> None:
        self.sandbox_server = sandbox_server
        self.callback_receiver = callback_receiver
        self.account = account
        self._key = account.credentials["api_key"]
        self._foreign_references: set[str] = set()

    @classmethod
    def connect(
        cls,
        company: SandboxServer,
        callback_receiver: CallbackReceiver | None,
        organization: Organization,
        **columns: Any,
    ) -> Self:
        """Connects the organization to a new account at a running gateway; `columns` are further ones of its row."""
        account = GatewayAccount(
            organization=organization, gateway="sandbox", checked_at=present(), **columns
        )
        account.credentials = create_account(
            company.url, organization.name, gateway_calls.callback_url(account)
        )
        store_account(account)
        return cls(company, callback_receiver, account)

    def another(self, organization: Organization) -> GatewayDriver:
        """Connects an organization to another account at the same gateway."""
        return self.connect(self.sandbox_server, self.callback_receiver, organization)

    # Actions of the customer

    def start(
        self, source: PaymentTarget, *, now: datetime | None = None, address: str | None = PAYER_IP_ADDRESS
    ) -> Payment:
        """Presses Pay on the page of a link, which shows the current amount."""
        gateway = current_gateway(source.organization) if source.kind == "invoice" else None
        shown = amount_to_charge(source, gateway)
        return start_payment(source, expected_amount=shown, payer_ip=address, now=now or present())

    def start_unpaid(self, source: PaymentTarget) -> Payment:
        """Presses Pay, and lets the time of the checkout pass."""
        return self.start(source, now=present() - CHECKOUT_LIFETIME)

    def pay(self, payment: Payment, how: str = "good") -> httpx.Response:
        """Submits the form of the sandbox's checkout page."""
        return self.sandbox_server.submit_form(f"{payment.checkout_url}/pay", **self.PAYMENT_FORMS[how])

    def confirm(
        self, payment: Payment, open_request: httpx.Response, decision: str = "confirm"
    ) -> httpx.Response:
        """Answers the confirmation that some cards require."""
        [hidden] = re.findall(r'name="confirmation" value="([^"]+)"', open_request.text)
        return self.sandbox_server.submit_form(
            f"{payment.checkout_url}/confirm", confirmation=hidden, decision=decision
        )

    def start_and_pay(self, source: PaymentTarget, how: str = "good") -> Payment:
        """Starts and pays a checkout, then refreshes the payment."""
        payment = self.start(source)
        self.pay(payment, how)
        return refresh_payment(payment, now=present())

    def receipt(self, payment: Payment) -> str:
        """Returns the text of the page to which the customer returns."""
        page = Client().get(links.receipt_url(payment)).text
        return re.sub(r"[ \n]+", " ", html.unescape(re.sub(r"<[^>]*>", "", page)))

    # Events at the sandbox

    def create_foreign_checkout(self) -> str:
        """Creates and pays a checkout in the same account that is not ours; returns its ref."""
        fields = {
            "amount": 4_500,
            "currency": "USD",
            "reference": "till 4",
            "return_url": self.sandbox_server.url,
        }
        expires_at = (present() + timedelta(minutes=5)).isoformat()
        created = self._call_api("POST", "/v1/checkouts", **fields, expires_at=expires_at)
        self._foreign_references.add(fields["reference"])
        self.sandbox_server.submit_form(f"{created['url']}/pay", **self.PAYMENT_FORMS["good"])
        self._call_api("POST", f"/v1/checkouts/{created['id']}/capture", amount=4_500)
        return str(created["id"])

    def settle_bank_debit(self, payment: Payment, outcome: str = "captured") -> None:
        """Settles a bank debit."""
        self._call_api("POST", f"/v1/checkouts/{payment.checkout_ref}/settle", outcome=outcome)

    def pass_days(self, payment: Payment, days: int) -> None:
        """Lets the banks do what they had planned for the next days."""
        self._call_api("POST", f"/v1/checkouts/{payment.checkout_ref}/days", days=days)

    def refund_at_gateway(self, payment: Payment, amount_minor: int) -> str:
        """Refunds a part in the dashboard of the sandbox; returns the id of the refund."""
        path = f"/v1/checkouts/{payment.checkout_ref}/refunds"
        return str(self._call_api("POST", path, amount=amount_minor, currency=payment.currency)["id"])

    def refund_ids(self, ref: str) -> list[str]:
        """Returns the ids of the refunds of a checkout, oldest first."""
        return [refund["id"] for refund in self._call_api("GET", f"/v1/checkouts/{ref}")["refunds"]]

    def dispute_ids(self, ref: str) -> list[str]:
        """Returns the ids of the disputes of a checkout, oldest first."""
        return [dispute["id"] for dispute in self._call_api("GET", f"/v1/checkouts/{ref}")["disputes"]]

    def settle_refund(self, refund_id: str, outcome: str = "succeeded") -> None:
        """Ends a pending refund, or makes one fail that had succeeded."""
        self._call_api("POST", f"/v1/refunds/{refund_id}/settle", outcome=outcome)

    def dispute(self, payment: Payment, amount_minor: int, **details: object) -> str:
        """Opens a dispute at the sandbox, as the customer's bank does; returns its id."""
        path = f"/v1/checkouts/{payment.checkout_ref}/disputes"
        return str(self._call_api("POST", path, amount=amount_minor, **details)["id"])

    def update_dispute(self, dispute_id: str, amount_minor: int, **details: object) -> None:
        """Changes what a dispute is about that is not won."""
        self._call_api("POST", f"/v1/disputes/{dispute_id}", amount=amount_minor, **details)

    def decide_dispute(self, dispute_id: str, outcome: str) -> None:
        """Decides a dispute as won or lost, also against an earlier decision."""
        self._call_api("POST", f"/v1/disputes/{dispute_id}/decide", outcome=outcome)

    def pay_out(self) -> list[str]:
        """Pays out what is in the balance; returns the ids of the payouts."""
        return [str(payout["id"]) for payout in self._call_api("POST", "/v1/payouts")["data"]]

    def settle_payout(self, payout_id: str, outcome: str) -> None:
        """Ends a payout as paid or failed."""
        self._call_api("POST", f"/v1/payouts/{payout_id}/settle", outcome=outcome)

    def capture(self, payment: Payment) -> None:
        """Captures an authorization in the dashboard of the sandbox."""
        self._call_api("POST", f"/v1/checkouts/{payment.checkout_ref}/capture", amount=payment.amount_minor)

    def expire_authorization(self, payment: Payment) -> None:
        """Lapses an authorization, as a bank does."""
        self._call_api("POST", f"/v1/checkouts/{payment.checkout_ref}/lapse")

    def restrict_account(self) -> None:
        """Restricts the account, as the company does that waits for documents."""
        self._call_api("POST", "/v1/account", charges_enabled=False)

    def inject_fault(self, kind: str, **details: object) -> None:
        """Injects a fault into the next matching call."""
        self._call_api("POST", "/v1/faults", kind=kind, **details)

    def clear_faults(self) -> None:
        """Removes all faults."""
        self._call_api("DELETE", "/v1/faults")

    def close(self, ref: str) -> None:
        """Closes a checkout; ignores the response, which a fault may have changed."""
        self.sandbox_server.call_api("POST", f"/v1/checkouts/{ref}/close", self._key)

    def page(self, ref: str) -> str:
        """Returns the URL of the page of a checkout."""
        return str(self._call_api("GET", f"/v1/checkouts/{ref}")["url"])

    def set_clock(self, now: datetime) -> None:
        """Sets the clock of the account forward, where its gateway has one; the sandbox lives in the real time."""

    def settle_only_when_told(self) -> None:
        """Lets no bank debit settle by itself; at the sandbox of the tests none does."""

    def event_types(self, *kinds: str) -> list[str]:
        """Returns the types of all callbacks by which the gateway tells these changes, as our rows store them."""
        return [f"checkout.{'captured' if kind == 'settled' else kind}" for kind in kinds]

    def callback(self, about: Payment | str, kind: str) -> ReceivedCallback:
        """Waits for the callback of this kind about a payment, or about the payout of this id, and returns it."""
        [first, *_] = wait_until(lambda: self.received_about(about, kind))
        return first

    def received_about(self, about: Payment | str, kind: str) -> list[ReceivedCallback]:
        """Returns the callbacks of this kind so far about a payment, or about the payout of this id, oldest first."""
        noun, ref = ("checkout", about.checkout_ref) if isinstance(about, Payment) else ("payout", about)
        assert self.callback_receiver is not None, "the callbacks go to another receiver"
        received = list(self.callback_receiver.received)
        return [one for one in received if one.event["data"].get(noun) == ref and one.kind == kind]

    def sign_callback(self, body: bytes) -> ReceivedCallback:
        """Returns the callback with this body as the gateway signs it now for this account."""
        return sign_callback(body, present(), self.account.credentials["signing_secret"])

    def ledger(self) -> dict[str, dict[str, Any]]:
        """Returns the rows of the sandbox's ledger by the id of our payment; each payment has one checkout."""
        lines = self._call_api("GET", "/v1/ledger")["data"]
        by_payment = {line["reference"]: line for line in lines}
        assert len(by_payment) == len(lines), lines
        return by_payment

    def captured_amount(self, payment: Payment) -> Money | None:
        """Returns what the sandbox captured for a payment, in the captured currency."""
        return _taken(self.ledger()[payment.pk])

    def captures_of(self, payment: Payment) -> list[int]:
        """Returns every charge of a payment, in minor units."""
        line = self.ledger().get(payment.pk, {"captures": 0, "captured": 0})
        return [line["captured"]] * line["captures"]

    def refunded_minor(self, payment: Payment) -> int:
        """Returns what the sandbox has sent back of a payment, or is sending."""
        return int(self.ledger()[payment.pk]["refunded"])

    def assert_ledger_matches_books(self) -> None:
        """Asserts that the sandbox's ledger and our books agree, and that no customer was charged twice."""
        ours = {payment.pk: payment for payment in Payment.objects.filter(gateway_account=self.account)}
        lines = self.ledger()
        for reference in self._foreign_references:
            del lines[reference]
        assert set(lines) <= set(ours)
        for reference, line in lines.items():
            assert line["captures"] <= 1
            if not ours[reference].is_unsettled:
                assert _taken(line) == ours[reference].captured, ours[reference]
        requests = [ours[reference].payment_request_id for reference in lines if lines[reference]["captured"]]
        paid = [request for request in requests if request]
        assert len(paid) == len(set(paid))

    def _call_api(self, method: str, path: str, **body: object) -> dict[str, Any]:
        response = self.sandbox_server.call_api(method, path, self._key, **body)
        assert response.is_success, response.text
        return dict(response.json())


def store_account(account: GatewayAccount) -> None:
    """Stores an account as the one that new payments of its organization go through."""
    GatewayAccount.objects.current(account.organization).update(is_current=False)
    account.save(force_insert=True)


def process_all_callbacks() -> None:
    """Retries every pending callback, as the worker does, until it is processed or unmatched."""
    for _ in range(40):
        pending = Callback.objects.filter(status="pending").order_by("next_attempt_at").first()
        if pending:
            due_work.process_pending_callbacks(now=pending.next_attempt_at)


def _taken(line: dict[str, Any]) -> Money | None:
    return Money(line["captured"], line["captured_currency"]) if line["captured"] else None
