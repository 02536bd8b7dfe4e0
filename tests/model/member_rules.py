"""Rules of members: create, send, request, record, edit and cancel."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from partway.billing.documents import invoices
from partway.billing.documents.drafts import LineDraft
from partway.billing.events import Actor
from partway.billing.models import Adjustment, Customer
from partway.billing.people import organizations
from partway.billing.receivables import credit, offline_payments, refunds, settlements, write_offs
from partway.billing.receivables.refunds import OutsideRefund
from partway.billing.receivables.settlements import Settlement
from partway.billing.requests import payment_requests
from partway.lib.ids import new_id
from partway.lib.money import Money
from tests.model.organization_model import Invoice, Payment, Request
from tests.model.state_machine import PartwayMachine
from tests.model.strategies import (
    allocated_part,
    can_take_credit,
    currencies,
    customers,
    has_candidate,
    is_allocated,
    is_draft,
    is_editable,
    is_open,
    is_owed,
    is_refundable,
    is_requestable,
    is_reversible,
    is_sent,
    is_settled,
    is_written_off,
    members,
    one,
    portion,
    portions,
    rarely,
    seldom,
    totals,
)

MOST_INVOICES = 6

ago = st.sampled_from([0, 0, 1, 3])  # days
lives = st.sampled_from([None, None, *(timedelta(minutes=m) for m in (20, 120, 60 * 48, 0))])
changes = st.sampled_from(["up", "half", "up", "to what is paid", "below that", "the same", "nothing"])


class MemberRules(PartwayMachine):
    """Acts of members on invoices, requests, offline payments and credit."""

    def __init__(self, *outside: Any) -> None:
        super().__init__(*outside)
        # The last submitted form with its idempotency key: its kind, its subject and its amount.
        self.form: tuple[str, Any, int] = ("", None, 0)
        self.idempotency_key = ""

    # Invoices

    @precondition(lambda self: len(self.books.invoices) < MOST_INVOICES)
    @rule(customer=customers, currency=currencies, total=totals, kept=seldom, by=members)
    def create_invoice(self, customer: int, currency: str, total: int, kept: bool, by: int) -> None:
        """Creates an invoice, and sends it unless it stays a draft."""
        draft = self.draft(self.customers[customer], currency, total)
        self.act(
            "create invoice",
            lambda: self.books.create_invoice(customer, currency, total),
            lambda: invoices.create(self.organization, draft=draft, by=self.members[by], now=self.now),
        )
        if not kept:
            self.act_on("send", self.books.invoices[-1], self.books.send, invoices.send, by)

    def draft(self, customer: Customer, currency: str, total: int) -> invoices.InvoiceDraft:
        """Returns a draft of one line, due 14 days after sending: however long it waits, it is never overdue then."""
        lines = (LineDraft("Oak staircase", Decimal(1), total, Decimal(0)),)
        due = {"due_on": self.now.date() + timedelta(days=14), "due_days": 14}
        return invoices.InvoiceDraft(customer=customer, currency=currency, lines=lines, **due)

    @precondition(has_candidate("invoices", is_draft))
    @rule(invoice=one("invoices", is_draft), by=members)
    def send(self, invoice: Invoice, by: int) -> None:
        self.act_on("send", invoice, self.books.send, invoices.send, by)

    @rule(invoice=one("invoices", is_editable), change=changes, stale=seldom, by=members)
    def edit(self, invoice: Invoice, change: str, stale: bool, by: int) -> None:
        """Edits an invoice in any state."""
        row, paid, before = self.row(invoice), self.books.paid(invoice), invoice.total
        total = {
            "up": before + 700,
            "half": before // 2,
            "to what is paid": paid,
            "below that": paid // 2,
            "the same": before,
            "nothing": 0,
        }[change]
        draft, version = self.draft(row.customer, invoice.currency, total), row.version - (1 if stale else 0)
        self.act(
            "edit",
            lambda: self.books.edit(invoice, total, stale=stale),
            lambda: invoices.edit(
                row, draft=draft, expected_version=version, by=self.members[by], now=self.now
            ),
        )

    @precondition(rarely)
    @rule(invoice=one("invoices", is_sent), by=members)
    def void(self, invoice: Invoice, by: int) -> None:
        self.act_on("void", invoice, self.books.void, invoices.void, by)

    @precondition(rarely)
    @rule(invoice=one("invoices", is_sent), by=members)
    def write_off(self, invoice: Invoice, by: int) -> None:
        self.act_on("write off", invoice, self.books.write_off, write_offs.write_off, by)

    @precondition(has_candidate("invoices", is_written_off))
    @rule(invoice=one("invoices", is_written_off), by=members)
    def reopen(self, invoice: Invoice, by: int) -> None:
        self.act_on("reopen", invoice, self.books.reopen, write_offs.reopen, by)

    @precondition(rarely)
    @rule(invoice=one("invoices", is_sent), by=members)
    def settle_rest(self, invoice: Invoice, by: int) -> None:
        row, settlement = self.row(invoice), Settlement("goodwill", is_large_confirmed=True)
        self.act(
            "settle rest",
            lambda: self.books.settle(invoice),
            lambda: settlements.settle(row, settlement=settlement, by=self.members[by], now=self.now),
        )

    @precondition(has_candidate("invoices", is_settled))
    @rule(invoice=one("invoices", is_settled), by=members)
    def take_back_rest(self, invoice: Invoice, by: int) -> None:
        """The latest that was settled."""
        row = Adjustment.objects.filter(invoice=self.row(invoice), cause="settled").order_by("pk").last()
        if row is not None:
            self.act(
                "take back rest",
                lambda: self.books.take_back(invoice, len(invoice.settled) - 1),
                lambda: settlements.take_back(row, by=self.members[by], now=self.now),
            )

    @precondition(rarely)
    @rule(on=st.sampled_from([True, True, False]), by=members)
    def set_payments_enabled(self, on: bool, by: int) -> None:
        self.act(
            f"switch payments {'on' if on else 'off'}",
            lambda: self.books.set_payments_enabled(on=on),
            lambda: organizations.set_payments_enabled(
                self.organization, on=on, by=self.members[by], now=self.now
            ),
        )

    # Forms with an idempotency key

    @rule(invoice=one("invoices", is_requestable), of=portions, life=lives, by=members)
    def ask(self, invoice: Invoice, of: str, life: timedelta | None, by: int) -> None:
        amount = portion(of, self.books.due(invoice), invoice.currency)
        self.send_form("request payment", (invoice, life), amount, by)

    @precondition(has_candidate("invoices", is_owed))
    @rule(invoice=one("invoices", is_owed), of=portions, keep_rest=st.booleans(), days_ago=ago, by=members)
    def record(self, invoice: Invoice, of: str, keep_rest: bool, days_ago: int, by: int) -> None:
        amount = portion(of, self.books.due(invoice), invoice.currency)
        paid_on = self.now.date() - timedelta(days=days_ago)
        self.send_form("record payment", (invoice, (keep_rest, paid_on)), amount, by)

    @precondition(has_candidate("invoices", can_take_credit))
    @rule(invoice=one("invoices", can_take_credit), of=portions, by=members)
    def apply_credit(self, invoice: Invoice, of: str, by: int) -> None:
        due, currency = self.books.due(invoice), invoice.currency
        most = min(due, self.books.credit(invoice.customer, currency) or due)
        self.send_form("apply credit", (invoice, None), portion(of, most, currency), by)

    def send_form(self, name: str, about: Any, amount: int, by: int) -> None:
        """Submits a new form."""
        self.form, self.idempotency_key = (name, about, amount), new_id("form")
        self.resubmit(by)

    @precondition(lambda self: self.idempotency_key)
    @rule(changed=seldom, by=members)
    def send_form_again(self, changed: bool, by: int) -> None:
        """Submits the last form again, as a double click does; or with another amount, which no browser would send."""
        name, about, amount = self.form
        self.form = (name, about, amount + 1 if changed else amount)
        self.resubmit(by)

    def resubmit(self, by: int) -> None:
        """Submits a form with its idempotency key."""
        submit = {"request payment": self._ask, "record payment": self._record, "apply credit": self._apply}[
            self.form[0]
        ]
        submit(*self.form[1], self.form[2], self.members[by])

    def _ask(self, invoice: Invoice, life: timedelta | None, amount: int, by: Actor) -> None:
        row, key = self.row(invoice), self.idempotency_key
        expires_at = None if life is None else self.now + timedelta(seconds=1) + life
        wanted, to = Money(amount, invoice.currency), (row.customer.email,)
        ask = payment_requests.NewPaymentRequest(wanted, to, expires_at=expires_at, idempotency_key=key)
        self.act(
            "request payment",
            lambda: self.books.ask(invoice, amount, expires_at, key),
            lambda: payment_requests.create(row, new_request=ask, by=by, now=self.now),
        )

    def _record(self, invoice: Invoice, typed: tuple[bool, date], amount: int, by: Actor) -> None:
        (keep_rest, paid_on), row, key = typed, self.row(invoice), self.idempotency_key
        offline = offline_payments.OfflinePayment(
            "Check",
            paid_on,
            amount=Money(amount, invoice.currency),
            keep_rest_as_credit=keep_rest,
            idempotency_key=key,
            paid_before_issue=True,
        )
        self.act(
            "record payment",
            lambda: self.books.record(invoice, amount, key, keep_rest=keep_rest, paid_on=paid_on),
            lambda: offline_payments.record(row, offline=offline, by=by, now=self.now),
        )

    def _apply(self, invoice: Invoice, _: None, amount: int, by: Actor) -> None:
        row, key, money = self.row(invoice), self.idempotency_key, Money(amount, invoice.currency)
        self.act(
            "apply credit",
            lambda: self.books.apply_credit(invoice, amount, key),
            lambda: credit.apply(row, amount=money, idempotency_key=key, by=by, now=self.now),
        )

    # Corrections

    @precondition(has_candidate("requests", is_open))
    @rule(request=one("requests", is_open), by=members)
    def cancel(self, request: Request, by: int) -> None:
        self.act_on("cancel", request, self.books.cancel, payment_requests.cancel, by)

    @precondition(lambda self: rarely(self) and self.books.requests)
    @rule(request=one("requests", is_open), by=members)
    def resend(self, request: Request, by: int) -> None:
        self.act_on("resend", request, self.books.resend, payment_requests.resend, by)

    @precondition(has_candidate("payments", is_reversible))
    @rule(payment=one("payments", is_reversible), by=members)
    def reverse(self, payment: Payment, by: int) -> None:
        row = self.row(payment)
        self.act(
            "reverse payment",
            lambda: self.books.reverse(payment),
            lambda: offline_payments.reverse(row, reason="It bounced.", by=self.members[by], now=self.now),
        )

    @precondition(rarely)
    @rule(customer=customers, currency=currencies, of=portions, by=members)
    def refund_credit(self, customer: int, currency: str, of: str, by: int) -> None:
        amount = portion(of, self.books.credit(customer, currency), currency)
        refund = OutsideRefund(Money(amount, currency), "Cash", self.now.date())
        self.act(
            "refund credit",
            lambda: self.books.refund_credit(customer, currency, amount),
            lambda: refunds.record(
                self.customers[customer], refund=refund, by=self.members[by], now=self.now
            ),
        )

    @precondition(lambda self: rarely(self) and self.books.payments)
    @rule(payment=one("payments", is_refundable), of=portions, by=members)
    def refund_payment(self, payment: Payment, of: str, by: int) -> None:
        amount = portion(of, (payment.captured or 0) - payment.refunded, payment.currency)
        refund = OutsideRefund(Money(amount, payment.currency), "Cash", self.now.date())
        row, customer = self.row(payment), self.customers[payment.document.customer]
        self.act(
            "refund payment",
            lambda: self.books.refund_payment(payment, amount),
            lambda: refunds.record(customer, refund=refund, payment=row, by=self.members[by], now=self.now),
        )

    @precondition(has_candidate("payments", is_allocated))
    @rule(part=allocated_part(), by=members)
    def release(self, part: tuple[Payment, Invoice], by: int) -> None:
        """Releases an allocation into credit."""
        payment, invoice = part
        row, payment_row = self.row(invoice), self.row(payment)
        self.act(
            "release credit",
            lambda: self.books.release(invoice, payment),
            lambda: credit.deallocate(row, payment_row, by=self.members[by], now=self.now),
        )
