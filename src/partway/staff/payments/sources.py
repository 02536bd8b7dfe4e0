"""The kinds of rows in the list of payments: each names its table, and how the list filters, sorts and sums it.

A new kind, such as payouts, is one more `Source` in SOURCES; the list, its filters, its sums and its files ask nothing
but the source.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from functools import reduce
from operator import or_
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.db.models import BigIntegerField, Case, CharField, Exists, F, OuterRef, Q, QuerySet, Value, When
from django.db.models.expressions import Combinable
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Coalesce

from partway.accounts.models import GatewayAccount, Organization
from partway.billing.models import Adjustment, Dispute, Event, Invoice, Payment, Quote, Refund
from partway.billing.models.payments import HAS_GONE, UNSETTLED
from partway.billing.models.search import Search
from partway.lib import clock
from partway.lib.money import Money

from ..keyset_pages import few_values
from ..payment_rows import payment_status

_COUNTING = (
    *("succeeded", "partly_refunded", "refunded", "disputed", "lost", "returned"),
    *("settled", "taken_back"),
)
_MAX_SAME_REF = 100
_NOTHING = Value(0, output_field=BigIntegerField())
_NO_CURRENCY = Value("", output_field=CharField())


class Position(NamedTuple):
    """The place of a row in the list, which has the greatest first: day, moment within the day, id."""

    day: date
    at: datetime
    pk: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the list. `amount` is what moved, negative when it went out; of an adjustment, what was settled."""

    source: Source
    pk: str
    day: date
    amount: Money
    status: str
    document: Invoice | Quote
    issued: Payment | Invoice  # shows the customer as its receipt or invoice does
    payment: Payment | None = None
    at: datetime | None = None  # the moment that decides the day; None where the day was typed
    method: str = ""
    reason: str = ""  # of an adjustment
    reference: str = ""
    note: str = ""
    is_offline: bool = False
    fee: Money | None = None  # of the payment service, once it has said it

    @property
    def net(self) -> Money | None:
        """The amount less the fee; None of what moved nothing, and of a fee that is unknown or of another currency."""
        fee = Money(0, self.amount.currency) if self.is_offline else self.fee
        if not self.counts or fee is None or fee.currency != self.amount.currency:
            return None
        return self.amount - fee

    @property
    def gateway_account(self) -> GatewayAccount | None:
        """The account that moved it; None of what was given back in cash, too."""
        return self.payment.gateway_account if self.payment and not self.is_offline else None

    @property
    def counts(self) -> bool:
        """Whether it changed what is due or paid, and does so still. An open dispute moves nothing yet."""
        is_open_dispute = self.source.kind == "dispute" and self.status == "disputed"
        return self.status in _COUNTING and not is_open_dispute


