"""Disputes in the model: an open one freezes, a lost one takes, and one that is won sets free (M2, M3, M5)."""

from __future__ import annotations

from dataclasses import dataclass

from tests.model.organization_model import ActRefused, Dispute, Invoice, Payment
from tests.model.refunds_model import RefundModel


@dataclass
class DisputeModel(RefundModel):
    """Disputes as the gateway reports them, and losses that the owner takes."""

    def disputes_differ(self, payment: Payment) -> bool:
        """Returns whether the gateway's disputes of a payment differ from ours."""
        reported = payment.checkout.disputes if payment.checkout else []
        ours = [(one.state, one.amount) for one in payment.disputes]
        return [(one.state, one.amount) for one in reported] != ours

    def apply_disputes(self, payment: Payment) -> None:
        """Books what is new in the gateway's disputes of a payment, in their order."""
        assert payment.checkout is not None
        ours = {dispute.at_gateway: dispute for dispute in payment.disputes}
        for reported in payment.checkout.disputes:
            dispute = ours.get(reported)
            if dispute is None:
                dispute = Dispute(payment, reported.amount, reported)
                dispute.lost = max(0, reported.amount - self.left(payment))
                payment.disputes.append(dispute)
            if reported.state == "won" and dispute.state == "lost":
                self._win(dispute)  # with the amount that it took
            if dispute.amount != reported.amount:
                self._amend(dispute, reported.amount)
            if reported.state == "lost" != dispute.state:
                self._lose(dispute)
            elif reported.state == "won" != dispute.state:
                self._win(dispute)

    def _amend(self, dispute: Dispute, amount: int) -> None:
        """Freezes or takes more, or less: of one that is lost the difference moves, and nothing else."""
        if dispute.state == "won":
            dispute.amount = amount
            return
        payment, counted, waits = dispute.payment, dispute.amount - dispute.lost, self.waits(dispute.payment)
        more = min(amount, self.left(payment) + counted) - counted
        if dispute.state == "lost" and more > 0:
            for invoice, part in self.take_off(payment, more):
                dispute.taken[invoice] = dispute.taken.get(invoice, 0) + part
                self.update_paid_state(invoice, bounced=True)
        dispute.amount, dispute.lost = amount, amount - counted - more
        if dispute.state == "lost" and more > 0:
            self.end_deposit(payment, waits=waits)
        else:
            self.set_free(dispute, dispute.settled, max(0, -more))

    def _lose(self, dispute: Dispute) -> None:
        payment, waits = dispute.payment, self.waits(dispute.payment)
        dispute.state = "won"  # so that it freezes nothing itself
        dispute.lost = max(0, dispute.amount - self.left(payment))
        for invoice, part in self.take_off(payment, dispute.amount - dispute.lost):
            dispute.taken[invoice] = dispute.taken.get(invoice, 0) + part
            self.update_paid_state(invoice, bounced=True)
        dispute.state = "lost"
        self.end_deposit(payment, waits=waits)

    def _win(self, dispute: Dispute) -> None:
        freed = dispute.amount - dispute.lost
        dispute.state, dispute.lost = "won", 0
        self.set_free(dispute, dispute.settled, freed)
        # What did not fit is credit now; a later loss takes, and can be settled, anew.
        dispute.taken, dispute.settled = {}, []

    def left_to_settle(self, dispute: Dispute) -> dict[Invoice, int]:
        """Returns how much of what the lost dispute took is due again on which invoice."""
        parts = {}
        for invoice, taken in dispute.taken.items():
            settled = sum(invoice.settled[n] for one, n in dispute.settled if one is invoice)
            if invoice.state == "sent" and (part := min(taken - settled, self.due(invoice))) > 0:
                parts[invoice] = part
        return parts if dispute.state == "lost" else {}

    def take_loss(self, dispute: Dispute) -> None:
        """Settles what a lost dispute made due again."""
        parts = self.left_to_settle(dispute)
        if dispute.state != "lost" or (not parts and not dispute.settled):
            raise ActRefused("conflict")
        for invoice in parts:
            committed = self.committed(invoice)
            if committed and committed.amount > self.due(invoice) - parts[invoice]:
                raise ActRefused("payment_in_progress")
        for invoice, part in parts.items():
            dispute.settled.append((invoice, len(invoice.settled)))
            invoice.settled.append(part)
            self.follow_settled(invoice)

    def follow_settled(self, invoice: Invoice) -> None:
        """Ends what no longer fits the amount due (R7)."""
        raise NotImplementedError
