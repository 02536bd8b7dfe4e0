"""The complete reference model: adds quotes and the jobs of the worker to members and links."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from tests.model.gateway_model import NoAnswer
from tests.model.member_acts_model import MemberActModel, refuse
from tests.model.organization_model import (
    EXPIRY_GRACE_PERIOD,
    STEP,
    Invoice,
    Payment,
    Quote,
    Request,
)


@dataclass
class ReferenceModel(MemberActModel):
    """The complete model of one organization."""

    # Quotes

    def create_quote(self, customer: int, currency: str, total: int, percent: int, valid_days: int) -> Quote:
        valid_until = self.now.date() + timedelta(days=valid_days)
        quote = Quote(f"quote {len(self.quotes) + 1}", customer, currency, total, percent, valid_until)
        self.quotes.append(quote)
        return quote

    def send_quote(self, quote: Quote) -> None:
        """Sends a quote; refuses a deposit that no checkout accepts."""
        refuse("conflict", when=quote.state != "draft")
        refuse("invalid", when=self._is_over(quote))
        refuse("invalid", when=0 < quote.deposit < self.gateway.minimum[quote.currency])
        refuse("invalid", when=quote.deposit % STEP[quote.currency])
        quote.state = "sent"

    def accept(self, quote: Quote) -> None:
        """Accepts a quote; a second click has no effect."""
        if quote.state not in ("accepted", "invoiced"):
            self._check_open(quote)
            quote.state = "accepted"

    def decline(self, quote: Quote) -> None:
        if quote.state != "declined":
            self._check_open(quote)
            quote.state = "declined"

    def record_acceptance(self, quote: Quote) -> None:
        """Records a spoken yes; unlike a click it is refused once the quote is accepted."""
        self._check_open(quote)
        quote.state = "accepted"

    def record_decline(self, quote: Quote) -> None:
        self._check_open(quote)
        quote.state = "declined"

    def withdraw_quote(self, quote: Quote) -> None:
        """Withdraws a quote, unless a deposit waits for its invoice or is committed (D10)."""
        if quote.state == "withdrawn":
            return
        refuse("conflict", when=quote.state == "draft")
        deposit = self.deposit_of(quote)
        refuse("too_late", when=quote.state not in ("sent", "accepted"))
        refuse("too_late", when=deposit and not deposit.was_taken)
        refuse("payment_in_progress", when=self.committed(quote))
        self.close_payment(self.under_way(quote))
        quote.state = "withdrawn"

    def _check_open(self, quote: Quote) -> None:
        refuse("conflict", when=quote.state == "draft")
        refuse("too_late", when=quote.state != "sent" or self._is_over(quote))

    def _is_over(self, quote: Quote) -> bool:
        return quote.valid_until < self.now.date()

    def record_deposit(self, quote: Quote) -> None:
        """Records the whole deposit as a check, once (D1)."""
        refuse("too_late", when=self.deposit_of(quote))
        refuse("conflict", when=quote.deposit == 0)
        refuse("too_late", when=quote.state in ("invoiced", "declined", "expired", "withdrawn"))
        refuse("conflict", when=quote.state != "accepted")
        refuse("payment_in_progress", when=self.committed(quote))
        waiting = self.under_way(quote)
        self.recorded(quote, quote.deposit)
        self.close_payment(waiting)

    def make_invoice(self, quote: Quote) -> None:
        """Creates the invoice of a quote, once, and not while its deposit is committed (D2)."""
        if quote.state == "invoiced":
            return
        refuse("conflict", when=quote.state != "accepted")
        refuse("payment_in_progress", when=self.committed(quote))
        name = f"invoice {len(self.invoices) + 1}"
        quote.invoice = Invoice(name, quote.customer, quote.currency, quote.total, quote)
        quote.state = "invoiced"
        self.invoices.append(quote.invoice)
        self.close_payment(self.under_way(quote))

    # The jobs of the worker

    def refresh_unsettled_payments(self) -> None:
        """Fetches unsettled payments; without a response they are fetched again later (P5)."""
        for payment in [payment for payment in self.payments if payment.is_unsettled]:
            self._ask(payment)

    def _ask(self, payment: Payment) -> None:
        try:
            self.refresh(payment)
        except NoAnswer:
            return

    def process_pending_callbacks(self) -> None:
        for gateway_callback in list(self.waiting):
            self.process_callback(gateway_callback)

    def read_list(self) -> None:
        """Processes each checkout of the gateway's list as if a callback had reported it."""
        try:
            listed = self.gateway.listed()
        except NoAnswer:
            return
        seen = [(checkout, checkout.status) for checkout in listed]
        for checkout, status in seen:
            payment = checkout.reference
            known_open = payment.checkout is not None and status == "open"
            unbooked = payment.captured is None and (payment.is_unsettled or status == "captured")
            if (unbooked and not known_open) or (payment.captured is not None and self.has_news(payment)):
                self._ask(payment)

    def expire_payment_requests(self) -> None:
        """Expires requests; a checkout begun in time delays it, and a committed payment prevents it."""
        for request in self.requests:
            if request.state == "open" and request.is_over(self.now):
                self._expire(request)

    def _expire(self, request: Request) -> None:
        payment = self.under_way(request.invoice)
        theirs = payment if payment and payment.request is request else None
        in_grace = request.expires_at is not None and self.now < request.expires_at + EXPIRY_GRACE_PERIOD
        if theirs is None or not (theirs.is_committed or in_grace):
            self.close_payment(self.end(request, "expired"))

    def expire_quotes(self) -> None:
        for quote in self.quotes:
            if quote.state == "sent" and self._is_over(quote):
                quote.state = "expired"

    def send_mails(self) -> None:
        """Sends the queued mails; a mail with a dead link, or with one that is being paid, is dropped (R5)."""
        for mail in self.mails:
            if mail.state == "queued":
                is_alive = mail.request.state == "open" and not mail.request.is_over(self.now)
                is_being_paid = self.committed(mail.request.invoice)
                mail.state = "sent" if is_alive and not is_being_paid else "dropped"

    def read_payouts(self) -> None:
        """Reads the gateway's payouts, of which all that is in them is booked by now; an ended one stays as it was."""
        for payout in self.gateway.payouts:
            facts = (payout.currency, payout.amount, payout.state, payout.entries, payout.of_checkouts)
            self.payouts[payout] = facts