@dataclass(frozen=True, eq=False)
class Source:
    """One kind of rows, or a part of it that is sorted by another column.

    Lookups are those of Django; an empty one means that rows of this kind do not have it, so that a filter by it
    selects none of them. Expressions of money are in minor units.
    """

    kind: str
    id_prefix: str
    rows: QuerySet[Any]  # of all organizations; `select` narrows it
    amount: Combinable
    currency: Combinable
    states: Mapping[str, Q]
    related: tuple[str, ...]
    recipient: str  # lookup of the customer as the receipt or the invoice shows them
    documents: tuple[str, ...]  # lookups of the invoice and the quote
    has_member: Callable[[str], Q]
    refs: tuple[str, ...]  # columns of the ids that a search finds in full, those of the payment service too
    present: Callable[[Source, Any, str], Entry]  # the row, and the time zone of the organization
    day: str = ""  # the column of a typed day; without it, `at` decides the day
    at: Combinable = field(default_factory=lambda: F("created_at"))
    money_in: Combinable = _NOTHING
    money_out: Combinable = _NOTHING
    settled: Combinable = _NOTHING
    fee: Combinable = _NOTHING
    # The payment service settles in a currency of its own, so fees are added up apart from the amounts.
    fee_currency: Combinable = _NO_CURRENCY
    # The columns that `amount` and `currency` come from, each pair with the condition of its rows; indexes have them.
    amounts: tuple[tuple[Q, str, str], ...] = ((Q(), "currency", "amount_minor"),)
    methods: tuple[str, ...] = ()  # lookups; the first that is not empty counts
    gateway_account: str = ""
    offline: Q | None = None  # selects the rows that no payment service moved; None where there are none

    @property
    def every(self) -> QuerySet[Any]:
        """The rows of all organizations, with the columns of every kind."""
        every: QuerySet[Any] = self.rows.annotate(
            at=self.at, row_minor=self.amount, row_currency=self.currency
        )
        return every

    def select(self, organization: Organization, search: Search | None = None) -> QuerySet[Any]:
        """Returns the rows of one organization, those that were searched for, with the columns of every kind."""
        rows: QuerySet[Any] = self.every.filter(organization=organization)
        if not search:
            return rows
        ids: list[str] = []
        for column in self.refs:
            ids += rows.filter(**{column: search.typed}).values_list("pk", flat=True)[:_MAX_SAME_REF]
        return search.among(self.every, or_ids=ids)

    def order(self) -> tuple[str, ...]:
        """Returns the columns to sort by, newest first: the day comes before the moment only where it was typed."""
        return (f"-{self.day}", "-at", "-pk") if self.day else ("-at", "-pk")

    def position(self, row: tuple[Any, ...], zone: str) -> Position:
        """Returns the position of a row of `columns`."""
        pk, at = row[:2]
        return Position(row[2] if self.day else clock.today(at, zone), at, pk)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that make a position."""
        return ("pk", "at", self.day) if self.day else ("pk", "at")

    def since(self, day: date, zone: str) -> Q:
        """Selects rows of this day and later ones."""
        if self.day:
            return Q(**{f"{self.day}__gte": day})
        return Q(at__gte=datetime.combine(day, time.min, ZoneInfo(zone)))

    def until(self, day: date, zone: str) -> Q:
        """Selects rows of this day and earlier ones."""
        if self.day:
            return Q(**{f"{self.day}__lte": day})
        return Q(at__lt=datetime.combine(day + timedelta(days=1), time.min, ZoneInfo(zone)))

    # The day comes first in both conditions by itself, so that the database finds its place in the index and reads on
    # from there, instead of comparing every row that is newer.

    def older(self, than: Position, zone: str) -> Q:
        """Selects the rows after this position."""
        within = Q(at__lt=than.at) | Q(at=than.at, pk__lt=than.pk)
        return self.until(than.day, zone) & (self.until(than.day - timedelta(days=1), zone) | within)

    def newer(self, than: Position, zone: str) -> Q:
        """Selects the rows before this position."""
        within = Q(at__gt=than.at) | Q(at=than.at, pk__gt=than.pk)
        return self.since(than.day, zone) & (self.since(than.day + timedelta(days=1), zone) | within)

    def in_documents_of(self, customers: list[str]) -> Q:
        """Selects the rows whose invoice or quote is of one of these customers."""
        found = Q()
        for lookup in self.documents:
            found |= Q(**{f"{lookup}__customer__in": customers})
        return found

    def has_method(self, method: str) -> Q | None:
        """Selects the rows of a method; None where this kind has none."""
        found, all_before_are_empty = Q(), Q()
        for lookup in self.methods:
            found |= all_before_are_empty & Q(**{lookup: method})
            all_before_are_empty &= Q(**{lookup: ""})
        return found or None

    def has_amount(self, least: int, most: int, currency: str) -> Q:
        """Selects rows of this currency whose amount, without its sign, is within these minor units."""
        return reduce(or_, self.amount_conditions(least, most, currency))

    def ids_with_amount(
        self, organization: Organization, least: int, most: int, currency: str
    ) -> list[str] | None:
        """Returns the ids of the same rows of an organization; None of many."""
        mine = self.rows.filter(organization=organization)
        conditions = self.amount_conditions(least, most, currency)
        parts = [few_values(mine.filter(condition), "pk") for condition in conditions]
        return None if None in parts else [pk for part in parts if part for pk in part]

    def amount_conditions(self, least: int, most: int, currency: str) -> list[Q]:
        """Returns the same as conditions of which one holds, each of which an index has."""
        return [
            condition & Q(**{names: currency, f"{column}__gte": first, f"{column}__lte": last})
            for condition, names, column in self.amounts
            for first, last in ((least, most), (-most, -least))
        ]


def _present_payment(source: Source, payment: Payment, zone: str) -> Entry:
    return Entry(
        source=source,
        pk=payment.pk,
        day=payment.day(zone),
        at=None if payment.paid_on else payment.settled_at or payment.created_at,
        amount=payment.captured or payment.amount,
        status=payment_status(payment),
        document=payment.document,
        issued=payment,
        payment=payment,
        method=payment.method,
        reference=payment.reference,
        note=payment.note or payment.failure_message,
        is_offline=payment.is_offline,
        fee=payment.fee,
    )


def _present_refund(source: Source, refund: Refund, zone: str) -> Entry:
    return Entry(
        source=source,
        pk=refund.pk,
        day=refund.refunded_on,
        amount=-refund.amount,
        status="refund_pending" if refund.status == "pending" else refund.status,
        document=refund.payment.document,
        issued=refund.payment,
        payment=refund.payment,
        method=refund.method or refund.payment.method,
        reference=refund.reference,
        note=refund.failure_message or refund.note,
        is_offline=refund.mode == "offline",
        fee=refund.fee,
    )


def _present_dispute(source: Source, dispute: Dispute, zone: str) -> Entry:
    at = dispute.closed_at or dispute.opened_at
    return Entry(
        source=source,
        pk=dispute.pk,
        day=clock.today(at, zone),
        at=at,
        amount=-dispute.amount,
        status="disputed" if dispute.status == "open" else dispute.outcome,
        document=dispute.payment.document,
        issued=dispute.payment,
        payment=dispute.payment,
        method=dispute.payment.method,
        reference=dispute.gateway_ref,
        note=str(dispute.get_reason_display()),
        fee=dispute.fee or Money(0, dispute.currency),
    )


def _present_adjustment(source: Source, adjustment: Adjustment, zone: str) -> Entry:
    return Entry(
        source=source,
        pk=adjustment.pk,
        day=clock.today(adjustment.created_at, zone),
        at=adjustment.created_at,
        amount=adjustment.amount,
        status="taken_back" if adjustment.amount_minor < 0 else "settled",
        document=adjustment.invoice,
        issued=adjustment.invoice,
        reason=adjustment.reason,
        note=adjustment.note,
    )


_SUCCEEDED = Q(status="succeeded")
_IS_REFUNDED = HAS_GONE & Q(refunded_minor__gt=0, frozen_minor=0, lost_minor=0)
_ALL_IS_REFUNDED = HAS_GONE & Q(refunded_minor=F("captured_minor"))
_OF_REFUND = Event.objects.annotate(refund=KeyTextTransform("refund", "data")).filter(
    payment=OuterRef("payment"), refund=OuterRef("pk")
)
_FEE = Coalesce("fee_minor", 0)
_IN_PAYMENTS = Case(When(_SUCCEEDED, then=F("captured_minor")), default=_NOTHING)

ONLINE = Source(
    kind="payment",
    id_prefix="pay_",
    rows=Payment.objects.filter(paid_on__isnull=True),
    at=Coalesce("settled_at", "created_at"),
    amount=Coalesce("captured_minor", "amount_minor"),
    # What is booked is what was taken, in whatever currency that was (DESIGN M4).
    currency=Case(When(captured_currency="", then=F("currency")), default=F("captured_currency")),
    amounts=(
        (Q(), "captured_currency", "captured_minor"),
        (Q(captured_minor__isnull=True), "currency", "amount_minor"),
    ),
    money_in=_IN_PAYMENTS,
    fee=_FEE,
    fee_currency=F("fee_currency"),
    states={
        "succeeded": _SUCCEEDED,
        "in_progress": Q(status__in=UNSETTLED),
        "failed": Q(status="failed"),
        "canceled": Q(status="canceled"),
        "reversed": Q(status="reversed"),
        "disputed": HAS_GONE & Q(frozen_minor__gt=0),
        "lost": HAS_GONE & Q(frozen_minor=0, lost_minor__gt=0),
        "refunded": _SUCCEEDED & _IS_REFUNDED & _ALL_IS_REFUNDED,
        "partly_refunded": _SUCCEEDED & _IS_REFUNDED & ~_ALL_IS_REFUNDED,
    },
    related=("invoice__customer", "quote__customer", "gateway_account"),
    recipient="issued_to",
    documents=("invoice", "quote"),
    methods=("method",),
    gateway_account="gateway_account",
    offline=Q(gateway_account__isnull=True),
    has_member=lambda member: (
        Q(payment_request__requested_by=member)
        | Q(
            Exists(Event.objects.filter(payment=OuterRef("pk"), type__startswith="payment.", actor_id=member))
        )
    ),
    refs=("pk", "checkout_ref"),
    present=_present_payment,
)
OFFLINE = replace(
    ONLINE, rows=Payment.objects.filter(paid_on__isnull=False), at=F("created_at"), day="paid_on"
)
REFUNDS = Source(
    kind="refund",
    id_prefix="ref_",
    rows=Refund.objects.all(),
    day="refunded_on",
    amount=F("amount_minor"),
    currency=F("currency"),
    money_out=Case(When(_SUCCEEDED, then=F("amount_minor")), default=_NOTHING),
    fee=_FEE,
    fee_currency=F("fee_currency"),
    states={
        "succeeded": _SUCCEEDED,
        "in_progress": Q(status="pending"),
        "failed": Q(status="failed"),
        "reversed": Q(status="reversed"),
    },
    related=("payment__invoice__customer", "payment__quote__customer", "payment__gateway_account"),
    recipient="payment__issued_to",
    documents=("payment__invoice", "payment__quote"),
    methods=("method", "payment__method"),  # one through the gateway goes the way that the payment came
    gateway_account="payment__gateway_account",
    offline=Q(mode="offline"),  # also of a payment through the gateway, as one in cash
    has_member=lambda member: Q(Exists(_OF_REFUND.filter(actor_id=member))),
    refs=("pk", "gateway_ref"),
    present=_present_refund,
)
DISPUTES = Source(
    kind="dispute",
    id_prefix="dis_",
    rows=Dispute.objects.all(),
    at=Coalesce("closed_at", "opened_at"),
    amount=F("amount_minor"),
    currency=F("currency"),
    money_out=Case(When(status="lost", then=F("amount_minor")), default=_NOTHING),
    fee=F("fee_minor"),
    fee_currency=F("fee_currency"),
    states={"disputed": Q(status="open"), "lost": Q(status="lost"), "won": Q(status="won")},
    related=REFUNDS.related,
    recipient="payment__issued_to",
    documents=REFUNDS.documents,
    methods=("payment__method",),
    gateway_account="payment__gateway_account",
    # Not by a join: one that was taken as a loss has an adjustment for each of its invoices.
    has_member=lambda member: Q(Exists(Adjustment.objects.filter(dispute=OuterRef("pk"), actor_id=member))),
    refs=("pk", "gateway_ref"),
    present=_present_dispute,
)
ADJUSTMENTS = Source(
    kind="adjustment",
    id_prefix="adj_",
    rows=Adjustment.objects.all(),
    amount=F("amount_minor"),
    currency=F("currency"),
    settled=F("amount_minor"),
    states={"settled": Q(amount_minor__gt=0), "taken_back": Q(amount_minor__lt=0)},
    related=("invoice__customer",),
    recipient="invoice__issued_to",
    documents=("invoice",),
    has_member=lambda member: Q(actor_id=member),
    refs=("pk",),
    present=_present_adjustment,
)
SOURCES = (ONLINE, OFFLINE, REFUNDS, DISPUTES, ADJUSTMENTS)
