"""The acts of members in the model: invoices, requests, offline payments and credit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from tests.model.disputes_model import DisputeModel
from tests.model.organization_model import (
    STEP,
    ActRefused,
    Invoice,
    Mail,
    Payment,
    Refund,
    Request,
)


def refuse(code: str, *, when: object) -> None:
    """Raises ActRefused with this code when the condition holds."""
    if when:
        raise ActRefused(code)


@dataclass
class MemberActModel(DisputeModel):
    """The acts of members."""

    # Invoices

    def create_invoice(self, customer: int, currency: str, total: int) -> Invoice:
        invoice = Invoice(f"invoice {len(self.invoices) + 1}", customer, currency, total)
        self.invoices.append(invoice)
        return invoice

    def send(self, invoice: Invoice) -> None:
        """Sends an invoice: it gets the next number (D4), and takes over the deposit of its quote (D2)."""
        refuse("conflict", when=invoice.state != "draft")
        refuse("invalid", when=invoice.total == 0)
        invoice.number = 1 + max((one.number or 0 for one in self.invoices), default=0)
        invoice.state = "sent"
        deposit = self.deposit_of(invoice.quote) if invoice.quote else None
        if deposit and deposit.unallocated and not deposit.was_taken:
            self.allocate(deposit, invoice, min(deposit.unallocated, self.due(invoice)))
            deposit.was_taken = True
            self._alert_unallocated(deposit)
        self.update_paid_state(invoice)

    def _alert_unallocated(self, deposit: Payment | None) -> None:
        if deposit and deposit.unallocated:
            self.flags.add(("deposit_unallocated", deposit))

    def edit(self, invoice: Invoice, total: int, *, stale: bool) -> None:
        """Edits an invoice; the amount paid beyond the new total becomes credit, the latest payment first (M2, R7)."""
        refuse("conflict", when=invoice.state in ("void", "written_off"))
        refuse("stale", when=stale)
        refuse("invalid", when=invoice.state != "draft" and total == 0)
        excess = max(0, self.paid(invoice) - total)
        settled = sum(invoice.settled)
        kept = min(settled, max(0, total - self.paid(invoice)))
        self._check_committed(invoice, max(0, total - self.paid(invoice) - kept))
        self._unsettle(invoice, settled - kept)
        for payment in self._latest_on(invoice):
            part = min(excess, payment.allocations[invoice])
            self.allocate(payment, invoice, -part)
            excess -= part
        invoice.total = total
        self._apply_effects(invoice, "invoice_changed")

    def _unsettle(self, invoice: Invoice, amount: int) -> None:
        """Makes due again so much of what was settled, the latest first, before a payment gives way."""
        for n in reversed(range(len(invoice.settled))):
            part = min(amount, invoice.settled[n])
            invoice.settled[n] -= part
            amount -= part

    def _latest_on(self, invoice: Invoice) -> list[Payment]:
        allocated = [payment for payment in self.payments if payment.allocations.get(invoice)]
        return sorted(allocated, key=lambda one: (one.settled_at, self.payments.index(one)), reverse=True)

    def void(self, invoice: Invoice) -> None:
        """Voids an invoice, unless it has an amount paid or a committed payment (D3); its quote is accepted again."""
        refuse("conflict", when=invoice.state not in ("draft", "sent") or self.paid(invoice))
        self._cancel_collection(invoice, "invoice_voided")
        self._end_as_void(invoice)

    def void_paid(self, invoice: Invoice, ways: dict[Payment, str], *, stale: bool) -> None:
        """Voids an invoice after each payment on it went its way; the gateway is asked once that is decided."""
        refuse("conflict", when=invoice.state not in ("sent", "paid"))
        refuse("stale", when=stale)
        sent = [one for one, way in ways.items() if way == "gateway"]
        refuse("invalid", when=any(one.allocations[invoice] % STEP[one.currency] for one in sent))
        self._cancel_collection(invoice, "invoice_voided")
        to_send = []
        for payment in self._latest_on(invoice):
            part = payment.allocations[invoice]
            self.allocate(payment, invoice, -part)
            if ways[payment] == "credit":
                continue
            payment.refunded += part
            self.end_deposit(payment, waits=False)
            if ways[payment] == "gateway":
                to_send.append(Refund(payment, part, "gateway", taken={invoice: part}))
        self._end_as_void(invoice)
        self.refunds += to_send
        for refund in to_send:
            self._send(refund)
            if refund.state == "pending" and refund.at_gateway is None:
                break  # no answer: the worker sends the others

    def _end_as_void(self, invoice: Invoice) -> None:
        self._unsettle(invoice, sum(invoice.settled))
        invoice.state = "void"
        if invoice.quote:
            invoice.quote.state, invoice.quote.invoice = "accepted", None
            deposit = self.deposit_of(invoice.quote)
            self._alert_unallocated(deposit if deposit and deposit.was_taken else None)

    def write_off(self, invoice: Invoice) -> None:
        refuse("invoice_not_sent", when=invoice.state != "sent")
        self._cancel_collection(invoice, "invoice_written_off")
        invoice.state = "written_off"

    def reopen(self, invoice: Invoice) -> None:
        """Reopens an invoice; no request revives (R4)."""
        refuse("conflict", when=invoice.state != "written_off")
        invoice.state = "sent"

    def _cancel_collection(self, invoice: Invoice, reason: str) -> None:
        payment = self.under_way(invoice)
        refuse("payment_in_progress", when=payment and payment.is_committed)
        if request := self.open_request(invoice):
            self.end(request, "canceled", reason)
        self.close_payment(payment)

    def _check_committed(self, invoice: Invoice, due: int) -> None:
        """Refuses an act that leaves less due than a committed payment needs (R7)."""
        payment = self.committed(invoice)
        refuse("payment_in_progress", when=payment and payment.amount > due)

    def _apply_effects(self, invoice: Invoice, reason: str, *, bounced: bool = False) -> None:
        """Ends the request and the payment that no longer fit the amount due (R7)."""
        if invoice.state == "draft":
            return
        request, payment = self.open_request(invoice), self.under_way(invoice)
        if request and request.amount > self.due(invoice):
            self.end(request, "canceled", reason)
        self.update_paid_state(invoice, bounced=bounced)
        if payment and payment.amount > self.due(invoice):
            self.close_payment(payment)

    # Requests

    def ask(self, invoice: Invoice, amount: int, expires_at: datetime | None, form: str) -> None:
        """Requests a payment: at most one is open, up to the amount due (R1, R2); a repeated form is ignored (P8)."""
        if self._sent_before(form, invoice, amount):
            return
        refuse("invoice_not_sent", when=invoice.state != "sent")
        refuse("payments_not_enabled", when=not self.payments_on)
        refuse("payment_request_open", when=self.open_request(invoice))
        refuse("payment_in_progress", when=self.committed(invoice))
        refuse("invalid", when=expires_at and expires_at <= self.now)
        refuse("amount_too_small", when=amount <= 0)
        refuse("amount_exceeds_due", when=amount > self.due(invoice))
        refuse("amount_too_small", when=amount < self.gateway.minimum[invoice.currency])
        refuse("invalid", when=amount % STEP[invoice.currency])
        request = Request(f"request {len(self.requests) + 1}", invoice, amount, expires_at)
        self.requests.append(request)
        self.mails.append(Mail(request))
        self._keep(form, invoice, amount)

    def _sent_before(self, form: str, invoice: Invoice, amount: int) -> bool:
        """Returns whether this form was submitted before; refuses it with other values or a reversed payment."""
        if form not in self.forms:
            return False
        *earlier_form, payment = self.forms[form]
        refuse(
            "conflict", when=earlier_form != [invoice, amount] or (payment and payment.state == "reversed")
        )
        return True

    def _keep(self, form: str, invoice: Invoice, amount: int, payment: Payment | None = None) -> None:
        self.forms[form] = invoice, amount, payment

    def resend(self, request: Request) -> None:
        """Resends the link of a request that can be paid, and is not being paid (R5)."""
        refuse("too_late", when=request.state != "open" or request.is_over(self.now))
        refuse("payment_in_progress", when=self.committed(request.invoice))
        self.mails.append(Mail(request))

    def cancel(self, request: Request) -> None:
        """Cancels a request at once, unless a payment is committed (R4)."""
        if request.reason == "by_member":
            return
        refuse("too_late", when=request.state != "open")
        payment = self.under_way(request.invoice)
        refuse("payment_in_progress", when=payment and payment.request is request and payment.is_committed)
        self.close_payment(self.end(request, "canceled", "by_member"))

    # Offline payments and credit

    def record(self, invoice: Invoice, amount: int, form: str, *, keep_rest: bool, paid_on: date) -> None:
        """Records an offline payment; a surplus is accepted only as credit."""
        if self._sent_before(form, invoice, amount):
            return
        refuse("too_late", when=invoice.state == "paid")
        refuse("invoice_not_sent", when=invoice.state in ("draft", "void"))
        refuse("amount_too_small", when=amount <= 0)
        refuse("amount_exceeds_due", when=amount > self.due(invoice) and not keep_rest)
        fits = min(amount, self.due(invoice))
        self._check_committed(invoice, self.due(invoice) - fits)
        payment = self.recorded(invoice, amount)
        payment.paid_on = paid_on
        self.allocate(payment, invoice, fits)
        self._keep(form, invoice, amount, payment)
        self._apply_effects(invoice, "offline_payment")

    def recorded(self, document: object, amount: int) -> Payment:
        """Returns a new offline payment."""
        name = f"payment {len(self.payments) + 1}"
        payment = Payment(name, document, amount, self.now, offline=True, accepted=True)  # type: ignore[arg-type]
        payment.state, payment.captured, payment.settled_at = "succeeded", amount, self.now
        self.payments.append(payment)
        return payment

    def reverse(self, payment: Payment) -> None:
        """Reverses an offline payment, and removes all its allocations (M2)."""
        if payment.state == "reversed":
            return
        refuse("conflict", when=not payment.offline or payment.refunded)
        stood_on, payment.allocations, payment.state = payment.allocations, {}, "reversed"
        for invoice in stood_on:
            if stood_on[invoice]:
                self._unsettle(invoice, sum(invoice.settled))
            self._apply_effects(invoice, "invoice_changed", bounced=True)

    def settle(self, invoice: Invoice) -> None:
        """All that is due needs no payment (M2)."""
        refuse("invoice_not_sent", when=invoice.state != "sent")
        self._check_committed(invoice, 0)
        invoice.settled.append(self.due(invoice))
        self._apply_effects(invoice, "invoice_paid")

    def follow_settled(self, invoice: Invoice) -> None:
        """Ends what no longer fits the amount due (R7)."""
        self._apply_effects(invoice, "invoice_changed" if self.due(invoice) else "invoice_paid")

    def take_back(self, invoice: Invoice, n: int) -> None:
        """The rest is due after all."""
        refuse("conflict", when=invoice.state == "written_off" or not invoice.settled[n])
        invoice.settled[n] = 0
        self._apply_effects(invoice, "invoice_changed")

    def refund_credit(self, customer: int, currency: str, amount: int) -> None:
        """Credit that went back outside, the oldest first, no unit twice (M3, M8)."""
        refuse("amount_too_small", when=amount <= 0)
        refuse("invalid", when=amount > self.credit(customer, currency))
        left = amount
        for payment in self.with_credit(customer, currency):
            part = min(left, payment.spendable)
            payment.refunded += part
            left -= part
            self.end_deposit(payment, waits=False)

    def refund_payment(self, payment: Payment, amount: int) -> None:
        """Its credit first, then off the latest invoice, where it is due again (M2)."""
        refuse("conflict", when=payment.state != "succeeded" or not self.left(payment))
        refuse("amount_too_small", when=amount <= 0)
        refuse("invalid", when=amount > self.left(payment))
        self.deduct(payment, amount)

    def apply_credit(self, invoice: Invoice, amount: int, form: str) -> None:
        """Allocates the credit, the oldest payment first, no unit twice (M3)."""
        if self._sent_before(form, invoice, amount):
            return
        refuse("invoice_not_sent", when=invoice.state in ("draft", "paid", "void"))
        refuse("amount_too_small", when=amount <= 0)
        refuse("amount_exceeds_due", when=amount > self.due(invoice))
        refuse("invalid", when=amount > self.credit(invoice.customer, invoice.currency))
        self._check_committed(invoice, self.due(invoice) - amount)
        left = amount
        for payment in self.with_credit(invoice.customer, invoice.currency):
            part = min(left, payment.spendable)
            self.allocate(payment, invoice, part)
            left -= part
        self._keep(form, invoice, amount)
        self._apply_effects(invoice, "invoice_changed" if self.due(invoice) else "invoice_paid")

    def release(self, invoice: Invoice, payment: Payment) -> None:
        """Releases the allocation of a payment into credit; the amount is due again."""
        refuse("conflict", when=not payment.allocations.get(invoice))
        self.allocate(payment, invoice, -payment.allocations[invoice])
        self._apply_effects(invoice, "invoice_changed", bounced=True)

    def set_payments_enabled(self, *, on: bool) -> None:
        self.payments_on = on
