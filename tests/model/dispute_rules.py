"""Rules of disputes: opened and decided at the gateway, and losses that the owner takes."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from partway.billing.models import Dispute
from partway.billing.receivables import dispute_losses
from partway.lib.money import Money
from tests.model.gateway_model import Checkout, GatewayDispute
from tests.model.refund_rules import RefundRules
from tests.model.strategies import checkout, dispute_at_gateway, members, rarely


class DisputeRules(RefundRules):
    """Acts about disputes."""

    @precondition(lambda self: rarely(self) and self.books.gateway.in_status("captured"))
    @rule(checkout=checkout("captured"), half=st.booleans())
    def dispute(self, checkout: Checkout, half: bool) -> None:
        """The customer's bank asks all or half of a payment back, whatever our books say."""
        amount = checkout.captured // 2 if half else checkout.captured
        row = self.row(checkout.reference)
        row.checkout_ref = self.ref_of(checkout)
        if amount > 0:
            self.act(
                "dispute",
                lambda: self.books.gateway.dispute(checkout, amount),
                lambda: self.gateway_driver.dispute(row, amount) and None,
            )

    @precondition(lambda self: any(one.disputes for one in self.books.gateway.checkouts))
    @rule(dispute=dispute_at_gateway(), half=st.booleans())
    def change_dispute(self, dispute: GatewayDispute, half: bool) -> None:
        """The bank asks back, or has taken, half or all of the payment instead of what it said before."""
        amount = dispute.checkout.captured // 2 if half else dispute.checkout.captured
        if not self.books.gateway.may_change(dispute, amount):
            return
        key = self.gateway_driver.dispute_ids(self.ref_of(dispute.checkout))[
            dispute.checkout.disputes.index(dispute)
        ]
        self.act(
            "change dispute",
            lambda: self.books.gateway.change_dispute(dispute, amount),
            lambda: self.gateway_driver.update_dispute(key, amount),
        )

    @precondition(lambda self: any(one.disputes for one in self.books.gateway.checkouts))
    @rule(dispute=dispute_at_gateway(), wins=st.booleans())
    def decide_dispute(self, dispute: GatewayDispute, wins: bool) -> None:
        """Decides a dispute, seldom against an earlier decision."""
        state = "won" if wins else "lost"
        if dispute.state == state:
            return
        key = self.gateway_driver.dispute_ids(self.ref_of(dispute.checkout))[
            dispute.checkout.disputes.index(dispute)
        ]
        self.act(
            "win dispute" if wins else "lose dispute",
            lambda: self.books.gateway.decide(dispute, state),
            lambda: self.gateway_driver.decide_dispute(key, state),
        )

    @precondition(lambda self: any(payment.disputes for payment in self.books.payments))
    @rule(nth=st.integers(0, 9), by=members)
    def take_loss(self, nth: int, by: int) -> None:
        """Takes what a dispute made due again as a loss; one that is not lost is refused."""
        booked = [one for payment in self.books.payments for one in payment.disputes]
        lost = [one for one in booked if one.state == "lost"]
        dispute = (lost or booked)[nth % len(lost or booked)]
        rows = Dispute.objects.filter(payment=self.row(dispute.payment)).order_by("pk")
        row = rows[dispute.payment.disputes.index(dispute)]
        left = Money(sum(self.books.left_to_settle(dispute).values()), dispute.payment.currency)
        self.act(
            "take loss",
            lambda: self.books.take_loss(dispute),
            lambda: dispute_losses.settle(row, expected=left, by=self.members[by], now=self.now) and None,
        )
