"""A year of random acts on the books of one organization, for checks of the journal that hold after any of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import TypeVar

from django.db import transaction
from django.db.models import Model, QuerySet

from partway.accounts.models import GatewayAccount
from partway.billing import events
from partway.billing.documents import deposits, invoices, quotes, voiding
from partway.billing.documents.drafts import LineDraft
from partway.billing.errors import BillingError
from partway.billing.journal import closing
from partway.billing.ledger import allocations
from partway.billing.models import Adjustment, Customer, Dispute, Invoice, Payment, Payout, Quote, Refund
from partway.billing.payments import booking, dispute_booking, payout_booking, refund_booking
from partway.billing.receivables import (
    credit,
    dispute_losses,
    offline_payments,
    refunds,
    settlements,
    write_offs,
)
from partway.billing.receivables.offline_payments import OfflinePayment, lock_invoices
from partway.billing.receivables.refunds import OutsideRefund
from partway.billing.receivables.settlements import Settlement
from partway.gateways import protocol
from partway.gateways.protocol import CheckoutState, CheckoutStatus
from partway.gateways.sandbox.capabilities import SandboxCapabilities
from partway.lib.clock import today
from partway.lib.money import Money
from tests.support import personas

T = TypeVar("T", bound=Model)
Rows = QuerySet[T]
DAY = timedelta(days=1)
RATES = (Decimal(0), Decimal(20), Decimal("7.7"))
GATEWAY = events.gateway_actor("sandbox")


class NothingToDo(Exception):
    """There is no row that this act could be about."""


class GeneratedYear:
    """Random acts, each some hours after the one before it; `done` and `refused` count them by name."""

    def __init__(self, customer: Customer, seed: int, first: datetime) -> None:
        self.customer, self.organization, self.now = customer, customer.organization, first
        self.random, self.by = Random(seed), personas.owner_actor(customer.organization)  # noqa: S311
        self.done: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.ref = 0
        self.closed: date | None = None

    def step(self) -> str:
        """Does one act some hours later; returns its name, empty where it was refused or there is nothing to do."""
        # More than the minutes before a closing in which an act may be under way.
        self.now += timedelta(minutes=self.random.randrange(10, 4000))
        act = self.random.choice(ACTS)
        try:
            act(self)
        except NothingToDo:
            return ""
        except BillingError as error:
            self.refused[f"{act.__name__[1:]}: {error}"] += 1
            return ""
        self.done[act.__name__[1:]] += 1
        return act.__name__[1:]

    @property
    def today(self) -> date:
        return today(self.now, self.organization.time_zone)

    def _earlier(self) -> date:
        """Today, or a day before it."""
        return self.today - self.random.choice((0, 0, 1, 3, 8, 20, 45)) * DAY

    def _one(self, rows: Rows[T]) -> T:
        """One of the newest of these rows; raises NothingToDo where there is none."""
        found = list(rows.filter(organization=self.organization).order_by("-pk")[:8])
        if not found:
            raise NothingToDo
        return self.random.choice(found)

    def _minor(self, most: int) -> int:
        return self.random.choice((most, most, max(1, most // 2), max(1, most // 3), most + 500))

    def _lines(self) -> tuple[LineDraft, ...]:
        count = self.random.randrange(1, 4)
        rates = [self.random.choice(RATES) for _ in range(count)]
        return tuple(LineDraft("Work", Decimal(1), self.random.randrange(1, 60_000), rate) for rate in rates)

    def _invoice_sent(self) -> None:
        draft = invoices.InvoiceDraft(
            customer=self.customer,
            currency=self.random.choice(("USD", "USD", "EUR")),
            due_days=10,
            lines=self._lines(),
            discount_kind=(kind := self.random.choice(("", "", "percent"))),
            discount_percent=Decimal(10) if kind else Decimal(0),
        )
        made = invoices.create(self.organization, draft=draft, by=self.by, now=self.now)
        invoices.send(made, by=self.by, now=self.now)

    def _invoice_edited(self) -> None:
        one = self._one(Invoice.objects.filter(status__in=("sent", "paid")))
        draft = invoices.InvoiceDraft(
            customer=self.customer, currency=one.currency, due_on=one.due_on, lines=self._lines()
        )
        invoices.edit(one, draft=draft, expected_version=one.version, by=self.by, now=self.now)

    def _offline(self) -> None:
        one = self._one(Invoice.objects.filter(status__in=("sent", "written_off")))
        settles = self.random.random() < 0.2
        offline = OfflinePayment(
            amount=Money(max(1, self._minor(one.amount_due_minor)), one.currency),
            method=self.random.choice(("Check", "Cash")),
            paid_on=self._earlier(),
            keep_rest_as_credit=True,
            paid_before_issue=True,
            settlement=Settlement("fee", is_large_confirmed=True) if settles else None,
        )
        offline_payments.record(one, offline=offline, by=self.by, now=self.now)

    def _bounced(self) -> None:
        one = self._one(Payment.objects.filter(gateway_account__isnull=True))
        offline_payments.reverse(one, reason="Bounced.", by=self.by, now=self.now)

    @transaction.atomic
    def _online(self) -> None:
        one = self._one(Invoice.objects.filter(status__in=("sent", "paid", "void")))
        minor = max(50, self._minor(one.amount_due_minor))
        asked = {"amount_minor": minor, "currency": one.currency}
        payment = Payment.objects.create(
            organization_id=one.organization_id,
            invoice=one,
            gateway_account=GatewayAccount.objects.current(self.organization).get(),
            **asked,
            created_at=self.now,
            next_refresh_at=self.now,
        )
        events.record(
            "payment.started", payment, by=events.customer_actor(self.customer), now=self.now, data=asked
        )
        captured = "EUR" if self.random.random() < 0.05 else one.currency
        fee = Money(self.random.randrange(0, 300), self.random.choice((captured, "USD")))
        for status in (CheckoutStatus.AUTHORIZED, CheckoutStatus.CAPTURED):
            money = Money(minor, captured) if status == CheckoutStatus.CAPTURED else None
            payment.document = Invoice.objects.locked(one.pk)
            booking.apply(
                payment,
                state=CheckoutState(status, money, None, "card", "", "", fee=fee if money else None),
                capabilities=SandboxCapabilities(),
                by=GATEWAY,
                now=self.now,
            )

    def _given_back_of_payment(self) -> None:
        one = self._one(Payment.objects.succeeded())
        typed = OutsideRefund(
            Money(max(1, self._minor(one.refundable_minor)), one.captured_currency),
            "Cash",
            self._earlier(),
            reduces_invoice=self.random.random() < 0.3,
        )
        refunds.record(self.customer, refund=typed, payment=one, by=self.by, now=self.now)

    def _given_back_of_credit(self) -> None:
        if not (balances := credit.balances(self.customer)):
            raise NothingToDo
        money = self.random.choice(balances)
        typed = OutsideRefund(Money(self._minor(money.amount_minor), money.currency), "Cash", self._earlier())
        refunds.record(self.customer, refund=typed, by=self.by, now=self.now)

    def _refund_was_mistake(self) -> None:
        one = self._one(Refund.objects.filter(mode="offline"))
        refunds.reverse(one, reason="A mistake.", by=self.by, now=self.now)

    def _credit_applied(self) -> None:
        one = self._one(Invoice.objects.filter(status__in=("sent", "written_off")))
        credit.apply(
            one,
            amount=Money(
                min(one.amount_due_minor, credit.available_credit(one).amount_minor) or 1, one.currency
            ),
            by=self.by,
            now=self.now,
        )

    def _credit_released(self) -> None:
        one = self._one(Payment.objects.filter(allocated_minor__gt=0))
        pk = self.random.choice(list(allocations.amounts_by_invoice(one)))
        credit.deallocate(Invoice.objects.get(pk=pk), one, by=self.by, now=self.now)

    @transaction.atomic
    def _refund_at_gateway(self) -> None:
        one = self._one(Payment.objects.succeeded().filter(gateway_account__isnull=False))
        self.ref += 1
        status = self.random.choice((protocol.RefundStatus.PENDING, protocol.RefundStatus.SUCCEEDED))
        amount = Money(max(1, self._minor(one.captured_minor)), one.captured_currency)
        fee = self.random.choice((None, Money(-5, amount.currency), Money(7, "EUR")))
        self._report_refund(one, protocol.Refund(f"re_{self.ref}", status, amount, fee=fee))

    @transaction.atomic
    def _refund_through_gateway(self) -> None:
        one = self._one(Payment.objects.succeeded().filter(gateway_account__isnull=False))
        if not one.refundable_minor:
            raise NothingToDo
        locked = lock_invoices(one)
        refund_booking.begin(
            Payment.objects.get(pk=one.pk),
            Money(min(self._minor(one.refundable_minor), one.refundable_minor), one.captured_currency),
            locked,
            next_refresh_at=self.now,
            by=self.by,
            now=self.now,
            reason="other",
            reduces_invoice=self.random.random() < 0.3,
        )

    @transaction.atomic
    def _refund_ended(self) -> None:
        one = self._one(Refund.objects.exclude(mode="offline").filter(status__in=("pending", "succeeded")))
        if not one.gateway_ref:
            locked = lock_invoices(one.payment)
            refund_booking.fail(
                Refund.objects.get(pk=one.pk), locked, code="x", message="", by=GATEWAY, now=self.now
            )
            return
        status = self.random.choice((protocol.RefundStatus.FAILED, protocol.RefundStatus.SUCCEEDED))
        self._report_refund(one.payment, protocol.Refund(one.gateway_ref, status, one.amount))

    def _report_refund(self, payment: Payment, report: protocol.Refund) -> None:
        locked, fresh = lock_invoices(payment), Payment.objects.get(pk=payment.pk)
        refund_booking.apply(fresh, [report], locked, by=GATEWAY, now=self.now)

    @transaction.atomic
    def _disputed(self) -> None:
        payments = Payment.objects.succeeded().filter(gateway_account__isnull=False)
        one = self._one(payments)
        known = one.disputes.first()
        self.ref += 1
        status = self.random.choice(list(protocol.DisputeStatus))
        minor = self.random.choice(
            (known.amount_minor if known else one.captured_minor, max(1, one.captured_minor // 2))
        )
        report = protocol.Dispute(
            known.gateway_ref if known else f"dp_{self.ref}",
            status,
            Money(minor, one.captured_currency),
            reason="fraudulent",
            fee=Money(1500, one.captured_currency) if self.random.random() < 0.5 else None,
        )
        versions = dispute_booking.versions(one)
        locked = lock_invoices(one)
        fresh = Payment.objects.select_related("organization", "invoice", "quote").get(pk=one.pk)
        dispute_booking.apply(fresh, [report], locked, versions, by=GATEWAY, now=self.now)

    def _loss_taken(self) -> None:
        one = self._one(Dispute.objects.lost())
        left = dispute_losses.left_to_settle(one)
        dispute_losses.settle(one, expected=left, by=self.by, now=self.now)

    def _settled(self) -> None:
        one = self._one(Invoice.objects.filter(status="sent"))
        settlements.settle(
            one, settlement=Settlement("rounding", is_large_confirmed=True), by=self.by, now=self.now
        )

    def _settlement_taken_back(self) -> None:
        one = self._one(Adjustment.objects.filter(cause="settled"))
        settlements.take_back(one, by=self.by, now=self.now)

    def _written_off(self) -> None:
        one = self._one(Invoice.objects.filter(status="sent"))
        write_offs.write_off(one, by=self.by, now=self.now)

    def _reopened(self) -> None:
        one = self._one(Invoice.objects.filter(status="written_off"))
        write_offs.reopen(one, by=self.by, now=self.now)

    def _voided(self) -> None:
        one = self._one(Invoice.objects.filter(status="sent", amount_paid_minor=0))
        invoices.void(one, by=self.by, now=self.now)

    def _void_paid(self) -> None:
        one = self._one(Invoice.objects.filter(status__in=("sent", "paid"), amount_paid_minor__gt=0))
        standing = {payment.pk: minor for payment, minor in allocations.payments_on_invoice(one)}
        outcomes = {
            pk: voiding.Outcome(
                way, "Cash" if way == "outside" else "", self._earlier() if way == "outside" else None
            )
            for pk in standing
            for way in [self.random.choice(("outside", "credit"))]
        }
        plan = voiding.VoidPlan(standing, outcomes)
        voiding.void_paid(one, plan=plan, expected_version=one.version, by=self.by, now=self.now)

    def _deposit_paid(self) -> None:
        draft = quotes.QuoteDraft(
            customer=self.customer,
            currency="USD",
            valid_until=self.today + 90 * DAY,
            lines=self._lines(),
            deposit_kind="percent",
            deposit_percent=Decimal(30),
        )
        quote = quotes.create(self.organization, draft=draft, by=self.by, now=self.now)
        quotes.send(quote, by=self.by, now=self.now)
        quotes.accept(quote, evidence=quotes.AcceptanceEvidence("D", "192.0.2.7"), by=self.by, now=self.now)
        self._pay_deposit(quote)

    def _deposit_again(self) -> None:
        one = self._one(Quote.objects.filter(status="accepted"))
        self._pay_deposit(one)

    def _pay_deposit(self, quote: Quote) -> None:
        deposit = deposits.OfflineDeposit("Check", self._earlier(), paid_before_issue=True)
        deposits.record_deposit(quote, deposit=deposit, by=self.by, now=self.now)

    def _deposit_taken(self) -> None:
        one = self._one(Quote.objects.filter(status="accepted"))
        made = quotes.create_invoice(one, by=self.by, now=self.now)
        if self.random.random() < 0.5:
            draft = invoices.InvoiceDraft(
                customer=self.customer, currency=made.currency, due_on=made.due_on, lines=self._lines()
            )
            invoices.edit(made, draft=draft, expected_version=made.version, by=self.by, now=self.now)
            made.refresh_from_db()
        invoices.send(made, by=self.by, now=self.now, allow_overdue=True)

    def _paid_out(self) -> None:
        self.ref += 1
        payouts = Payout.objects.filter(organization=self.organization)
        known = payouts.last() if self.random.random() < 0.4 else None
        status = self.random.choice(list(protocol.PayoutStatus))
        minor = self.random.randrange(1_000, 20_000)
        currency = self.random.choice(("USD", "EUR"))
        items = (
            personas.payout_item("payment", minor, 100, currency=currency, ref=f"be_{self.ref}"),
            personas.payout_item("fee", -20, 0, currency=currency, ref=f"bf_{self.ref}"),
        )
        ref = f"po_{self.ref}"
        if known:
            ref, currency = known.gateway_ref, known.currency
            items = tuple(
                protocol.PayoutItem(
                    row.gateway_ref,
                    protocol.PayoutItemKind(row.kind),
                    *(Money(one, currency) for one in (row.amount_minor, row.fee_minor, row.net_minor)),
                )
                for row in known.items.order_by("position")
            )
        amount = Money(sum(item.net.amount_minor for item in items), currency)
        account = GatewayAccount.objects.current(self.organization).get()
        on = known.arrives_on if known else self.today + self.random.choice((-2, 0, 3)) * DAY
        payout_booking.apply(account, protocol.Payout(ref, status, amount, on, items), now=self.now)

    def _journal_closed(self) -> None:
        through = self.today - self.random.choice((1, 5, 20)) * DAY
        if self.closed and through <= self.closed:
            raise NothingToDo
        closing.close(self.organization, through=through, expected=self.closed, by=self.by, now=self.now)
        self.closed = through

    def _journal_reopened(self) -> None:
        if not self.closed:
            raise NothingToDo
        since = self.closed - self.random.choice((0, 3, 12)) * DAY
        closing.reopen(
            self.organization, since=since, reason="A check.", expected=self.closed, by=self.by, now=self.now
        )
        self.closed = since - DAY


# Those that begin something, and those that move money back, are tried twice as often.
_OFTEN = (
    GeneratedYear._invoice_sent,
    GeneratedYear._offline,
    GeneratedYear._online,
    GeneratedYear._given_back_of_payment,
    GeneratedYear._given_back_of_credit,
    GeneratedYear._refund_at_gateway,
    GeneratedYear._disputed,
)
ACTS: tuple[Callable[[GeneratedYear], None], ...] = (
    *_OFTEN,
    *_OFTEN,
    GeneratedYear._invoice_edited,
    GeneratedYear._bounced,
    GeneratedYear._refund_was_mistake,
    GeneratedYear._credit_applied,
    GeneratedYear._credit_released,
    GeneratedYear._refund_through_gateway,
    GeneratedYear._refund_ended,
    GeneratedYear._loss_taken,
    GeneratedYear._settled,
    GeneratedYear._settlement_taken_back,
    GeneratedYear._written_off,
    GeneratedYear._reopened,
    GeneratedYear._voided,
    GeneratedYear._void_paid,
    GeneratedYear._deposit_paid,
    GeneratedYear._deposit_again,
    GeneratedYear._deposit_taken,
    GeneratedYear._paid_out,
    GeneratedYear._journal_closed,
    GeneratedYear._journal_reopened,
)
