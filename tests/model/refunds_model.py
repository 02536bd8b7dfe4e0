"""Refunds through the gateway in the model: what they take off, and what comes back when they fail (M2, M5)."""

from __future__ import annotations

from dataclasses import dataclass

from tests.model.gateway_model import GatewayRefund, GatewayRefusal, NoAnswer
from tests.model.online_payments_model import OnlinePaymentModel
from tests.model.organization_model import STEP, ActRefused, Dispute, Invoice, Payment, Refund


@dataclass
class RefundModel(OnlinePaymentModel):
    """Refunds, and the reports of the gateway about them."""

    def left(self, payment: Payment) -> int:
        """Returns how much of a payment can be given back (M5)."""
        return (payment.captured or 0) - payment.refunded - payment.frozen - payment.lost

    def send_back(self, payment: Payment, amount: int, *, reduces: bool) -> str:
        """Sends a part of an online payment back; it counts from now on. Returns its state."""
        if payment.offline or payment.state != "succeeded" or not self.left(payment):
            raise ActRefused("conflict")
        if amount <= 0:
            raise ActRefused("amount_too_small")
        if amount % STEP[payment.currency]:
            raise ActRefused("invalid")
        if amount > self.left(payment):
            raise ActRefused("not_refundable")
        refund = Refund(payment, amount, "gateway")
        self.refunds.append(refund)
        self.deduct(payment, amount, refund, reduces=reduces)
        self._send(refund)
        return refund.state

    def send_surplus_back(self, payment: Payment, surplus: int) -> None:
        """Only of a card, and without what went back at the gateway before; the worker sends it."""
        assert payment.checkout is not None
        gone = sum(refund.amount for refund in payment.checkout.refunds if refund.state != "failed")
        gone += sum(dispute.amount for dispute in payment.checkout.disputes if dispute.state != "won")
        left = max(0, surplus - gone)
        left -= left % STEP[payment.currency]
        if payment.checkout.method == "card" and left:
            refund = Refund(payment, left, "gateway")
            self.refunds.append(refund)
            self.deduct(payment, refund.amount, refund)

    def _send(self, refund: Refund) -> None:
        assert refund.payment.checkout is not None
        refund.was_called = True
        try:
            refund.at_gateway = self.gateway.refund(refund.payment.checkout, refund.amount, refund)
            self._follow(refund)
        except NoAnswer:
            return
        except GatewayRefusal:
            self._fail(refund)

    def refresh_pending_refunds(self) -> None:
        """Fetches each pending refund, and sends what the gateway does not list, unless disputes took it meanwhile."""
        for refund in [refund for refund in self.refunds if refund.state == "pending"]:
            try:
                self.refresh(refund.payment)
            except NoAnswer:
                continue
            if refund.state != "pending" or refund.at_gateway is not None:
                continue
            if any(dispute.is_counted and dispute.lost for dispute in refund.payment.disputes):
                self._fail(refund)
            else:
                self._send(refund)

    def has_news(self, payment: Payment) -> bool:
        """Returns whether the gateway's refunds or disputes of a payment, or its fee, differ from ours."""
        if payment.checkout and payment.fee != payment.checkout.fee:
            return True
        ours = {refund.at_gateway: refund for refund in self.refunds if refund.at_gateway}
        reported = payment.checkout.refunds if payment.checkout else []
        if self.disputes_differ(payment):
            return True
        return any(
            one.state not in (ours[one].state, "pending") and ours[one].state != "failed"
            if one in ours
            else one.state != "failed" or one.reference is not None
            for one in reported
        )

    def disputes_differ(self, payment: Payment) -> bool:
        """Returns whether the gateway's disputes of a payment differ from ours."""
        raise NotImplementedError

    def apply_refunds(self, payment: Payment) -> None:
        """Books what is new in the gateway's refunds of a payment, in their order."""
        assert payment.checkout is not None
        for reported in payment.checkout.refunds:
            refund = self._ours(reported) or self._of_dashboard(payment, reported)
            if refund is not None:
                self._follow(refund)

    def _ours(self, reported: GatewayRefund) -> Refund | None:
        known = [refund for refund in self.refunds if refund.at_gateway is reported]
        if not known and reported.reference is not None and reported.reference.state == "pending":
            reported.reference.at_gateway = reported
            known = [reported.reference]
        return known[0] if known else None

    def _of_dashboard(self, payment: Payment, reported: GatewayRefund) -> Refund | None:
        """Books a refund that we did not ask for; what goes beyond the payment is lost (M5)."""
        if reported.state == "failed":
            return None
        refund = Refund(payment, reported.amount, "dashboard", at_gateway=reported)
        refund.lost = max(0, reported.amount - self.left(payment))
        self.refunds.append(refund)
        self.deduct(payment, refund.amount - refund.lost, refund)
        return refund

    def _follow(self, refund: Refund) -> None:
        assert refund.at_gateway is not None
        if refund.is_counted and refund.at_gateway.state == "failed":
            self._fail(refund)
        elif refund.state == "pending":
            refund.state = refund.at_gateway.state

    def deduct(
        self, payment: Payment, amount: int, refund: Refund | None = None, *, reduces: bool = False
    ) -> None:
        """Its credit first, then off the latest invoice, where it is due again or settled (M2)."""
        waits = self.waits(payment)
        for invoice, part in self.take_off(payment, amount):
            if refund:
                refund.taken[invoice] = refund.taken.get(invoice, 0) + part
            if refund and reduces:
                refund.reduced.append((invoice, len(invoice.settled)))
            if reduces:
                invoice.settled.append(part)
            self.update_paid_state(invoice)
        payment.refunded += amount
        self.end_deposit(payment, waits=waits)

    def take_off(self, payment: Payment, amount: int) -> list[tuple[Invoice, int]]:
        """Takes so much off a payment, its unallocated part first; returns the parts of invoices, the latest first."""
        parts, missing = [], max(0, amount - payment.unallocated)
        for invoice in sorted(payment.allocations, key=self.invoices.index, reverse=True):
            part = min(missing, payment.allocations[invoice])
            missing -= part
            if part:
                self.allocate(payment, invoice, -part)
                parts.append((invoice, part))
        return parts

    def end_deposit(self, payment: Payment, *, waits: bool) -> None:
        """A deposit that waited, or of which nothing is left, is the deposit of its quote no more (D1, M8)."""
        if waits or payment.refunded + payment.lost == payment.captured:
            payment.given_back = True

    def _fail(self, refund: Refund) -> None:
        """Sets the money free again."""
        refund.state = "failed"
        refund.payment.refunded -= refund.amount - refund.lost
        self.set_free(refund, refund.reduced, refund.amount - refund.lost)

    def set_free(self, taker: Refund | Dispute, reduced: list[tuple[Invoice, int]], freed: int) -> None:
        """Puts money back on its invoices as far as it fits, then covers losses; the rest is credit (M2, M5)."""
        changed = self.put_back(taker, reduced, freed) | self.cover_losses(taker.payment, taker)
        for invoice in sorted(changed, key=self.invoices.index):
            self._end_what_no_longer_fits(invoice, bounced=changed[invoice])

    def cover_losses(self, payment: Payment, freed_by: Refund | Dispute) -> dict[Invoice, bool]:
        """Counts what went beyond a payment that has money again, the oldest first (M5).

        Returns the invoices that it comes off, each with whether a dispute took it.
        """
        changed: dict[Invoice, bool] = {}
        theirs = [refund for refund in self.refunds if refund.payment is payment]
        for other in sorted([*theirs, *payment.disputes], key=lambda one: one.born):
            if other.is_counted and other is not freed_by:
                covered = min(self.left(payment), other.lost)
                waits, is_gone = self.waits(payment), isinstance(other, Refund) or other.state == "lost"
                for invoice, part in self.take_off(payment, covered) if is_gone else ():
                    other.taken[invoice] = other.taken.get(invoice, 0) + part
                    changed.setdefault(invoice, isinstance(other, Dispute))
                other.lost -= covered
                if isinstance(other, Refund):
                    payment.refunded += covered
                if covered and is_gone:
                    self.end_deposit(payment, waits=waits)
        return changed

    def put_back(
        self, taker: Refund | Dispute, reduced: list[tuple[Invoice, int]], freed: int
    ) -> dict[Invoice, bool]:
        """Puts money back on the invoices that it was taken off, as far as it fits (M2); returns them."""
        for invoice in sorted(taker.taken, key=self.invoices.index):
            own = [n for one, n in reduced if one is invoice]
            # No more stays settled than stays taken off; the latest is taken back first.
            too_much = sum(invoice.settled[n] for n in own) - max(0, taker.taken[invoice] - freed)
            for n in reversed(own):
                part = max(0, min(invoice.settled[n], too_much))
                invoice.settled[n] -= part
                too_much -= part
            committed = self.committed(invoice)
            room = self.due(invoice) - (committed.amount if committed else 0)
            fits = max(0, min(freed, taker.taken[invoice], room)) if invoice.state != "void" else 0
            self.allocate(taker.payment, invoice, fits)
            taker.taken[invoice] -= fits
            freed -= fits
        return dict.fromkeys(taker.taken, False)

    def _end_what_no_longer_fits(self, invoice: Invoice, *, bounced: bool) -> None:
        """Ends the request and the payment that ask for more than is due; the worker closes the checkout."""
        request, waiting = self.open_request(invoice), self.under_way(invoice)
        if request and request.amount > self.due(invoice):
            self.end(request, "canceled", "invoice_changed")
            if waiting and waiting.request is request:
                self.withdraw(waiting)
        if waiting and not waiting.is_committed and waiting.amount > self.due(invoice):
            self.withdraw(waiting)
        self.update_paid_state(invoice, bounced=bounced)
