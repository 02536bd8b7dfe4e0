"""Rules of customers with a link: open it, press Pay, pay at the gateway's checkout, and return."""

from __future__ import annotations

import httpx
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from partway.billing.payments.refresh import refresh_payment
from partway.billing.payments.start import check_payable, start_payment
from partway.lib.money import Money
from tests.model.gateway_model import ANSWERS
from tests.model.organization_model import (
    Invoice,
    Payment,
    PaymentTarget,
    Quote,
    Request,
    document_of,
    request_of,
)
from tests.model.reference_model import ReferenceModel
from tests.model.state_machine import PartwayMachine
from tests.model.strategies import has_candidate, is_payable, link, one, seldom, tab

ways = st.sampled_from(["good", "debit", "good", "confirming", *ANSWERS])


def is_on_the_form(_: ReferenceModel, payment: Payment) -> bool:
    """Returns whether the checkout page still shows the card form."""
    return payment.checkout is not None and payment.checkout.status == "open"


def is_over(books: ReferenceModel, request: Request) -> bool:
    """Returns whether the request has expired while it was open."""
    return request.is_over(books.now) and request.state in ("open", "expired")


class CustomerRules(PartwayMachine):
    """Acts of customers; `questions` are the open confirmations of cards."""

    def __init__(self, *outside: object) -> None:
        super().__init__(*outside)
        self.questions: dict[Payment, tuple[int, httpx.Response]] = {}

    @rule(source=link(is_payable), stale=seldom)
    def start(self, source: PaymentTarget, stale: bool) -> None:
        """Opens the page of a link and presses Pay, possibly on an outdated page with another amount."""
        self.view_link(source)
        self.begin(source, stale=stale)

    @precondition(lambda self: any(is_over(self.books, request) for request in self.books.requests))
    @rule(request=one("requests", is_over))
    def open_expired_link(self, request: Request) -> None:
        """Opens an expired link and tries to pay by it."""
        self.view_link(request)
        self.begin(request, stale=False)

    def view_link(self, source: PaymentTarget) -> None:
        """Opens a page, which changes nothing."""
        row, before = self.row(source), self.stored
        self.act("open page", lambda: self.books.view_link(source), lambda: check_payable(row, now=self.now))
        assert self.stored == before

    def begin(self, source: PaymentTarget, *, stale: bool) -> Payment | None:
        """Starts a payment; returns it when the customer reached the checkout page."""
        row, document = self.row(source), document_of(source)
        amount = self.books.amount_to_pay(document, request_of(source)) - (1 if stale else 0)
        shown = Money(amount, document.currency)
        started = self.act(
            "start",
            lambda: self.books.start(source, amount),
            lambda: start_payment(row, expected_amount=shown, payer_ip=None, now=self.now),
            refusal_changes=True,
        )
        if started is None:
            return None
        payment = self.noun(started.pk)
        if payment not in self.open_checkouts:
            self.open_checkouts.append(payment)
        return payment

    @precondition(lambda self: self.open_checkouts)
    @rule(payment=tab(is_on_the_form), how=ways)
    def pay(self, payment: Payment, how: str) -> None:
        self.fill_in(payment, how)

    def fill_in(self, payment: Payment, how: str) -> None:
        """Submits the checkout form, in whatever state the link is by now."""
        assert payment.checkout is not None
        checkout, row = payment.checkout, self.row(payment)
        pages: list[httpx.Response] = []
        answer = self.act(
            "pay",
            lambda: str(self.books.gateway.pay(checkout, how)),
            lambda: _status_of(self.gateway_driver.pay(row, how), pages),
        )
        if answer == "200":
            self.questions[payment] = checkout.question, pages[0]

    @precondition(lambda self: self.questions)
    @rule(
        payment=st.runner().flatmap(lambda self: st.sampled_from(list(self.questions))), agreed=st.booleans()
    )
    def confirm(self, payment: Payment, agreed: bool) -> None:
        self.answer(payment, agreed=agreed)

    def answer(self, payment: Payment, *, agreed: bool) -> None:
        """Answers the confirmation of a card, which the gateway may have dropped."""
        assert payment.checkout is not None
        checkout, row, (question, page) = payment.checkout, self.row(payment), self.questions[payment]
        decision = "confirm" if agreed else "refuse"
        self.act(
            "confirm",
            lambda: str(self.books.gateway.confirm(checkout, question, agreed=agreed)),
            lambda: _status_of(self.gateway_driver.confirm(row, page, decision), []),
        )

    @precondition(lambda self: self.open_checkouts)
    @rule(payment=tab(lambda _, payment: payment.is_unsettled))
    def come_back(self, payment: Payment) -> None:
        self.return_from(payment)

    def return_from(self, payment: Payment) -> None:
        """Returns from the checkout to our page, which refreshes the payment; or reloads that page."""
        row = self.row(payment)
        self.act(
            "return",
            lambda: self.books.refresh(payment),
            lambda: refresh_payment(row, now=self.now),
            refusal_changes=True,
        )

    @precondition(has_candidate("requests", is_payable))
    @rule(request=one("requests", is_payable), how=ways)
    def pay_a_request(self, request: Request, how: str) -> None:
        self.pay_and_return(request, how)

    @precondition(has_candidate("invoices", is_payable))
    @rule(invoice=one("invoices", is_payable), how=ways)
    def pay_now(self, invoice: Invoice, how: str) -> None:
        self.pay_and_return(invoice, how)

    @precondition(has_candidate("quotes", is_payable))
    @rule(quote=one("quotes", is_payable), how=ways)
    def pay_a_deposit(self, quote: Quote, how: str) -> None:
        self.pay_and_return(quote, how)

    def pay_and_return(self, source: PaymentTarget, how: str) -> None:
        """Pays from the Pay button to the receipt."""
        payment = self.begin(source, stale=False)
        if payment is not None:
            self.fill_in(payment, how)
            if how == "confirming" and payment in self.questions:
                self.answer(payment, agreed=True)
            self.return_from(payment)


def _status_of(page: httpx.Response, pages: list[httpx.Response]) -> str:
    pages.append(page)
    return str(page.status_code)
