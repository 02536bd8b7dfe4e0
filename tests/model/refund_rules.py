"""Rules of refunds: sent by members, made in the gateway's dashboard, and their ends at the gateway."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from partway.billing.documents import voiding
from partway.billing.documents.voiding import Outcome, VoidPlan
from partway.billing.payments import refunds
from partway.billing.payments.refunds import NewRefund
from partway.billing.reconciliation import due_work
from partway.lib.money import Money
from tests.model.gateway_model import Checkout, Fault, GatewayRefund
from tests.model.organization_model import Invoice, Payment
from tests.model.strategies import (
    checkout,
    is_refundable_online,
    is_void_guided,
    members,
    one,
    portion,
    portions,
    rarely,
    refund_at_gateway,
    seldom,
)
from tests.model.worker_rules import LONGEST, WorkerRules

answers = st.sampled_from(
    [
        *(None, Fault("refund_pending"), Fault("refund_pending"), Fault("refund_refused")),
        *(Fault("error_before", "refund"), Fault("timeout_after_success", "refund")),
    ]
)


class RefundRules(WorkerRules):
    """Acts about refunds."""

    @precondition(
        lambda self: any(is_refundable_online(self.books, one) for one in self.books.payments) or rarely(self)
    )
    @precondition(lambda self: self.books.payments and not self.books.gateway.faults)
    @rule(
        payment=one("payments", is_refundable_online),
        of=portions,
        answer=answers,
        reduces=seldom,
        by=members,
    )
    def send_back(self, payment: Payment, of: str, answer: Fault | None, reduces: bool, by: int) -> None:
        """Sends a part of a payment back, and the gateway answers in one of its ways."""
        amount, row = portion(of, self.books.left(payment), payment.currency), self.row(payment)
        if answer and is_refundable_online(self.books, payment) and 0 < amount <= self.books.left(payment):
            self.inject_fault(answer)
        new = NewRefund(Money(amount, payment.currency), "other", reduces_invoice=reduces)
        self.act(
            "send back",
            lambda: self.books.send_back(payment, amount, reduces=reduces),
            lambda: refunds.refund(row, new_refund=new, by=self.members[by], now=self.now).status,
        )

    @precondition(lambda self: rarely(self) and not self.books.gateway.faults)
    @precondition(lambda self: self.books.gateway.in_status("captured"))
    @rule(checkout=checkout("captured"), half=st.booleans())
    def refund_in_dashboard(self, checkout: Checkout, half: bool) -> None:
        """Sends a part back in the dashboard of the gateway, whatever our books say."""
        kept = sum(refund.amount for refund in checkout.refunds if refund.state != "failed")
        left = checkout.captured - kept
        amount = left // 2 if half else left
        row = self.row(checkout.reference)
        row.checkout_ref = self.ref_of(checkout)
        if amount > 0 and self.books.gateway.may_refund(checkout):
            self.act(
                "refund in dashboard",
                lambda: str(self.books.gateway.refund(checkout, amount, None).state),
                lambda: self.gateway_driver.refund_at_gateway(row, amount) and "succeeded",
            )

    @precondition(lambda self: any(one.refunds for one in self.books.gateway.checkouts))
    @rule(refund=refund_at_gateway(), fails=st.booleans())
    def settle_refund(self, refund: GatewayRefund, fails: bool) -> None:
        """Ends a pending refund, or sends the money of one back that had succeeded."""
        if refund.state == "failed" or (refund.state == "succeeded" and not fails):
            return
        state, nth = "failed" if fails else "succeeded", refund.checkout.refunds.index(refund)
        key = self.gateway_driver.refund_ids(self.ref_of(refund.checkout))[nth]
        self.act(
            "fail refund" if fails else "settle refund",
            lambda: self.books.gateway.settle_refund(refund, state),
            lambda: self.gateway_driver.settle_refund(key, state),
        )

    @precondition(lambda self: self.pending_refunds())
    @rule(answer=answers)
    def send_or_refresh_refunds(self, answer: Fault | None) -> None:
        """Runs the job; the first call about a refund that began by itself is answered in one of the ways."""
        pending = [refund for refund in self.books.refunds if refund.state == "pending"]
        if answer and len(pending) == 1 and not pending[0].was_called and not self.books.gateway.faults:
            self.inject_fault(answer)
        self.refresh_pending_refunds()

    def refresh_pending_refunds(self) -> None:
        self.now += LONGEST
        self.clear_faults_before_job(self.pending_refunds())
        self.act(
            "refresh refunds",
            self.books.refresh_pending_refunds,
            lambda: due_work.refresh_pending_refunds(now=self.now),
        )

    def pending_refunds(self) -> int:
        """Returns the number of refunds that the worker must fetch."""
        return sum(refund.state == "pending" for refund in self.books.refunds)

    @precondition(lambda self: self.books.invoices and not self.books.gateway.faults)
    @precondition(
        lambda self: rarely(self) or any(is_void_guided(self.books, one) for one in self.books.invoices)
    )
    @rule(
        invoice=one("invoices", is_void_guided),
        kept=st.sampled_from(["none", "half", "all"]),
        by_hand=seldom,
        answer=answers,
        stale=seldom,
        by=members,
    )
    def void_paid(
        self, invoice: Invoice, kept: str, by_hand: bool, answer: Fault | None, stale: bool, by: int
    ) -> None:
        """Voids a paid invoice: none, every second or all of its payments become credit, the others go back."""
        row, on_it = self.row(invoice), [one for one in self.books.payments if one.allocations.get(invoice)]
        ways = {
            payment: "credit"
            if kept == "all" or (kept == "half" and n % 2)
            else ("outside" if by_hand or payment.offline else "gateway")
            for n, payment in enumerate(on_it)
        }
        standing = {self.ids[payment]: payment.allocations[invoice] + stale for payment in on_it}
        if answer and "gateway" in ways.values() and not stale and not self.books.committed(invoice):
            self.inject_fault(answer)
        outcomes = {self.ids[payment]: Outcome(way, "Cash", self.now.date()) for payment, way in ways.items()}
        plan = VoidPlan(standing, outcomes, "canceled")
        self.act(
            "void paid",
            lambda: self.books.void_paid(invoice, ways, stale=stale and bool(on_it)),
            lambda: voiding.void_paid(
                row, plan=plan, expected_version=row.version, by=self.members[by], now=self.now
            ),
        )
