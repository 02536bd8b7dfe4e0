"""The changes of the books by invoices: replayed from their events, allocations and adjustments (DESIGN M2, M6)."""

from __future__ import annotations

from bisect import insort
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from itertools import groupby

from django.db.models import F, Max, Min, OuterRef, Subquery, Sum

from partway.accounts.models import Organization

from ..documents.amounts import LineAmount, tax_by_rate
from ..models import Adjustment, Allocation, Event, Invoice, InvoiceLine, Payment, Refund
from ..models.invoices import AMOUNT_DUE_MINOR
from . import accounts
from .accounts import adjustment, by_rate
from .calendar import Calendar
from .changes import Amounts, Change, Sums, difference

# The events that change what an invoice says, and those that change whether it is owed.
_CONTENT_EVENTS = ("invoice.sent", "invoice.edited", "invoice.parties_corrected")
_STATUS_EVENTS = ("invoice.voided", "invoice.written_off", "invoice.reopened", "invoice.paid")
EVENTS = (*_CONTENT_EVENTS, *_STATUS_EVENTS)

_OF_ALLOCATION = ("cause", "amount_minor", "created_at", "invoice", "payment", "refund", "dispute")
_OF_INVOICE = ("number", "customer", "currency", "discount_minor", "issued_to")

_ROWS_AT_ONCE = 2_000

Fact = Event | Allocation | Adjustment


@dataclass(frozen=True, slots=True)
class _Version:
    """The content of an invoice at one time, as accounts; `party` is the customer that it showed."""

    amounts: Amounts
    party: str


@dataclass(slots=True)
class _Books:
    """The standing of one invoice: `paid` by the account of the money, `adjusted` by reason, in minor units."""

    total: int = 0
    version: _Version = field(default_factory=lambda: _Version({}, ""))
    status: str = "draft"
    paid: Counter[str] = field(default_factory=Counter)
    adjusted: Counter[str] = field(default_factory=Counter)

    def amounts(self) -> dict[str, int]:
        """Returns the amounts of each account: what it was invoiced as, and where that is now."""
        if self.status in ("draft", "void"):
            # A deposit that it took and gave back is credit since, also after the invoice is void.
            return {**self.paid, accounts.RECEIVABLES: -self.paid.total()}
        owed = accounts.WRITE_OFFS if self.status == "written_off" else accounts.RECEIVABLES
        due = self.total - self.paid.total() - self.adjusted.total()
        reasons = {adjustment(reason): minor for reason, minor in self.adjusted.items()}
        return {**self.version.amounts, owed: due, **reasons, **self.paid}


def content_amounts(lines: Sequence[LineAmount], discount_minor: int) -> dict[str, int]:
    """Returns revenue and tax by rate, which are credit, and the discount, which is debit."""
    amounts: Counter[str] = Counter()
    for line in lines:
        amounts[by_rate("revenue", line.tax_percent)] -= line.amount_minor
    for rate in tax_by_rate(lines, discount_minor):
        amounts[by_rate("tax", rate.tax_percent)] -= rate.tax_minor
    amounts[accounts.DISCOUNTS] += min(discount_minor, sum(line.amount_minor for line in lines))
    return {key: minor for key, minor in amounts.items() if minor}


def changes(invoices: Iterable[str], calendar: Calendar) -> Iterator[Change]:
    """Yields the changes by these invoices, those of each in the order in which they were recorded.

    Five queries. Memory grows with the facts of the invoices, so the caller gives them in parts.
    """
    ids = list(invoices)
    # Only the columns that are read: most of the time is spent on making rows of the model, column by column.
    allocated = Allocation.objects.filter(invoice__in=ids).select_related("payment", "refund")
    rows: list[Fact] = [
        *Event.objects.filter(invoice__in=ids, type__in=EVENTS).only("type", "data", "created_at", "invoice"),
        *allocated.only(*_OF_ALLOCATION, "payment__paid_on", "refund__mode", "refund__refunded_on"),
        *Adjustment.objects.filter(invoice__in=ids).select_related("taken_from"),
    ]
    facts: dict[str, list[Fact]] = defaultdict(list)
    # The ids say what came first: they are given while a row is written, under the locks of its act. The worker stamps
    # all that it books in one reading with the time at which that began.
    for row in sorted(rows, key=lambda row: row.pk.partition("_")[2]):
        facts[row.invoice_id or ""].append(row)
    lines: dict[str, list[LineAmount]] = defaultdict(list)
    amounts = InvoiceLine.objects.filter(invoice__in=ids).values_list(
        "invoice", "amount_minor", "tax_percent"
    )
    for pk, amount, rate in amounts:
        lines[pk].append(LineAmount(amount, rate))
    for invoice in Invoice.objects.filter(pk__in=facts).only(*_OF_INVOICE).order_by("pk"):
        now = _Version(content_amounts(lines[invoice.pk], invoice.discount_minor), invoice.issued_to_id or "")
        yield from _Replay(invoice, calendar).run(facts[invoice.pk], now)


