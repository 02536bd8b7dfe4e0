"""The statement of account of a customer: derived from the facts for a currency and a period, and never stored (M6)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import dropwhile

from django.db import transaction
from django.db.models import Q

from partway.accounts.permissions import Permission, needs
from partway.lib import clock
from partway.lib.money import Money

from .. import events, outbox
from ..errors import Invalid
from ..events import Actor
from ..models import Adjustment, Allocation, Customer, Event, Invoice, Mail, Payment, Quote, Refund
from ..models.fields import MoneyOf
from ..models.payments import RECEIVED_STATUSES, PaymentQuerySet
from ..outbox import Recipients
from ..requests.payment_requests import LinkRecipients
from ..snapshots import snapshot

_INVOICE_EVENTS = (
    "invoice.sent",
    "invoice.edited",
    "invoice.voided",
    "invoice.written_off",
    "invoice.reopened",
    "invoice.paid",
)
Fact = Event | Allocation | Adjustment


@dataclass(frozen=True, slots=True)
class Movement:
    """One change of what a customer owes: `amount` is positive where it grew, `balance` is what it is then.

    kind: issued, changed, voided, written_off, reopened, settled, settlement_taken_back, payment, deposit,
    payment_reversed, refund_pending, refunded, dispute_lost, dispute_won (after it was lost), or write_off_paid: a
    payment of what was written off, so that the loss is smaller.
    `detail`: the method of a payment or a refund, the reason of a rest that was settled; a code or a member's word.
    `due_minor` is by how much it changes what is due on the invoice: all but what moves between invoice and credit.
    """

    day: date
    at: datetime
    kind: str
    document: Invoice | Quote
    currency: str
    amount_minor: int
    due_minor: int = 0
    due_on: date | None = None  # the day that the invoice is due since this movement, where it sets one
    detail: str = ""
    reference: str = ""
    balance_minor: int = 0

    amount = MoneyOf("amount_minor")
    balance = MoneyOf("balance_minor")


@dataclass(frozen=True, slots=True)
class Statement:
    """The balance of a customer at the beginning and at the end of a period, and each movement between the two.

    `opening` is the balance before `since`, `closing` that of `until`; both count as negative what the customer has to
    their credit. `due`, `overdue` and `credit` are of `as_of`, which is `until`, or today where that is earlier:
    closing = due − credit. Deposits that wait for their invoice are part of `credit`.
    """

    customer: Customer
    currency: str
    since: date
    until: date
    as_of: date
    opening: Money
    movements: tuple[Movement, ...]
    closing: Money
    due: Money
    overdue: Money
    credit: Money


def currencies(customer: Customer) -> list[str]:
    """Returns the currencies of the customer's account, in order; the organization's where it is empty."""
    invoiced = Invoice.objects.filter(customer=customer, sent_at__isnull=False).values_list(
        "currency", flat=True
    )
    paid = _received(customer).values_list("captured_currency", flat=True)
    return sorted({*invoiced, *paid}) or [customer.organization.currency]


def statement(customer: Customer, *, currency: str, since: date, until: date, now: datetime) -> Statement:
    """Returns the statement of the days from `since` to `until`, both included, where the organization is (D7)."""
    as_of = min(until, clock.today(now, customer.organization.time_zone))
    # What is due, the credit and the balance are read from several tables: of one moment, so that they fit.
    # A form that was kept during a sign-in is shown in a transaction that is rolled back.
    with snapshot(joins=True):
        movements = sorted(_movements(customer, currency), key=lambda one: (one.day, one.at))
    balance = opening = 0
    shown = []
    for one in movements:
        if one.day > until:
            break
        balance += one.amount_minor
        if one.day < since:
            opening = balance
        elif one.amount_minor:
            shown.append(replace(one, balance_minor=balance))
    due, overdue = _due(movements, as_of)
    return Statement(
        customer=customer,
        currency=currency,
        since=since,
        until=until,
        as_of=as_of,
        opening=Money(opening, currency),
        movements=tuple(shown),
        closing=Money(balance, currency),
        due=Money(due, currency),
        overdue=Money(overdue, currency),
        credit=Money(due - balance, currency),
    )


@needs(Permission.SEND_STATEMENTS)
@transaction.atomic
def send(
    customer: Customer,
    *,
    currency: str,
    since: date,
    until: date,
    recipients: LinkRecipients,
    by: Actor,
    now: datetime,
    idempotency_key: str | None = None,
) -> Event:
    """Mails the statement of a period with its link, once for each `idempotency_key` (P8), and returns its event.

    The link opens this currency and these days for ever. A period that is not over ends today, so that the holder of
    the link learns nothing of what comes later. Raises Invalid on addresses, RateLimited.
    """
    if previous := events.by_idempotency_key(customer.organization, idempotency_key):
        return previous
    data, addresses = _as_sent(customer, currency, (since, until), recipients, now)
    event = events.record(
        "customer.statement_sent", customer, by=by, now=now, data=data, idempotency_key=idempotency_key
    )
    outbox.queue("statement", event, addresses)
    return event


@needs(Permission.SEND_STATEMENTS)
def preview(
    customer: Customer, *, currency: str, since: date, until: date, recipients: LinkRecipients, now: datetime
) -> Mail:
    """Returns the mail that `send` would queue now, as rows that are not stored; raises Invalid as `send` does.

    The id of its event is never used again, so the link in it opens nothing.
    """
    data, addresses = _as_sent(customer, currency, (since, until), recipients, now)
    event = Event(
        type="customer.statement_sent",
        organization=customer.organization,
        customer=customer,
        data=data,
        created_at=now,
    )
    return Mail(
        kind="statement",
        organization=customer.organization,
        event=event,
        to=addresses.to,
        cc=addresses.cc,
        bcc=addresses.bcc,
        reply_to=addresses.reply_to,
        created_at=now,
    )


def _as_sent(
    customer: Customer, currency: str, period: tuple[date, date], recipients: LinkRecipients, now: datetime
) -> tuple[dict[str, object], Recipients]:
    """Returns the data of the event and the recipients of the mail that send a period now; raises Invalid."""
    if errors := recipients.errors():
        raise Invalid(errors)
    recipients, (since, until) = recipients.normalized(), period
    last = max(since, min(until, clock.today(now, customer.organization.time_zone)))
    data: dict[str, object] = {
        "currency": currency,
        "since": since.isoformat(),
        "until": last.isoformat(),
        "to": list(recipients.to),
        "cc": list(recipients.cc),
    }
    office = customer.organization.email
    return data, Recipients(recipients.to, recipients.cc, recipients.bcc, reply_to=office)


def of_event(event: Event, *, now: datetime) -> Statement:
    """Returns the statement that this event sent, made anew. Raises LookupError for another event."""
    if event.type != "customer.statement_sent" or event.customer is None:
        raise LookupError(f"{event.type} is about no statement of account")
    since, until = (date.fromisoformat(event.data[name]) for name in ("since", "until"))
    return statement(event.customer, currency=event.data["currency"], since=since, until=until, now=now)


def _due(movements: Collection[Movement], as_of: date) -> tuple[int, int]:
    """Returns what is due on the invoices at the end of this day, and how much of that is overdue, in minor units."""
    due: dict[str, int] = defaultdict(int)
    due_on: dict[str, date | None] = {}
    for one in movements:
        if one.day <= as_of:
            due[one.document.pk] += one.due_minor
            due_on[one.document.pk] = one.due_on or due_on.get(one.document.pk)
    # A payment that was recorded days later counts from the day it was paid. Where the invoice had been written off in
    # between, less than nothing would be due on it: that part is credit until then.
    left = {pk: max(0, minor) for pk, minor in due.items()}
    late = [minor for pk, minor in left.items() if (day := due_on[pk]) and day < as_of]
    return sum(left.values()), sum(late)


def _movements(customer: Customer, currency: str) -> Iterator[Movement]:
    """Yields every movement of the account, those of each invoice in the order in which they happened."""
    ours = {"invoice__customer": customer, "invoice__currency": currency, "invoice__sent_at__isnull": False}
    facts: dict[str, list[Fact]] = defaultdict(list)
    rows: list[Fact] = [
        *Event.objects.filter(type__in=_INVOICE_EVENTS, **ours).select_related("invoice"),
        *Allocation.objects.filter(**ours).select_related("invoice", "payment", "refund"),
        *Adjustment.objects.filter(**ours).select_related("invoice", "refund"),
    ]
    # Of one act all have the same time; then the ids, which a process gives in order, say what came first.
    for row in sorted(rows, key=lambda row: (row.created_at, row.pk.partition("_")[2])):
        facts[row.invoice_id or ""].append(row)
    # Payments first: what they do to a write-off comes after them in the statement.
    yield from _of_payments(customer, currency)
    for of_invoice in facts.values():
        yield from _of_invoice(of_invoice, customer.organization.time_zone)


def _of_invoice(rows: Collection[Fact], zone: str) -> Iterator[Movement]:
    """Replays the facts of one invoice, which are in the order in which they happened."""
    due, is_given_up = 0, False
    for row in dropwhile(lambda row: not (isinstance(row, Event) and row.type == "invoice.sent"), rows):
        one = _movement(row, zone)
        due += one.due_minor
        if one.kind in ("voided", "written_off"):
            is_given_up = True
            yield replace(one, amount_minor=-due, due_minor=-due)
        elif one.kind in ("reopened", "paid"):
            back = due if is_given_up else 0
            is_given_up = False
            yield replace(one, amount_minor=back, due_minor=back)
        elif not is_given_up:
            # What a payment puts on an invoice, the movement of the payment itself takes off the balance.
            yield replace(one, amount_minor=0 if one.kind == "allocated" else one.due_minor)
        elif one.kind == "allocated":
            # Nothing was owed any more, so that the payment makes the loss smaller, and not the customer's debt.
            day = clock.today(one.at, zone)
            yield replace(one, kind="write_off_paid", day=day, amount_minor=-one.due_minor, due_minor=0)


def _movement(row: Fact, zone: str) -> Movement:
    """Returns one fact of an invoice, with `due_minor` as if it were not written off."""
    invoice = row.invoice
    assert invoice is not None, "they were selected by their invoice"  # noqa: S101
    day = clock.today(row.created_at, zone)
    match row:  # what a refund changes on the invoice counts from the day of the refund
        case (
            Adjustment(refund=Refund(refunded_on=day))
            | Allocation(cause="refunded", refund=Refund(refunded_on=day))
        ):
            pass
    one = Movement(day, row.created_at, "allocated", invoice, invoice.currency, 0)
    match row:
        case Event(type="invoice.sent" | "invoice.edited"):
            before = row.data["before"]["total_minor"] if row.type == "invoice.edited" else 0
            return replace(
                one,
                kind="changed" if row.type == "invoice.edited" else "issued",
                due_minor=row.data["total_minor"] - before,
                due_on=date.fromisoformat(row.data["due_on"]),
            )
        case Event():
            return replace(one, kind=row.type.partition(".")[2])
        case Adjustment():
            kind = "settled" if row.amount_minor > 0 else "settlement_taken_back"
            return replace(one, kind=kind, due_minor=-row.amount_minor, detail=row.reason)
    # The payment counts from its own day, and from then on its money is on the invoice.
    day = row.payment.day(zone) if row.cause == "payment" else day
    issued_on = clock.today(invoice.sent_at or invoice.created_at, zone)
    return replace(one, day=max(day, issued_on), due_minor=-row.amount_minor)


def _of_payments(customer: Customer, currency: str) -> Iterator[Movement]:
    """Yields what came in and what went back."""
    zone = customer.organization.time_zone
    payments = _received(customer).filter(captured_currency=currency).select_related("invoice", "quote")
    reversals = dict(
        Event.objects.filter(type="payment.reversed", payment__in=payments).values_list(
            "payment", "created_at"
        )
    )
    for payment in payments:
        captured = payment.captured_minor or 0
        one = Movement(
            day=payment.day(zone),
            at=payment.settled_at or payment.created_at,
            kind="deposit" if payment.quote_id else "payment",
            document=payment.document,
            currency=currency,
            amount_minor=-captured,
            detail=payment.method,
            reference=payment.reference,
        )
        yield one
        if payment.status == "reversed":
            at = reversals[payment.pk]
            day = max(one.day, clock.today(at, zone))
            yield replace(one, kind="payment_reversed", day=day, at=at, amount_minor=captured)
    yield from _of_disputes(payments, currency, zone)
    # One that was recorded by mistake, or that failed, is left out as if it had never been. A loss beyond what the
    # payment had is the organization's, and no debt of the customer.
    refunds = Refund.objects.counted().filter(payment__in=payments)
    for refund in refunds.select_related("payment__invoice", "payment__quote"):
        yield Movement(
            day=refund.refunded_on,
            at=refund.created_at,
            kind="refund_pending" if refund.status == "pending" else "refunded",
            document=refund.payment.document,
            currency=currency,
            amount_minor=refund.counted_minor,
            detail=refund.method,
            reference=refund.reference,
        )


def _of_disputes(payments: PaymentQuerySet, currency: str, zone: str) -> Iterator[Movement]:
    """Yields each dispute that was lost, and each that was won or changed after that, as their events say.

    An open one changes nothing of what is owed. A loss beyond what the payment had is the organization's.
    """
    decided = Event.objects.filter(
        Q(type="dispute.lost")
        | Q(type="dispute.won", data__from="lost")
        | Q(type="dispute.updated", data__has_key="taken_minor")
        | Q(type="dispute.loss_covered", data__status="lost"),
        payment__in=payments,
    )
    for event in decided.select_related("payment__invoice", "payment__quote").order_by("created_at", "id"):
        payment, data = event.payment, event.data
        assert payment is not None, "they were selected by their payment"  # noqa: S101
        beyond = 0 if event.type == "dispute.loss_covered" else data["lost_minor"]
        taken = data.get("taken_minor", data["amount_minor"] - beyond)
        if event.type == "dispute.won":
            taken = -taken
        yield Movement(
            day=clock.today(event.created_at, zone),
            at=event.created_at,
            kind="dispute_won" if event.type == "dispute.won" or taken < 0 else "dispute_lost",
            document=payment.document,
            currency=currency,
            amount_minor=taken,
            detail=payment.method,
        )


def _received(customer: Customer) -> PaymentQuerySet:
    return Payment.objects.of_customer(customer).filter(status__in=RECEIVED_STATUSES)
