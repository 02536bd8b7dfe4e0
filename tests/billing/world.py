"""What is outside the house: customers who pay, and the payment company with its ledger and its bad days."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import httpx
from django.test import Client

from partway.accounts.models import GatewayAccount
from partway.billing import links
from partway.billing.models import Callback, Customer, Invoice, Payment, PaymentRequest, Quote
from partway.billing.payments.refresh import refresh_payment
from partway.billing.payments.start import start_payment
from partway.billing.reconciliation import due_work
from partway.lib.clock import now as present
from partway.lib.money import Money
from tests import personas
from tests.gateways.company import Company, Ear, Heard, eventually

ADDRESS = "192.0.2.7"

Source = PaymentRequest | Invoice | Quote


# Every way in which $300.00 can be owed and paid.
WAYS: dict[str, Callable[[Customer], Source]] = {
    "request": lambda dana: personas.ask(personas.sent(dana)),
    "pay now": lambda dana: personas.sent(dana, 30_000),
    "deposit": lambda dana: personas.accept(personas.quote(dana)),
}


class World:
    """One organization's account at the running company."""

    FORMS = {
        "good": {"number": "4242424242424242"},
        "declined": {"number": "4000000000000002"},
        "insufficient_funds": {"number": "4000000000009995"},
        "confirming": {"number": "4000002500003155"},
        "lapsing": {"number": "4000000000000341"},
        "debit": {"method": "bank_debit", "account": "000123456789"},
        "bad_debit": {"method": "bank_debit", "account": "000111111116"},
    }

    def __init__(self, company: Company, ear: Ear | None, account: GatewayAccount) -> None:
        self.company = company
        self.ear = ear
        self.account = account
        self._key = account.credentials["api_key"]
        self._sold_elsewhere: set[str] = set()

    # The customer

    def start(self, source: Source, *, now: datetime | None = None, address: str | None = ADDRESS) -> Payment:
        """Press Pay on the page of a link, which shows what is asked for now."""
        return start_payment(source, shown=_shown(source), payer_address=address, now=now or present())

    def pay(self, payment: Payment, how: str = "good") -> httpx.Response:
        """Fill in the form of the company's checkout."""
        return self.company.type_in(f"{payment.checkout_url}/pay", **self.FORMS[how])

    def confirm(self, payment: Payment, asked: httpx.Response, decision: str = "confirm") -> httpx.Response:
        """Answer the question that some cards ask."""
        [hidden] = re.findall(r'name="confirmation" value="([^"]+)"', asked.text)
        return self.company.type_in(f"{payment.checkout_url}/confirm", confirmation=hidden, decision=decision)

    def collect(self, source: Source, how: str = "good") -> Payment:
        """From the button to the end of it, as far as the company tells at once."""
        payment = self.start(source)
        self.pay(payment, how)
        return refresh_payment(payment, now=present())

    def receipt(self, payment: Payment) -> str:
        """What the page that the customer returns to says, in plain words."""
        page = Client().get(links.receipt_url(payment)).text
        return re.sub(r"[ \n]+", " ", html.unescape(re.sub(r"<[^>]*>", "", page)))

    # The company

    def sell_elsewhere(self) -> str:
        """Another system charges a customer through the same account: a checkout that we never made; its name."""
        order = {"amount": 4_500, "currency": "USD", "reference": "till 4", "return_url": self.company.url}
        expires_at = (present() + timedelta(minutes=5)).isoformat()
        made = self._ask("POST", "/v1/checkouts", **order, expires_at=expires_at)
        self._sold_elsewhere.add(order["reference"])
        self.company.type_in(f"{made['url']}/pay", **self.FORMS["good"])
        self._ask("POST", f"/v1/checkouts/{made['id']}/capture", amount=4_500)
        return str(made["id"])

    def settle(self, payment: Payment, outcome: str = "captured") -> None:
        """A bank debit ends."""
        self._ask("POST", f"/v1/checkouts/{payment.checkout_ref}/settle", outcome=outcome)

    def send_back(self, payment: Payment, amount_minor: int) -> None:
        """Somebody refunds a part in the company's own dashboard."""
        path = f"/v1/checkouts/{payment.checkout_ref}/refunds"
        self._ask("POST", path, amount=amount_minor, currency=payment.currency)

    def send_back_in_vain(self, payment: Payment, amount_minor: int) -> None:
        """The same, and the bank refuses it."""
        path = f"/v1/checkouts/{payment.checkout_ref}/refunds"
        made = self._ask("POST", path, amount=amount_minor, currency=payment.currency)
        self._ask("POST", f"/v1/refunds/{made['id']}/settle", outcome="failed")

    def capture(self, payment: Payment) -> None:
        """Somebody presses Capture in the company's own dashboard."""
        self._ask("POST", f"/v1/checkouts/{payment.checkout_ref}/capture", amount=payment.amount_minor)

    def lapse(self, payment: Payment) -> None:
        """The bank lets go of what it held on the card."""
        self._ask("POST", f"/v1/checkouts/{payment.checkout_ref}/lapse")

    def go_wrong(self, kind: str, **details: object) -> None:
        """Something goes wrong there the next time."""
        self._ask("POST", "/v1/faults", kind=kind, **details)

    def recover(self) -> None:
        """All is well there again."""
        self._ask("DELETE", "/v1/faults")

    def close(self, ref: str) -> None:
        """Nobody can pay there any more; the company may still fail to say so."""
        self.company.ask("POST", f"/v1/checkouts/{ref}/close", self._key)

    def page(self, ref: str) -> str:
        """Where the customer pays a checkout, as the company knows it."""
        return str(self._ask("GET", f"/v1/checkouts/{ref}")["url"])

    def callback(self, payment: Payment, kind: str) -> Heard:
        """The callback of this kind, as it came over the wire."""
        assert self.ear is not None, "somebody else hears the callbacks"
        heard = self.ear.heard
        return eventually(
            lambda: next(
                (
                    one
                    for one in heard
                    if one.kind == kind and one.event["data"]["checkout"] == payment.checkout_ref
                ),
                None,
            )
        )

    def ledger(self) -> dict[str, dict[str, Any]]:
        """What customers really paid, by our payment's id; a payment has one checkout, whatever went wrong."""
        lines = self._ask("GET", "/v1/ledger")["data"]
        by_payment = {line["reference"]: line for line in lines}
        assert len(by_payment) == len(lines), lines
        return by_payment

    def taken(self, payment: Payment) -> Money | None:
        """What the company says it took, in the currency it took it in."""
        return _taken(self.ledger()[payment.pk])

    def charged(self, payment: Payment) -> list[int]:
        """Each time this customer was charged, in minor units."""
        line = self.ledger().get(payment.pk, {"captures": 0, "captured": 0})
        return [line["captured"]] * line["captures"]

    def agrees(self) -> None:
        """The company's ledger and our books tell the same story, and nobody was charged twice."""
        ours = {payment.pk: payment for payment in Payment.objects.filter(gateway_account=self.account)}
        lines = self.ledger()
        for reference in self._sold_elsewhere:
            del lines[reference]
        assert set(lines) <= set(ours)
        for reference, line in lines.items():
            assert line["captures"] <= 1
            if not ours[reference].is_unsettled:
                assert _taken(line) == ours[reference].captured, ours[reference]
        requests = [ours[reference].payment_request_id for reference in lines if lines[reference]["captured"]]
        paid = [request for request in requests if request]
        assert len(paid) == len(set(paid))

    def _ask(self, method: str, path: str, **body: object) -> dict[str, Any]:
        answer = self.company.ask(method, path, self._key, **body)
        assert answer.is_success, answer.text
        return dict(answer.json())


def work_off_all() -> None:
    """The worker tries every callback that waits until it is booked or given up."""
    for _ in range(40):
        waiting = Callback.objects.filter(status="waiting").order_by("try_at").first()
        if waiting:
            due_work.work_off_callbacks(now=waiting.try_at)


def _taken(line: dict[str, Any]) -> Money | None:
    return Money(line["captured"], line["captured_currency"]) if line["captured"] else None


def _shown(source: Source) -> Money:
    if isinstance(source, PaymentRequest):
        return source.amount_requested
    return source.deposit if isinstance(source, Quote) else source.amount_due
