"""Rules of payouts: sent to the bank by the gateway, and read by the worker from its list."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from partway.accounts.models import GatewayAccount
from partway.billing.reconciliation import payout_list
from tests.model.dispute_rules import DisputeRules
from tests.model.strategies import rarely


class PayoutRules(DisputeRules):
    """Acts about payouts."""

    @precondition(lambda self: rarely(self) and self.books.gateway.balance)
    @rule()
    def pay_out(self) -> None:
        """Sends what is in the balance to the bank."""
        self.act(
            "pay out",
            lambda: self.books.gateway.pay_out() and None,
            lambda: self.payout_refs.extend(self.gateway_driver.pay_out()),
        )

    @precondition(lambda self: any(one.state != "failed" for one in self.books.gateway.payouts))
    @rule(nth=st.integers(0, 9), fails=st.booleans())
    def settle_payout(self, nth: int, fails: bool) -> None:
        """Ends a payout, or lets one fail that had arrived."""
        state = "failed" if fails else "paid"
        payouts = self.books.gateway.payouts
        nth = nth % len(payouts)
        if payouts[nth].state in (state, "failed"):
            return
        self.act(
            "fail payout" if fails else "settle payout",
            lambda: self.books.gateway.settle_payout(payouts[nth], state),
            lambda: self.gateway_driver.settle_payout(self.payout_refs[nth], state),
        )

    @precondition(lambda self: self.books.gateway.payouts and not self.books.gateway.faults)
    @rule()
    def read_payouts(self) -> None:
        """Reads the list of payouts once all that is in them is known."""
        self.read_list()
        account = GatewayAccount.objects.filter(pk=self.gateway_driver.account.pk)
        account.update(payouts_read_until=None, payouts_due_at=self.now)
        self.act(
            "read payouts",
            self.books.read_payouts,
            lambda: payout_list.read_payouts(now=self.now) and None,
        )