def standing(organization: Organization, currency: str) -> Sums:
    """Yields what stands on the accounts of the invoices now, summed up by the database from what is stored.

    What is paid of them is in `payments.standing`.
    """
    issued = Invoice.objects.for_organization(organization).filter(currency=currency, sent_at__isnull=False)
    owed = issued.exclude(status="void")
    yield accounts.DISCOUNTS, owed.aggregate(sum=Sum("discount_minor", default=0))["sum"]
    for status, due in owed.order_by().values_list("status").annotate(sum=Sum(AMOUNT_DUE_MINOR)):
        yield accounts.WRITE_OFFS if status == "written_off" else accounts.RECEIVABLES, due
    settled = Adjustment.objects.filter(invoice__in=owed).order_by()
    for reason, minor in settled.values_list("reason").annotate(sum=Sum("amount_minor")):
        yield adjustment(reason), minor
    lines = InvoiceLine.objects.filter(invoice__in=owed).order_by()
    for rate, minor in lines.values_list("tax_percent").annotate(sum=Sum("amount_minor")):
        yield by_rate("revenue", rate), -minor
    rates = lines.values("invoice").annotate(low=Min("tax_percent"), high=Max("tax_percent"))
    mixed = rates.filter(low__lt=F("high")).values("invoice")
    # The tax of an invoice of one rate is stored; that of others is rounded rate by rate.
    rate = InvoiceLine.objects.filter(invoice=OuterRef("pk")).order_by("position").values("tax_percent")[:1]
    uniform = owed.exclude(pk__in=mixed).order_by().annotate(rate=Subquery(rate))
    for percent, minor in uniform.values_list("rate").annotate(sum=Sum("tax_minor")):
        yield by_rate("tax", percent), -minor
    of_mixed = lines.filter(invoice__in=mixed).order_by("invoice", "position")
    columns = ("invoice", "invoice__discount_minor", "amount_minor", "tax_percent")
    rows = of_mixed.values_list(*columns).iterator(chunk_size=_ROWS_AT_ONCE)
    for (_, discount), of_one in groupby(rows, key=lambda row: row[:2]):
        for amount in tax_by_rate([LineAmount(*row[2:]) for row in of_one], discount):
            yield by_rate("tax", amount.tax_percent), -amount.tax_minor


