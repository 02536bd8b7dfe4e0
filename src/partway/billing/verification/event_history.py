"""Checks that the row's events lead to every stored status, amount and time (DESIGN M6)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from django.db.models import (
    Aggregate,
    Case,
    Exists,
    F,
    Func,
    Model,
    OuterRef,
    Q,
    Subquery,
    TextField,
    Value,
    When,
)
from django.db.models.fields.json import KT
from django.db.models.functions import Coalesce, Concat

from ..models import (
    Adjustment,
    Allocation,
    Callback,
    Customer,
    Dispute,
    Event,
    GatewayCall,
    Invoice,
    Mail,
    Payment,
    PaymentRequest,
    Quote,
    Refund,
)
from ..states import DISPUTE, INVOICE, PAYMENT, PAYMENT_REQUEST, QUOTE, Transitions
from .checks import (
    CHUNK_SIZE,
    Findings,
    Rows,
    TableCheck,
    check,
    has_event,
    no_rows_where,
    times_in_order,
    total,
)


class _Joined(Aggregate):
    """Joins the texts of a group of rows with commas, on SQLite and PostgreSQL."""

    function = "GROUP_CONCAT"
    template = "%(function)s(%(expressions)s, ',')"

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        """Uses the name that the function has on PostgreSQL."""
        return self.as_sql(compiler, connection, function="STRING_AGG", **extra)


class _JsonText(Func):
    """The text of a column of JSON, written as the databases write a part of other JSON."""

    function = "JSON"  # on SQLite, which keeps the spaces that were stored
    output_field = TextField()

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        """Casts to text."""
        return self.as_sql(compiler, connection, template="(%(expressions)s)::text", **extra)


def _has_event_of_recipients() -> Exists:
    """Returns whether an event says that the link of the request goes to the stored addresses."""
    types = ("payment_request.sent", "payment_request.recipients_changed")
    events = Event.objects.filter(type__in=types, payment_request=OuterRef("pk"))
    for name in ("to", "cc", "bcc"):
        said = Coalesce(KT(f"data__{name}"), Value(""), output_field=TextField())
        events = events.annotate(**{f"said_{name}": said})
        events = events.filter(**{f"said_{name}": _JsonText(OuterRef(name))})
    return Exists(events)


def _replayed(
    model: type[Model], noun: str, first: str, table: Transitions, *, in_data: str = ""
) -> TableCheck:
    """Returns a part that replays the transitions of each row from its first status to the stored one.

    in_data: the key of the events' data that names the row, where their `noun` is a row that both have.
    """
    known = frozenset(f"{event_type} {source} {to}" for (source, to), event_type in table.items())
    move = Concat("type", Value(" "), KT("data__from"), Value(" "), KT("data__to"), output_field=TextField())
    events: Rows = Event.objects.filter(
        type__in=sorted(set(table.values())), **{noun: OuterRef(noun if in_data else "pk")}
    )
    if in_data:
        # As text: PostgreSQL compares no column with JSON.
        events = events.annotate(named=KT(f"data__{in_data}")).filter(named=OuterRef("pk"))
    moves = events.values(noun).annotate(moves=_Joined(move, output_field=TextField())).values("moves")

    # Most rows share one of few histories, so each history is judged once.
    @lru_cache(maxsize=CHUNK_SIZE)
    def history_error(status: str, history: str) -> str:
        return _history_error(first, status, history.split(",") if history else [], known)

    def find(rows: Rows) -> Findings:
        history = Coalesce(Subquery(moves), Value(""), output_field=TextField())
        for pk, *row in rows.annotate(history=history).values_list("pk", "status", "history"):
            if message := history_error(*row):
                yield pk, message

    return TableCheck(model, find)


def _history_error(first: str, status: str, moves: Sequence[str], known: frozenset[str]) -> str:
    """Returns the message about these transitions, each as "type from to"; empty when they are right."""
    unknown = [move for move in moves if move not in known]
    if unknown:
        return f"“{unknown[0]}” is not a transition"
    end = _end(first, [(source, to) for _, source, to in map(str.split, moves)])
    return "" if end == status else f"stored {status}, its events lead to {end or 'no single state'}"


def _end(first: str, moves: Sequence[tuple[str, str]]) -> str | None:
    """Returns the status in which a walk from `first` over each transition once ends; None if there is no such walk.

    The order of the events does not count: the clocks of two machines differ, so the later of two close events may have
    the smaller id. Each status but the last is entered as often as it is left (Euler).
    """
    visits = Counter([first, *(to for _, to in moves)])
    visits.subtract(source for source, _ in moves)
    ends = [state for state, left_over in visits.items() if left_over]
    reached, sources = {first}, {source for source, _ in moves}
    for _ in moves:
        reached |= {to for source, to in moves if source in reached}
    return ends[0] if len(ends) == 1 and visits[ends[0]] == 1 and sources <= reached else None


def _has_first_event(
    model: type[Model],
    noun: str,
    *types: str,
    data_columns: Mapping[str, str] | None = None,
    where: Q | None = None,
) -> TableCheck:
    """Returns a part that finds rows without an event of their creation with the same amounts."""
    amounts = ", ".join(f"{column} {{{column}}}" for column in (data_columns or {}).values())
    beginning = has_event(noun, *types, at="created_at", data_columns=data_columns)
    return no_rows_where(
        model, (where or Q()) & ~beginning, f"created at {{created_at}}: no event begins it {amounts}".strip()
    )


def _has_event_at(model: type[Model], noun: str, column: str, *types: str) -> TableCheck:
    """Returns a part that finds rows whose time in `column` is not that of an event of these types."""
    missing = Q(**{f"{column}__isnull": False}) & ~has_event(noun, *types, at=column)
    return no_rows_where(model, missing, f"{column} {{{column}}} is the time of no event")


def _has_cause_event(
    cause: str, noun: str, *types: str, data_columns: Mapping[str, str] | None = None
) -> TableCheck:
    """Returns a part that finds allocations of this cause without the event that was recorded with them."""
    missing = Q(cause=cause) & ~has_event(noun, *types, of=noun, at="created_at", data_columns=data_columns)
    message = "{amount_minor} of {payment} on {invoice} by {cause}: no event says so"
    sums = {"act_sum": _SUM_OF_ACT, "deallocated": 0 - _SUM_OF_ACT, "taken": 0 - F("amount_minor")}
    return no_rows_where(Allocation, missing, message, **sums)


# One act may allocate several payments to an invoice, or deallocate several.
_SUM_OF_ACT = total(
    Allocation.objects.filter(cause=OuterRef("cause"), created_at=OuterRef("created_at")),
    "invoice",
    of="invoice",
)
_AMOUNT = {"amount_minor": "amount_minor", "currency": "currency"}
_REQUESTED = {"amount_minor": "amount_requested_minor", "currency": "currency"}
_TOTAL = {"total_minor": "total_minor", "currency": "currency"}
_DUE = {**_TOTAL, "due_on": "due_on"}
_OFFER = {**_TOTAL, "deposit_minor": "deposit_minor"}
_HAS_CANCELED_EVENT = has_event(
    "payment_request", "payment_request.canceled", at="ended_at", data_columns={"reason": "cancel_reason"}
)
_OF_REFUND = {**_AMOUNT, "refund": "pk"}
_HAS_REFUND_EVENT = {
    status: has_event("payment", f"refund.{status}", of="payment", data_columns=_OF_REFUND)
    for status in ("succeeded", "failed", "reversed")
}
# The last of these that an event says: a failure is reported after a success, a success never after a failure.
_REFUND_STATUS = Case(
    When(_HAS_REFUND_EVENT["reversed"], then=Value("reversed")),
    When(_HAS_REFUND_EVENT["failed"], then=Value("failed")),
    When(_HAS_REFUND_EVENT["succeeded"], then=Value("succeeded")),
    default=Value("pending"),
)
_HAS_ENDED_DEPOSIT = Exists(
    Event.objects.filter(payment=OuterRef("pk"), data__ends_deposit=True).filter(
        Q(type__startswith="refund.")
        | Q(type__in=("dispute.lost", "dispute.updated", "dispute.loss_covered"))
    )
)
_OF_DISPUTE = {**_AMOUNT, "dispute": "pk"}
_ENDS_OF_REQUESTS = sorted(set(PAYMENT_REQUEST.values()))
_ENDS_OF_PAYMENTS = ("payment.succeeded", "payment.recorded", "payment.failed", "payment.canceled")

CHECKS = (
    check(
        "M6",
        "each stored status is the one that the row's events lead to",
        _replayed(Invoice, "invoice", "draft", INVOICE),
        _replayed(Quote, "quote", "draft", QUOTE),
        _replayed(PaymentRequest, "payment_request", "open", PAYMENT_REQUEST),
        _replayed(Payment, "payment", "pending", PAYMENT),
        _replayed(Dispute, "payment", "open", DISPUTE, in_data="dispute"),
    ),
    check(
        "M6",
        "each row has the event of its creation, and its amounts are those of its events",
        _has_first_event(Customer, "customer", "customer.created"),
        _has_first_event(Invoice, "invoice", "invoice.created"),
        _has_first_event(Quote, "quote", "quote.created"),
        _has_first_event(PaymentRequest, "payment_request", "payment_request.sent", data_columns=_REQUESTED),
        no_rows_where(
            PaymentRequest, ~_has_event_of_recipients(), "mailed to {to}, {cc}, {bcc}, which no event says"
        ),
        _has_first_event(
            Payment,
            "payment",
            "payment.started",
            data_columns=_AMOUNT,
            where=Q(gateway_account__isnull=False),
        ),
        _has_first_event(
            Payment,
            "payment",
            "payment.recorded",
            data_columns=_AMOUNT,
            where=Q(gateway_account__isnull=True),
        ),
        no_rows_where(
            Invoice,
            # Sending counts the days of a draft's terms, so its day is another one than that of the last edit.
            ~has_event("invoice", "invoice.created", "invoice.edited", "invoice.sent", data_columns=_DUE),
            "no event says a total of {total_minor} {currency} due on {due_on}",
        ),
        no_rows_where(
            Quote,
            ~has_event("quote", "quote.created", "quote.edited", data_columns=_OFFER),
            "no event says a total of {total_minor} {currency} with a deposit of {deposit_minor}",
        ),
    ),
    check(
        "M6",
        "each allocation has the event that caused it",
        _has_cause_event(
            "payment",
            "payment",
            "payment.succeeded",
            "payment.recorded",
            data_columns={"allocated_minor": "amount_minor"},
        ),
        _has_cause_event(
            "deposit", "invoice", "invoice.deposit_allocated", data_columns={"amount_minor": "amount_minor"}
        ),
        _has_cause_event("credit", "invoice", "credit.applied", data_columns={"amount_minor": "act_sum"}),
        _has_cause_event("reversed", "payment", "payment.reversed"),
        _has_cause_event(
            "edited", "invoice", "invoice.edited", data_columns={"credited_minor": "deallocated"}
        ),
        # Each names one payment and has an event of its own: one report can name several refunds and disputes, and one
        # act can take several payments off an invoice.
        *(
            _has_cause_event(
                cause, "invoice", event_type, data_columns={"amount_minor": column, "payment": "payment"}
            )
            for cause, event_type, column in (
                ("refunded", "invoice.payment_refunded", "taken"),
                ("restored", "invoice.payment_restored", "amount_minor"),
                ("disputed", "invoice.payment_lost", "taken"),
                ("reinstated", "invoice.payment_reinstated", "amount_minor"),
                ("released", "credit.released", "taken"),
            )
        ),
    ),
    check(
        "M6",
        "each adjustment has the event that says so",
        no_rows_where(
            Adjustment,
            Q(amount_minor__gt=0)
            & ~has_event(
                "invoice",
                "invoice.settled",
                of="invoice",
                at="created_at",
                data_columns={**_AMOUNT, "adjustment": "pk", "reason": "reason", "note": "note"},
            ),
            "{amount_minor} settled as {reason} on {invoice}: no event says so",
        ),
        no_rows_where(
            Adjustment,
            Q(amount_minor__lt=0)
            & ~has_event(
                "invoice",
                "invoice.adjustment_taken_back",
                of="invoice",
                at="created_at",
                data_columns={
                    "amount_minor": "taken",
                    "currency": "currency",
                    "adjustment": "pk",
                    "cause": "cause",
                },
            ),
            "{amount_minor} taken back on {invoice} by {cause}: no event says so",
            taken=0 - F("amount_minor"),
        ),
    ),
    check(
        "M6",
        "each refund has the event that says so, and its status is the one that its events lead to",
        *(
            no_rows_where(
                Refund,
                Q(mode=mode)
                & ~has_event(
                    "payment",
                    begun,
                    of="payment",
                    at="created_at",
                    data_columns={**_OF_REFUND, "mode": "mode", **columns},
                ),
                "{amount_minor} of {payment} given back: no event says so",
            )
            for mode, begun, columns in (
                ("offline", "refund.succeeded", {"method": "method"}),
                ("gateway", "refund.started", {"reason": "reason", "note": "note"}),
                ("dashboard", "refund.reported", {}),
            )
        ),
        no_rows_where(
            Refund,
            Q(mode="dashboard")
            & ~has_event(
                "payment",
                "refund.reported",
                "refund.loss_covered",
                of="payment",
                data_columns={"refund": "pk", "lost_minor": "lost_minor"},
            ),
            "{lost_minor} is lost, which no event says",
        ),
        no_rows_where(
            Refund,
            ~Q(status=F("said")),
            "{status}, its events lead to another status: {said}",
            said=_REFUND_STATUS,
        ),
        no_rows_where(
            Payment,
            Q(deposit_given_back=True) & ~_HAS_ENDED_DEPOSIT
            | Q(deposit_given_back=False, quote__isnull=False) & _HAS_ENDED_DEPOSIT,
            "deposit given back is {deposit_given_back}, its events say the opposite",
        ),
    ),
    check(
        "M6",
        "each dispute has the event that opened it, and its amount, fee and loss are those of its events",
        no_rows_where(
            Dispute,
            ~has_event(
                "payment", "dispute.opened", of="payment", at="opened_at", data_columns={"dispute": "pk"}
            ),
            "opened at {opened_at}: no event says so",
        ),
        no_rows_where(
            Dispute,
            ~has_event(
                "payment",
                "dispute.opened",
                "dispute.updated",
                of="payment",
                data_columns={**_OF_DISPUTE, "reason": "reason"},
            ),
            "{amount_minor} {currency} of {payment} by {reason}, which no event says",
        ),
        no_rows_where(
            Dispute,
            Q(status__in=("open", "lost"))
            & ~has_event(
                "payment",
                *("dispute.opened", "dispute.updated", "dispute.lost", "dispute.loss_covered"),
                of="payment",
                data_columns={"dispute": "pk", "lost_minor": "lost_minor"},
            ),
            "{lost_minor} is beyond its payment, which no event says",
        ),
        no_rows_where(
            Dispute,
            ~has_event(
                "payment",
                *("dispute.opened", "dispute.fee_changed"),
                of="payment",
                data_columns={"dispute": "pk", "fee_minor": "fee_minor", "fee_currency": "fee_currency"},
            ),
            "a fee of {fee_minor} {fee_currency}, which no event says",
        ),
        no_rows_where(
            Dispute,
            Q(closed_at__isnull=False)
            & ~has_event(
                "payment",
                "dispute.won",
                "dispute.lost",
                of="payment",
                at="closed_at",
                data_columns={"dispute": "pk"},
            ),
            "closed at {closed_at}, which no event says",
        ),
        times_in_order(Dispute, "opened_at", "closed_at"),
    ),
    check(
        "M6",
        "each time is that of its event, and nothing ends before it began",
        _has_event_at(Invoice, "invoice", "sent_at", "invoice.sent"),
        _has_event_at(Invoice, "invoice", "paid_at", "invoice.paid"),
        _has_event_at(Quote, "quote", "sent_at", "quote.sent"),
        _has_event_at(Quote, "quote", "accepted_at", "quote.accepted"),
        _has_event_at(PaymentRequest, "payment_request", "ended_at", *_ENDS_OF_REQUESTS),
        _has_event_at(Payment, "payment", "settled_at", *_ENDS_OF_PAYMENTS),
        no_rows_where(
            PaymentRequest,
            Q(status="canceled") & ~_HAS_CANCELED_EVENT,
            "canceled as “{cancel_reason}”, which no event says",
        ),
        no_rows_where(
            Invoice,
            Q(status="paid", paid_at__isnull=True) | ~Q(status="paid") & Q(paid_at__isnull=False),
            "{status}, paid at {paid_at}",
        ),
        times_in_order(Invoice, "created_at", "sent_at"),
        times_in_order(Invoice, "sent_at", "paid_at"),
        times_in_order(Quote, "created_at", "sent_at"),
        times_in_order(Quote, "sent_at", "accepted_at"),
        times_in_order(PaymentRequest, "created_at", "ended_at"),
        times_in_order(Payment, "created_at", "settled_at"),
        times_in_order(GatewayCall, "started_at", "answered_at"),
        times_in_order(Callback, "received_at", "processed_at"),
        times_in_order(Mail, "created_at", "sent_at"),
    ),
)
