"""Online payments in the model: starting, refreshing, booking and closing."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from tests.model.gateway_model import GatewayCallback, GatewayRefusal, NoAnswer
from tests.model.organization_model import (
    CHECKOUT_LIFETIME,
    STEP,
    ActRefused,
    Invoice,
    OrganizationModel,
    Payment,
    PaymentTarget,
    Quote,
    Request,
    document_of,
    request_of,
)


@dataclass
class OnlinePaymentModel(OrganizationModel):
    """Payments by link and the states of their checkouts."""

    waiting: list[GatewayCallback] = field(default_factory=list)  # callbacks whose effect is not booked yet
    done: set[GatewayCallback] = field(default_factory=set)

    # Acts of a customer

    def view_link(self, source: PaymentTarget) -> None:
        """Opens the page of a link, which changes nothing."""
        document, request = document_of(source), request_of(source)
        self.check_payable(document, request, self.now)
        self._check_takeable(document, self.amount_to_pay(document, request))
        if self.committed(document):
            raise ActRefused("not_payable:busy")

    def _check_takeable(self, document: Invoice | Quote, amount: int) -> None:
        if amount < self.gateway.minimum[document.currency] or amount % STEP[document.currency]:
            raise ActRefused("not_payable:amount_not_payable")

    def start(self, source: PaymentTarget, shown: int) -> Payment:
        """Presses Pay: the same link and amount is the same checkout, another one closes the earlier first (P1)."""
        for _ in range(3):
            payment = self._claim(source, shown)
            if payment.state == "pending" and payment.request is request_of(source):
                return self._opened(payment)
            try:
                self.refresh(payment)
            except NoAnswer:
                break
        raise ActRefused("payment_in_progress")

    def _claim(self, source: PaymentTarget, shown: int) -> Payment:
        document, request = document_of(source), request_of(source)
        self.check_payable(document, request, self.now)
        amount = self.amount_to_pay(document, request)
        if shown != amount:
            raise ActRefused(
                "deposit_not_divisible" if isinstance(document, Quote) else "not_payable:changed"
            )
        unsettled = self.under_way(document)
        if unsettled and not self._can_be_replaced(unsettled, request, amount):
            return unsettled
        self._check_many(document, request)  # first, so that a refused start closes no other checkout (P8)
        self._check_takeable(document, amount)
        if unsettled:
            self.withdraw(unsettled)
            return unsettled
        payment = Payment(f"payment {len(self.payments) + 1}", document, amount, self.now, request)
        self.payments.append(payment)
        return payment

    def _can_be_replaced(self, unsettled: Payment, request: Request | None, amount: int) -> bool:
        fresh = self.now < unsettled.checkout_started_at + CHECKOUT_LIFETIME
        same = unsettled.request is request and unsettled.amount == amount and fresh
        return unsettled.state == "pending" and not same

    def _check_many(self, document: Invoice | Quote, request: Request | None) -> None:
        an_hour_ago = self.now - timedelta(hours=1)
        same = [one for one in self.payments if one.document is document and one.request is request]
        begun = [one for one in same if one.checkout_started_at > an_hour_ago and not one.offline]
        if len(begun) >= self.checkouts_per_link:
            raise ActRefused("rate_limited")

    def _opened(self, payment: Payment) -> Payment:
        try:
            self._apply_state(payment)
        except NoAnswer as error:
            raise ActRefused("gateway_unavailable") from error
        if payment.checkout is None:  # refused
            raise ActRefused("gateway_unavailable")
        return payment

    def _apply_state(self, payment: Payment) -> None:
        """Opens the checkout if that is not known; a payment that the gateway refuses to open is over."""
        if payment.checkout is None and payment.is_unsettled:
            try:
                payment.checkout = self.gateway.start(payment, payment.amount, payment.currency)
            except GatewayRefusal:
                self._settle(payment, "canceled" if payment.state == "closing" else "failed")

    # Refreshing

    def send_surplus_back(self, payment: Payment, surplus: int) -> None:
        """Begins to send back what came in and fits nowhere, where no bank can take it back (P3)."""
        raise NotImplementedError

    def apply_refunds(self, payment: Payment) -> None:
        """Books what is new in the gateway's refunds of a payment."""
        raise NotImplementedError

    def apply_disputes(self, payment: Payment) -> None:
        """Books what is new in the gateway's disputes of a payment."""
        raise NotImplementedError

    def refresh(self, payment: Payment, gateway_callback: GatewayCallback | None = None) -> None:
        """Fetches the checkout, books it, and calls the gateway with the decision (P6); raises NoAnswer."""
        self._apply_state(payment)
        if payment.checkout is None:
            return
        self.gateway.fetch(payment.checkout)
        self._hear(gateway_callback)
        while act := self._apply_checkout_state(payment):
            try:
                if act == "capture":
                    self.gateway.capture(payment.checkout)
                elif self.close(payment) == "taken":
                    self.gateway.fetch(payment.checkout)
                else:
                    return
            except NoAnswer:
                return
            except GatewayRefusal:
                self.gateway.fetch(payment.checkout)

    def _apply_checkout_state(self, payment: Payment) -> str:
        """Applies the state of the checkout; returns the next call to the gateway, if any."""
        assert payment.checkout is not None
        truth = payment.checkout.status
        if truth == "captured":
            if payment.captured is None:
                self._book(payment)
            self.apply_refunds(payment)
            self.apply_disputes(payment)
            if self.gateway.says_fee:
                payment.fee = payment.checkout.fee
        elif truth in ("closed", "failed") and payment.is_unsettled:
            given_up = payment.state in ("closing", "releasing")
            self._settle(payment, "canceled" if given_up else "failed")
        elif truth == "processing" and payment.state in ("pending", "closing"):
            payment.accepted = self.is_wanted(payment)
            payment.state = "processing"
            if not payment.accepted:
                self.flags.add(("unwanted_debit", payment))
        elif truth == "authorized" and payment.is_unsettled:
            return self._decide(payment)
        elif truth == "open" and payment.state in ("closing", "releasing"):
            return "close"
        return ""

    def _decide(self, payment: Payment) -> str:
        """Decides once whether an authorized amount is captured, before any call (P2)."""
        if payment.state == "pending":
            payment.state = "capturing" if self.is_wanted(payment) else "releasing"
        elif payment.state == "closing":
            payment.state = "releasing"
        return "capture" if payment.state == "capturing" else "close"

    def _settle(self, payment: Payment, state: str) -> None:
        payment.state, payment.settled_at = state, self.now

    def _book(self, payment: Payment) -> None:
        """Books the captured amount (M4); when it is not wanted it becomes credit (P3)."""
        assert payment.checkout is not None
        taken, document = payment.checkout.captured, payment.document
        undecided = payment.state in ("pending", "closing")
        wanted = self.is_wanted(payment) if undecided else payment.is_committed
        if isinstance(document, Quote) and taken < document.deposit:
            wanted = False  # a part of a deposit does not count (D1)
        payment.captured, payment.accepted = taken, wanted
        self._settle(payment, "succeeded")
        if wanted and isinstance(document, Invoice):
            self._allocate_to(document, payment)
        is_deposit = wanted and isinstance(document, Quote)
        surplus = 0 if is_deposit else payment.unallocated
        if surplus:
            self.send_surplus_back(payment, surplus)
        if taken != payment.amount:
            self.flags.add(("captured_amount_mismatch", payment))
        elif surplus:
            self.flags.add(("unwanted_payment", payment))

    def _allocate_to(self, invoice: Invoice, payment: Payment) -> None:
        self.allocate(payment, invoice, min(payment.captured or 0, self.due(invoice)))
        if payment.request:
            payment.request.state = "paid"
        elif overtaken := self.open_request(invoice):
            reason = "invoice_changed" if self.due(invoice) else "invoice_paid"
            self.end(overtaken, "canceled", reason)
        self.update_paid_state(invoice)

    def deliver_callback(self, gateway_callback: GatewayCallback) -> bool:
        """Stores a callback once and processes it now or later (P7); returns whether it is processed."""
        if gateway_callback not in self.done and gateway_callback not in self.waiting:
            self.waiting.append(gateway_callback)
        if gateway_callback in self.waiting:
            self.process_callback(gateway_callback)
        return gateway_callback in self.done

    def process_callback(self, gateway_callback: GatewayCallback) -> None:
        """Processes a stored callback; it stays pending while its payment or the outcome is unknown."""
        payment = gateway_callback.checkout.reference
        try:
            if payment.checkout is None:  # its start got no answer
                self.gateway.found(gateway_callback.checkout, gateway_callback.kind)
                self.refresh(payment)
            if payment.checkout is not None:
                self.refresh(payment, gateway_callback)
        except NoAnswer:
            pass

    def _hear(self, gateway_callback: GatewayCallback | None) -> None:
        if gateway_callback is not None and gateway_callback in self.waiting:
            self.waiting.remove(gateway_callback)
            self.done.add(gateway_callback)

    # Closing

    def withdraw(self, payment: Payment) -> bool:
        """Decides to close a payment that holds no money; returns whether the gateway must be called."""
        if payment.state == "pending":
            payment.state = "closing"
        return payment.state in ("closing", "releasing")

    def close(self, payment: Payment) -> str:
        """Closes the checkout; returns closed, captured or unknown."""
        if payment.checkout is None:
            return "unknown"
        try:
            status = self.gateway.close(payment.checkout)
        except NoAnswer:
            return "unknown"
        if status not in ("closed", "failed"):
            return "taken"
        if payment.state in ("closing", "releasing"):
            self._settle(payment, "canceled")
        return "closed"

    def close_payment(self, payment: Payment | None) -> None:
        """Withdraws a payment and closes its checkout, if it is open."""
        if payment is not None and self.withdraw(payment):
            self.close(payment)

    def end(self, request: Request, state: str, reason: str = "") -> Payment | None:
        """Ends a request for good (R4); returns its payment to be closed."""
        request.state, request.reason = state, reason
        payment = self.under_way(request.invoice)
        return payment if payment and payment.request is request else None

    # Allocations

    def allocate(self, payment: Payment, invoice: Invoice, amount: int) -> None:
        """Allocates a part of a payment to an invoice, or removes an allocation."""
        payment.allocations[invoice] = payment.allocations.get(invoice, 0) + amount

    def update_paid_state(self, invoice: Invoice, *, bounced: bool = False) -> None:
        """Marks an invoice paid when nothing is due, and sent when something is, or written off as it was before."""
        if invoice.state in ("sent", "written_off") and self.due(invoice) == 0:
            invoice.was_written_off = invoice.state == "written_off"
            invoice.state = "paid"
        elif invoice.state == "paid" and self.due(invoice) > 0:
            invoice.state = "written_off" if bounced and invoice.was_written_off else "sent"