class _Replay:
    """The replay of the facts of one invoice; `_history` are its changes of what is due and paid, by day.

    _latest: the latest day on which one of the facts was recorded. _typed: the moment of the last act of which a member
    typed the day, and the day on which its allocation is booked.
    """

    def __init__(self, invoice: Invoice, calendar: Calendar) -> None:
        self._invoice, self._calendar, self._books = invoice, calendar, _Books()
        self._history: list[tuple[date, int, int]] = []
        self._latest = date.min
        self._typed: tuple[datetime | None, date] = None, date.min

    def run(self, rows: Sequence[Fact], present: _Version) -> Iterator[Change]:
        versions = _versions(rows, present)
        for row in rows:
            before, due, paid = self._books.amounts(), self._due(), self._books.paid.total()
            self._apply(row, versions)
            amounts = difference(before, self._books.amounts())
            if not amounts:
                continue
            change = self._change(row, amounts)
            insort(self._history, (change.day, self._due() - due, self._books.paid.total() - paid))
            yield change

    def _due(self) -> int:
        return self._books.amounts().get(accounts.RECEIVABLES, 0)

    def _apply(self, row: Fact, versions: dict[str, _Version]) -> None:
        """Brings the books to the state after this fact. Edits of a draft are none: it is not owed yet."""
        books = self._books
        match row:
            case Allocation():
                books.paid[accounts.DEPOSITS if row.cause == "deposit" else accounts.CREDIT] += (
                    row.amount_minor
                )
            case Adjustment():
                books.adjusted[row.reason] += row.amount_minor
            case Event(type="invoice.sent"):
                books.status = "sent"
            case Event() if row.type in _STATUS_EVENTS and (books.status != "draft"):
                books.status = row.data["to"]
        if isinstance(row, Event) and row.pk in versions:
            books.version = versions[row.pk]
            books.total = row.data.get("total_minor", books.total)

    def _change(self, row: Fact, amounts: Amounts) -> Change:
        kind, act, detail = _origin(row)
        recorded_on = self._calendar.day(row.created_at)
        happened_on, is_typed = recorded_on, False
        match row:  # a day that a member typed, as of a payment that was recorded later
            case Allocation(cause="payment", payment=Payment(paid_on=date() as typed)):
                happened_on, is_typed = min(typed, recorded_on), True
            case Allocation(cause="refunded", refund=Refund(mode="offline", refunded_on=typed)):
                happened_on, is_typed = min(typed, recorded_on), True
            case Adjustment() if self._typed[0] == row.created_at:
                # Settled by that act: the goodwill of a refund, the fee that the bank kept of a payment.
                happened_on = min(self._typed[1], recorded_on)
        earliest, recorded = (
            self._calendar.booking_day(day, row.created_at, row.pk) for day in (happened_on, recorded_on)
        )
        # An act takes its moment before it waits for the lock of another one: of two around midnight the one that was
        # first, as the ids say, may have the later day. What rests on it is not booked before it.
        latest = self._latest = max(self._latest, recorded)
        day = earliest if earliest == latest else self._fitting_day(amounts, earliest, latest)
        if is_typed:
            self._typed = row.created_at, day
        return Change(
            day=day,
            # Where it fitted only later, or on the day it was recorded, that is when it happened to the invoice.
            happened_on=happened_on if day == earliest else day,
            at=row.created_at,
            of=self._invoice.pk,
            act=act,
            fact=row.pk,
            kind=kind,
            document=("invoice", self._invoice.pk),
            number=self._invoice.number or "",
            party=self._books.version.party,
            customer=self._invoice.customer_id,
            currency=self._invoice.currency,
            amounts=amounts,
            detail=detail,
        )

    def _fitting_day(self, amounts: Amounts, earliest: date, latest: date) -> date:
        """Returns the first day from `earliest` from which on this change keeps what is due within the total.

        A payment that was recorded later may be from a day on which less was due: the invoice was sent, raised or
        reopened, or another payment reversed, since. Until it fits it is the customer's credit. The same the other way
        round for a refund.
        """
        due = amounts.get(accounts.RECEIVABLES, 0)
        if not due:
            return latest
        found, room = latest, 0
        for number, (day, due_change, paid_change) in enumerate(self._history):
            room += due_change if due < 0 else paid_change
            if number + 1 < len(self._history) and self._history[number + 1][0] == day:
                continue
            if room < abs(due):
                found = latest
            elif found == latest:
                found = min(latest, day)
        return max(earliest, found)


def _versions(rows: Sequence[Fact], present: _Version) -> dict[str, _Version]:
    """Returns the version after each event that changed the content: the one that the next such event replaced."""
    after, version = {}, present
    for row in reversed(rows):
        if isinstance(row, Event) and row.type in _CONTENT_EVENTS:
            after[row.pk] = version
            # The first events of edits did not keep the lines; then nothing is known but that they were like these.
            if "lines" in (before := row.data.get("before", {})):
                lines = [
                    LineAmount(one["amount_minor"], Decimal(one["tax_percent"])) for one in before["lines"]
                ]
                amounts = content_amounts(lines, before["discount_minor"])
                version = _Version(amounts, before.get("issued_to", ""))
    return after


# The kind of an entry by the cause of its allocation.
_KINDS = {
    "payment": "payment",
    "deposit": "deposit_applied",
    "reversed": "payment_reversed",
    "credit": "credit_applied",
    "released": "credit_released",
    "edited": "invoice_edited",
    "refunded": "refund_started",
    "restored": "refund_failed",
    "disputed": "dispute_lost",
    "reinstated": "dispute_won",
}


def _origin(row: Fact) -> tuple[str, str, str]:
    """Returns the kind, the act and the detail of the change by this fact."""
    act = str(row.invoice_id)
    if isinstance(row, Event):
        return row.type.replace(".", "_"), act, ""
    if isinstance(row, Allocation):
        if row.cause in ("payment", "deposit", "reversed"):
            act = row.payment_id
        return _KINDS[row.cause], _source(row) or act, ""
    # One that an edit or a void takes back is part of its entry; so is one of a refund or a dispute.
    if row.cause not in ("invoice_changed", "invoice_voided"):
        undone = row.taken_from if row.cause in ("refund_failed", "dispute_won") else None
        act = _source(undone or row) or row.pk
    return "settled" if row.amount_minor > 0 else "settlement_taken_back", act, row.reason


def _source(row: Allocation | Adjustment) -> str | None:
    """Returns the id of the refund or the dispute that it follows from."""
    return row.refund_id or row.dispute_id
