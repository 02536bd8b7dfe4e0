"""Rules of quotes: created by members, accepted or declined by customers, and their deposits."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from partway.billing import events
from partway.billing.documents import deposits, invoices, quote_decisions, quotes
from partway.billing.documents.drafts import LineDraft
from tests.model.organization_model import Quote
from tests.model.state_machine import PartwayMachine
from tests.model.strategies import (
    currencies,
    customers,
    deposit_is_due,
    has_candidate,
    is_accepted,
    is_draft,
    is_sent,
    is_withdrawable,
    members,
    one,
    rarely,
    seldom,
    totals,
)

MOST_QUOTES = 4

percents = st.sampled_from([30, 30, 33, 100, 1, 0])
days = st.sampled_from([3, 0, 1])
mostly = st.sampled_from([True, True, False])


class QuoteRules(PartwayMachine):
    """Acts on quotes."""

    @precondition(lambda self: len(self.books.quotes) < MOST_QUOTES)
    @rule(
        customer=customers,
        currency=currencies,
        total=totals,
        percent=percents,
        valid_days=days,
        kept=seldom,
        by=members,
    )
    def create_quote(
        self, customer: int, currency: str, total: int, percent: int, valid_days: int, kept: bool, by: int
    ) -> None:
        """Creates a quote, and sends it unless it stays a draft."""
        draft = quotes.QuoteDraft(
            customer=self.customers[customer],
            currency=currency,
            valid_until=self.now.date() + timedelta(days=valid_days),
            lines=(LineDraft("Oak staircase", Decimal(1), total, Decimal(0)),),
            deposit_kind="percent" if percent else "",
            deposit_percent=Decimal(percent),
        )
        self.act(
            "create quote",
            lambda: self.books.create_quote(customer, currency, total, percent, valid_days),
            lambda: quotes.create(self.organization, draft=draft, by=self.members[by], now=self.now),
        )
        if not kept:
            self.act_on("send quote", self.books.quotes[-1], self.books.send_quote, quotes.send, by)

    @precondition(has_candidate("quotes", is_draft))
    @rule(quote=one("quotes", is_draft), by=members)
    def send_quote(self, quote: Quote, by: int) -> None:
        self.act_on("send quote", quote, self.books.send_quote, quotes.send, by)

    @precondition(has_candidate("quotes", is_sent))
    @rule(quote=one("quotes", is_sent))
    def accept(self, quote: Quote) -> None:
        row, evidence = self.row(quote), quotes.AcceptanceEvidence("Dana W.", "192.0.2.7")
        by = events.customer_actor(self.customers[quote.customer])
        self.act(
            "accept",
            lambda: self.books.accept(quote),
            lambda: quotes.accept(row, evidence=evidence, by=by, now=self.now),
        )

    @precondition(lambda self: rarely(self) and self.books.quotes)
    @rule(quote=one("quotes", is_sent))
    def decline(self, quote: Quote) -> None:
        row, by = self.row(quote), events.customer_actor(self.customers[quote.customer])
        self.act(
            "decline",
            lambda: self.books.decline(quote),
            lambda: quotes.decline(row, reason="Too dear.", by=by, now=self.now),
        )

    @precondition(has_candidate("quotes", is_sent))
    @rule(quote=one("quotes", is_sent), accepts=mostly, by=members)
    def record_decision(self, quote: Quote, accepts: bool, by: int) -> None:
        """Records what the customer said to a member."""
        row, spoken = self.row(quote), quote_decisions.SpokenDecision("Dana W.", self.now.date())
        name, model, really = (
            ("record acceptance", self.books.record_acceptance, quote_decisions.record_acceptance)
            if accepts
            else ("record decline", self.books.record_decline, quote_decisions.record_decline)
        )
        self.act(
            name,
            lambda: model(quote),
            lambda: really(row, decision=spoken, by=self.members[by], now=self.now),
        )

    @precondition(lambda self: rarely(self) and self.books.quotes)
    @rule(quote=one("quotes", is_withdrawable), by=members)
    def withdraw_quote(self, quote: Quote, by: int) -> None:
        self.act_on("withdraw quote", quote, self.books.withdraw_quote, quote_decisions.withdraw, by)

    @precondition(has_candidate("quotes", deposit_is_due))
    @rule(quote=one("quotes", deposit_is_due), by=members)
    def record_deposit(self, quote: Quote, by: int) -> None:
        """Records the deposit as a check."""
        row, check = self.row(quote), deposits.OfflineDeposit("Check", self.now.date())
        self.act(
            "record deposit",
            lambda: self.books.record_deposit(quote),
            lambda: deposits.record_deposit(row, deposit=check, by=self.members[by], now=self.now),
        )

    @precondition(has_candidate("quotes", is_accepted))
    @rule(quote=one("quotes", is_accepted), kept=st.booleans(), by=members)
    def make_invoice(self, quote: Quote, kept: bool, by: int) -> None:
        """Creates the invoice of a quote, and sends it unless it stays a draft."""
        made = self.act_on("make invoice", quote, self.books.make_invoice, quotes.create_invoice, by)
        if made is not None and not kept:
            self.act_on("send", quote.invoice, self.books.send, invoices.send, by)
