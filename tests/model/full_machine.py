"""The complete machine: all rules, an initial state, and a final check that every payment is settled."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import initialize

from tests.model.customer_rules import CustomerRules
from tests.model.forbidden_rules import ForbiddenRules
from tests.model.journal_rules import JournalRules
from tests.model.payout_rules import PayoutRules
from tests.model.quote_rules import QuoteRules
from tests.model.state_machine import ModelMismatch
from tests.model.strategies import currencies, totals
from tests.support.accounts import check_statements


class FullMachine(ForbiddenRules, QuoteRules, CustomerRules, PayoutRules, JournalRules):
    """All rules together."""

    @initialize(
        owed=st.lists(st.tuples(currencies, totals), min_size=1, max_size=3),
        with_request=st.booleans(),
        percent=st.sampled_from([None, 30, 50]),
    )
    def open(self, owed: list[tuple[str, int]], with_request: bool, percent: int | None) -> None:
        """Sends some invoices, and requests a payment of one of them or none."""
        for customer, (currency, total) in enumerate(owed):
            self.create_invoice(customer % 2, currency, total, kept=False, by=0)
        if with_request:
            self.ask(self.books.invoices[0], "half", None, by=1)
        if percent:
            self.create_quote(0, owed[0][0], 5000, percent, 3, kept=False, by=0)
            self.accept(self.books.quotes[0])

    def teardown(self) -> None:
        """Settles everything and checks the end, unless the example has already failed."""
        if self.is_consistent:
            self.settle_everything()

    def settle_everything(self) -> None:
        """Settles debits, delivers every callback and runs the worker until nothing is left."""
        gateway = self.books.gateway
        if gateway.faults:
            self.clear_faults()
        self.make_a_round()
        for checkout in list(gateway.checkouts):
            if checkout.status == "processing":
                self.settle(checkout, good=True)
            elif checkout.status == "open":
                self.expire_checkout(checkout)
            for refund in checkout.refunds:
                if refund.state == "pending":
                    self.settle_refund(refund, fails=False)
        for gateway_callback in list(gateway.callbacks):
            if gateway_callback not in self.books.done:
                self.deliver_callback(gateway_callback)
        self.make_a_round()
        self.check_the_end()

    def make_a_round(self) -> None:
        """Runs the jobs of the worker that have something to do."""
        if self.unsettled():
            self.refresh_unsettled_payments()
        if self.books.waiting:
            self.process_callbacks()
        if self.pending_refunds():
            self.refresh_pending_refunds()
        self.read_list()
        self.expire_payment_requests()
        self.expire_quotes()

    def check_the_end(self) -> None:
        """Checks that nothing is unsettled or pending, all captured money is booked, and the statements say so."""
        unsettled = [payment for payment in self.books.payments if payment.is_unsettled]
        taken = sum(line["captured"] for line in self.gateway_driver.ledger().values())
        booked = sum(payment.captured or 0 for payment in self.books.payments if not payment.offline)
        sent_back = sum(line["refunded"] for line in self.gateway_driver.ledger().values())
        counted = sum(refund.amount for refund in self.books.refunds if refund.is_counted)
        if self.pending_refunds() or sent_back != counted:
            raise ModelMismatch(f"{sent_back} was sent back, {counted} is booked")
        if unsettled or self.books.waiting or taken != booked:
            raise ModelMismatch(
                f"{unsettled} are left, {self.books.waiting} wait, {taken} taken, {booked} booked"
            )
        if wrong := self.journal.differences(self.organization):
            raise ModelMismatch("\n".join(wrong))
        for customer in self.customers:
            check_statements(customer, days=2, at=self.now)
