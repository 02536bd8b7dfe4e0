"""Stripe in the model, as far as it differs from the sandbox: its clock, its requests and its pages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, ClassVar

from tests.model.gateway_model import (
    ANSWERS,
    Checkout,
    GatewayDispute,
    GatewayModel,
    GatewayRefund,
    GatewayRefusal,
    NoAnswer,
)

# A session is opened for half an hour and what clocks may differ, and at least half an hour before its end.
LIFETIME, OPENED_WITHIN = timedelta(minutes=34), timedelta(minutes=4)
AUTHORIZED_FOR = timedelta(days=7)
DEBITS_TAKE = "USD"
COMPLETE, EXPIRED = 409, 410  # the responses of the page of a session that has ended


@dataclass
class StripeModel(GatewayModel):
    """All state of one account at Stripe; each act begins with reading the session, and each request can go wrong."""

    minimum: ClassVar[dict[str, int]] = {"USD": 50, "JPY": 50, "KWD": 200}
    now: datetime | None = None
    # When a session was submitted: from then on it is complete, whatever becomes of its money.
    submitted: dict[Checkout, datetime] = field(default_factory=dict)
    asked: dict[GatewayDispute, int] = field(
        default_factory=dict
    )  # of a dispute: its amount in the beginning

    def pass_time(self, now: datetime) -> None:
        """Expires sessions, and lets authorizations lapse."""
        self.now = now
        for checkout in self.checkouts:
            ends_at = {
                "open": checkout.reference.checkout_started_at + LIFETIME,
                "authorized": self.submitted.get(checkout, now) + AUTHORIZED_FOR,
            }.get(checkout.status)
            if ends_at is not None and now >= ends_at:
                self._move(checkout, "closed")

    def start(self, reference: Any, amount: int, currency: str) -> Checkout:
        """Opens a session, unless that is asked too late; one that was opened before is found."""
        known = [checkout for checkout in self.checkouts if checkout.reference is reference]

        def opened() -> None:
            assert self.now is not None
            if not known:
                if self.now > reference.checkout_started_at + OPENED_WITHIN:
                    raise GatewayRefusal
                self.changes += 1
                known.append(Checkout(reference, amount, currency, changed=self.changes))
                self.checkouts.append(known[0])

        self._request("start", opened)
        return known[0]

    def fetch(self, checkout: Checkout) -> str:
        self.says_fee = self._request("fetch") != "no_fee"
        return checkout.status

    def found(self, checkout: Checkout, kind: str) -> None:
        """Asks for the session of a callback whose start got no answer; that of an intent is in a list."""
        if kind in ("authorized", "processing", "failed") or checkout not in self.submitted:
            self._request("fetch")

    def listed(self) -> list[Checkout]:
        """Returns all checkouts in the order in which they were opened."""
        self._request("list_checkouts")
        return list(self.checkouts)

    def capture(self, checkout: Checkout) -> None:
        self._request("fetch")
        assert checkout.status == "authorized", "only an authorized checkout is captured"
        self.says_fee = self._request("capture", lambda: self._take(checkout)) != "no_fee"

    def close(self, checkout: Checkout) -> str:
        """Expires the session or cancels its intent, and reads again what came of that."""
        while True:
            self._request("fetch")
            if checkout.status not in ("open", "authorized"):
                return checkout.status
            self._request("close", lambda: self.expire(checkout))

    def expire(self, checkout: Checkout) -> None:
        if checkout.status == "open" and self._fault("close_too_late"):
            checkout.method = "bank_debit"
            self._submit(checkout, "processing")
        else:
            self._move(checkout, "closed")

    def may_refund(self, checkout: Checkout) -> bool:
        """A payment of which a part is disputed is not refunded."""
        return all(dispute.state == "won" for dispute in checkout.disputes)

    def refund(self, checkout: Checkout, amount: int, reference: Any) -> GatewayRefund:
        made: list[GatewayRefund] = []

        def send() -> None:
            if not self.may_refund(checkout):
                raise GatewayRefusal
            made.append(super(StripeModel, self).refund(checkout, amount, reference))

        self._request("fetch")
        self._request("refund", send)
        return made[0]

    def dispute(self, checkout: Checkout, amount: int) -> None:
        super().dispute(checkout, amount)
        self.asked[checkout.disputes[-1]] = amount

    def may_change(self, dispute: GatewayDispute, amount: int) -> bool:
        """Of one that is lost a part can come back; its amount never changes otherwise."""
        return dispute.state == "lost" and 0 < amount < dispute.amount

    def decide(self, dispute: GatewayDispute, state: str) -> None:
        """Gives back what is away, or takes all of it again."""
        if state == "lost" and dispute.state == "won":
            dispute.amount = self.asked[dispute]
        super().decide(dispute, state)
        if state == "won":
            dispute.amount = self.asked[dispute]

    def day_of_arrival(self) -> date:
        assert self.now is not None
        return (self.now + timedelta(days=1)).date()

    # The page

    def pay(self, checkout: Checkout, how: str) -> int:
        """Submits the form; a method that is not offered in a currency is refused, and the page stays."""
        if checkout.status != "open":
            return COMPLETE if checkout in self.submitted else EXPIRED
        if how in ("debit", "bad_debit") and checkout.currency != DEBITS_TAKE:
            return 422
        if how == "lapsing":  # its bank releases it at once
            self._submit(checkout, "authorized")
            self._move(checkout, "closed")
            return ANSWERS[how]
        status = super().pay(checkout, how)
        if checkout.status != "open":
            self._note_submitted(checkout)
        return status

    def confirm(self, checkout: Checkout, question: int, *, agreed: bool) -> int:
        """Ends the authentication by 3-D Secure, of whichever card is the latest."""
        if checkout.status != "open":
            return COMPLETE if checkout in self.submitted else EXPIRED
        if not checkout.question:
            return 402
        if agreed:
            self._submit(checkout, "authorized")
        else:
            self._move(checkout, "open", "declined")
        return 303 if agreed else 402

    def _submit(self, checkout: Checkout, status: str) -> None:
        self._move(checkout, status)
        self._note_submitted(checkout)

    def _note_submitted(self, checkout: Checkout) -> None:
        assert self.now is not None
        self.submitted[checkout] = self.now

    # One request

    def _request(self, act: str, effect: Callable[[], Any] = lambda: None) -> str:
        """Runs a request, which uses up the oldest fault of its act; returns the kind of that fault."""
        fault = next((fault for fault in self.faults if fault.act == act), None)
        kind = fault.kind if fault else ""
        if fault:
            self.faults.remove(fault)
        if kind == "error_before":
            raise NoAnswer
        try:
            effect()
        finally:
            if kind == "timeout_after_success":
                raise NoAnswer
        return kind
