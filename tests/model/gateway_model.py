"""The gateway in the model: checkouts, faults and callbacks."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, ClassVar

from partway.lib import clock

# The means of payment, and the response of the gateway's page while the checkout is open.
ANSWERS = {
    "good": 303,
    "lapsing": 303,
    "debit": 303,
    "bad_debit": 303,
    "confirming": 200,
    "declined": 402,
    "insufficient_funds": 402,
}
DISPUTE_FEE = 1500  # in minor units of any currency; comes back when it is won
FIXED_FEE = {"USD": 25, "JPY": 25, "KWD": 80}
_ENDED = {"authorized": 409, "processing": 409, "captured": 409, "closed": 410, "failed": 410}


class NoAnswer(Exception):
    """The gateway did not respond; the call may have had its effect."""


class GatewayRefusal(Exception):
    """The gateway refused the call."""


class PlainRepr:
    """Has a short repr, because Hypothesis otherwise prints every field."""

    def _repr_pretty_(self, printer: Any, _: bool) -> None:
        printer.text(repr(self))


@dataclass(eq=False)
class Checkout(PlainRepr):
    """One checkout, paid at most once; `captured` is the captured amount in minor units."""

    reference: Any
    amount: int
    currency: str
    status: str = "open"
    method: str = "card"  # by which it was paid, if it was
    captured: int = 0
    fee: int | None = None  # in minor units, once money was taken
    lapses: bool = False
    refunds: list[GatewayRefund] = field(default_factory=list)
    disputes: list[GatewayDispute] = field(default_factory=list)
    question: int = 0  # the open confirmation of a card, if any
    changed: int = 0

    def __repr__(self) -> str:
        return f"<checkout of {self.reference}: {self.status}>"


@dataclass(eq=False)
class GatewayRefund(PlainRepr):
    """A refund at the gateway; `reference` is our refund, None for one made in its dashboard."""

    checkout: Checkout
    amount: int
    reference: Any
    state: str

    def __repr__(self) -> str:
        return f"<refund of {self.amount} of {self.checkout.reference}: {self.state}>"


@dataclass(eq=False)
class GatewayDispute(PlainRepr):
    """A dispute at the gateway."""

    checkout: Checkout
    amount: int
    state: str = "open"

    def __repr__(self) -> str:
        return f"<dispute of {self.amount} of {self.checkout.reference}: {self.state}>"


@dataclass(eq=False)
class GatewayPayout(PlainRepr):
    """A payout: what was in the balance, `entries` of which `of_checkouts` are about a checkout."""

    currency: str
    amount: int
    entries: int
    of_checkouts: int
    arrives_on: date
    state: str = "pending"

    def __repr__(self) -> str:
        return f"<payout of {self.currency} {self.amount}: {self.state}>"


@dataclass(frozen=True)
class GatewayCallback(PlainRepr):
    """One callback: the `nth` of its kind about this checkout."""

    checkout: Checkout
    kind: str
    nth: int

    def __repr__(self) -> str:
        return f"<“{self.kind}” of {self.checkout.reference}>"


@dataclass(frozen=True)
class Fault:
    """A fault that happens once: in an act, or in the next capture or close."""

    kind: str
    act: str = ""
    delta: int = 0


@dataclass
class GatewayModel:
    """All state of the gateway."""

    minimum: ClassVar[dict[str, int]] = {"USD": 50, "JPY": 50, "KWD": 100}
    checkouts: list[Checkout] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    callbacks: list[GatewayCallback] = field(default_factory=list)
    balance: list[tuple[str, int, bool]] = field(default_factory=list)  # currency, net, whether of a checkout
    payouts: list[GatewayPayout] = field(default_factory=list)
    questions: int = 0
    changes: int = 0
    says_fee: bool = True  # the latest response

    def in_status(self, status: str) -> list[Checkout]:
        """Returns the checkouts in this status."""
        return [checkout for checkout in self.checkouts if checkout.status == status]

    def pass_time(self, now: datetime) -> None:
        """Lets happen what a gateway does by its clock."""

    # Calls of a merchant

    def start(self, reference: Any, amount: int, currency: str) -> Checkout:
        """Starts a checkout; the same reference returns the same checkout."""
        self._break("error_before", "start")
        known = [checkout for checkout in self.checkouts if checkout.reference is reference]
        if not known:
            self.changes += 1
            known = [Checkout(reference, amount, currency, changed=self.changes)]
            self.checkouts += known
        self._break("timeout_after_success", "start")
        return known[0]

    def fetch(self, checkout: Checkout) -> str:
        """Returns the state of a checkout."""
        self._break("error_before", "fetch")
        self._respond("fetch")
        return checkout.status

    def found(self, checkout: Checkout, kind: str) -> None:
        """Asks whose checkout it is that a callback of this kind names."""
        self.fetch(checkout)

    def listed(self) -> list[Checkout]:
        """Returns all checkouts, in the order of their latest change."""
        self._break("error_before", "list_checkouts")
        self._break("timeout_after_success", "list_checkouts")
        return sorted(self.checkouts, key=lambda checkout: checkout.changed)

    def capture(self, checkout: Checkout) -> None:
        """Captures an authorized checkout; repeating it has no effect."""
        self._break("error_before", "capture")
        assert checkout.status == "authorized", "only an authorized checkout is captured"
        if checkout.lapses:
            self._move(checkout, "closed")
            raise GatewayRefusal
        self._take(checkout)
        self._respond("capture")

    def close(self, checkout: Checkout) -> str:
        """Closes a checkout unless it is captured; returns its state."""
        self._break("error_before", "close")
        if checkout.status == "open" and self._fault("close_too_late"):
            checkout.method = "bank_debit"
            self._move(checkout, "processing")
        if checkout.status in ("open", "authorized"):
            self._move(checkout, "closed")
        self._break("timeout_after_success", "close")
        return checkout.status

    def refund(self, checkout: Checkout, amount: int, reference: Any) -> GatewayRefund:
        """Sends back a part of what was captured, if that much is left."""
        self._break("error_before", "refund")
        kept = sum(refund.amount for refund in checkout.refunds if refund.state != "failed")
        if amount > checkout.captured - kept or self._fault("refund_refused"):
            raise GatewayRefusal
        state = "pending" if self._fault("refund_pending") else "succeeded"
        made = GatewayRefund(checkout, amount, reference, state)
        checkout.refunds.append(made)
        self._move(checkout, "captured", "refunded")
        self._earn(checkout, -amount)
        self._break("timeout_after_success", "refund")
        return made

    # Acts of a customer and a bank

    def expire(self, checkout: Checkout) -> None:
        """Closes an open checkout, as when its time is over."""
        with suppress(NoAnswer):
            self.close(checkout)

    def may_refund(self, checkout: Checkout) -> bool:
        """Returns whether a part of what was captured can be sent back."""
        return True

    def settle_refund(self, refund: GatewayRefund, state: str) -> None:
        """Ends a pending refund, or sends the money of one back that had succeeded."""
        refund.state = state
        self._move(refund.checkout, "captured", "refund_failed" if state == "failed" else "refunded")
        if state == "failed":
            self._earn(refund.checkout, refund.amount)

    def dispute(self, checkout: Checkout, amount: int) -> None:
        """The customer's bank asks back a part of what was captured, refunded or not."""
        checkout.disputes.append(GatewayDispute(checkout, amount))
        self._move(checkout, "captured", "dispute_opened")
        self._earn(checkout, -amount - DISPUTE_FEE)

    def decide(self, dispute: GatewayDispute, state: str) -> None:
        """Decides a dispute, also against an earlier decision."""
        took, dispute.state = dispute.state != "won", state
        self._move(dispute.checkout, "captured", "dispute_closed")
        if took != (state != "won"):
            self._earn(dispute.checkout, (dispute.amount + DISPUTE_FEE) * (1 if took else -1))

    def may_change(self, dispute: GatewayDispute, amount: int) -> bool:
        """Returns whether a bank can ask back this other amount."""
        return dispute.state != "won" and amount not in (0, dispute.amount)

    def change_dispute(self, dispute: GatewayDispute, amount: int) -> None:
        """Asks back another amount than before, or corrects what was taken when it was lost."""
        before, dispute.amount = dispute.amount, amount
        self._move(dispute.checkout, "captured", "dispute_updated")
        self._earn(dispute.checkout, before - amount)

    def pay_out(self) -> int:
        """Sends what is in the balance to the bank, each currency by itself; returns how many payouts that are."""
        waiting = sorted({currency for currency, _net, _of_checkout in self.balance})
        entries = {code: [one for one in self.balance if one[0] == code] for code in waiting}
        for code, of_currency in entries.items():
            amount = sum(net for _code, net, _of_checkout in of_currency)
            if amount > 0:
                of_checkouts = sum(is_of for _code, _net, is_of in of_currency)
                arrives_on = self.day_of_arrival()
                self.payouts.append(GatewayPayout(code, amount, len(of_currency), of_checkouts, arrives_on))
                self.balance = [one for one in self.balance if one[0] != code]
        return len(self.payouts)

    def day_of_arrival(self) -> date:
        """Returns the day on which a payout of now is at the bank: at once, in the real time of the sandbox."""
        return clock.now().date()

    def settle_payout(self, payout: GatewayPayout, state: str) -> None:
        """Ends a payout; what fails is in the balance again."""
        payout.state = state
        if state == "failed":
            self.balance.append((payout.currency, payout.amount, False))

    def pay(self, checkout: Checkout, how: str) -> int:
        """Submits the form; returns the HTTP status of the page."""
        if checkout.status != "open":
            return _ENDED[checkout.status]
        if how == "confirming":
            self.questions += 1
            checkout.question = self.questions
        elif ANSWERS[how] == 402:
            self._move(checkout, "open", "declined")
        elif how in ("debit", "bad_debit"):
            checkout.method = "bank_debit"
            self._move(checkout, "processing")
        else:
            checkout.lapses = how == "lapsing"
            self._move(checkout, "authorized")
        return ANSWERS[how]

    def confirm(self, checkout: Checkout, question: int, *, agreed: bool) -> int:
        """Answers the confirmation of a card."""
        if checkout.status != "open":
            return _ENDED[checkout.status]
        if checkout.question != question:
            return 409
        self._move(checkout, *(("authorized",) if agreed else ("open", "declined")))
        return 303 if agreed else 402

    def settle(self, checkout: Checkout, *, good: bool) -> None:
        """Settles a bank debit."""
        if good:
            self._take(checkout)
        else:
            self._move(checkout, "failed")

    # Faults

    def _take(self, checkout: Checkout) -> None:
        wrong = self._fault("wrong_amount")
        checkout.captured = checkout.amount + (wrong.delta if wrong else 0)
        checkout.fee = (checkout.captured * 14 + 500) // 1000 + FIXED_FEE[checkout.currency]
        self._move(checkout, "captured")
        self._earn(checkout, checkout.captured - checkout.fee)

    def _earn(self, checkout: Checkout, net: int) -> None:
        self.balance.append((checkout.currency, net, True))

    def _move(self, checkout: Checkout, status: str, kind: str = "") -> None:
        checkout.status, checkout.question = status, 0
        self.changes += 1
        checkout.changed = self.changes
        so_far = Counter(
            (gateway_callback.checkout, gateway_callback.kind) for gateway_callback in self.callbacks
        )
        self.callbacks.append(GatewayCallback(checkout, kind or status, so_far[checkout, kind or status]))

    def _respond(self, act: str) -> None:
        """Responds after an act had its effect: not at all, or without the fee, by the oldest such fault."""
        kinds = ("timeout_after_success", "no_fee")
        spoiled = [fault.kind for fault in self.faults if fault.kind in kinds and fault.act == act]
        self.says_fee = spoiled[:1] != ["no_fee"]
        if spoiled and self._fault(spoiled[0], act) and self.says_fee:
            raise NoAnswer

    def _break(self, kind: str, act: str) -> None:
        if self._fault(kind, act):
            raise NoAnswer

    def _fault(self, kind: str, act: str = "") -> Fault | None:
        """Returns the oldest matching fault and removes it."""
        fault = next((fault for fault in self.faults if (fault.kind, fault.act) == (kind, act)), None)
        if fault:
            self.faults.remove(fault)
        return fault
