"""Every stored state, amount and time is one that the row's events tell (DESIGN M6)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from django.db.models import Aggregate, Model, OuterRef, Q, Subquery, TextField, Value
from django.db.models.fields.json import KT
from django.db.models.functions import Coalesce, Concat

from ..models import (
    Allocation,
    Callback,
    Customer,
    Event,
    GatewayCall,
    Invoice,
    Mail,
    Payment,
    PaymentRequest,
    Quote,
)
from ..states import INVOICE, PAYMENT, PAYMENT_REQUEST, QUOTE, Transitions
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
    """The texts of many rows in one, with a comma between two."""

    function = "GROUP_CONCAT"
    template = "%(function)s(%(expressions)s, ',')"

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        """The same by its name there."""
        return self.as_sql(compiler, connection, function="STRING_AGG", **extra)


def _replayed(model: type[Model], noun: str, first: str, table: Transitions) -> TableCheck:
    """The moves of a row, one after the other, lead from its first state to the one it is in."""
    known = frozenset(f"{event_type} {source} {to}" for (source, to), event_type in table.items())
    move = Concat("type", Value(" "), KT("data__from"), Value(" "), KT("data__to"), output_field=TextField())
    events = Event.objects.filter(type__in=sorted(set(table.values())), **{noun: OuterRef("pk")})
    moves = events.values(noun).annotate(moves=_Joined(move, output_field=TextField())).values("moves")

    # Few lives differ from each other, so each is judged once.
    @lru_cache(maxsize=CHUNK_SIZE)
    def errors(status: str, told: str) -> str:
        return _wrong_history(first, status, told.split(",") if told else [], known)

    def find(rows: Rows) -> Findings:
        told = Coalesce(Subquery(moves), Value(""), output_field=TextField())
        for pk, status, history in rows.annotate(told=told).values_list("pk", "status", "told"):
            if message := errors(status, history):
                yield pk, message

    return TableCheck(model, find)


def _wrong_history(first: str, status: str, moves: Sequence[str], known: frozenset[str]) -> str:
    """What is wrong with these moves, each as "type from to"; empty when nothing is."""
    strange = [move for move in moves if move not in known]
    if strange:
        return f"“{strange[0]}” is no move"
    end = _end(first, [(source, to) for _, source, to in map(str.split, moves)])
    return "" if end == status else f"stored {status}, its events lead to {end or 'no single state'}"


def _end(first: str, moves: Sequence[tuple[str, str]]) -> str | None:
    """Where a walk from `first` that takes each move once must end; None if there is no such walk.

    The order of the moves does not count: the clocks of two machines differ, so of two close events the later one may
    have the smaller id. Each state is entered as often as it is left, but for the last (Euler).
    """
    visits = Counter([first, *(to for _, to in moves)])
    visits.subtract(source for source, _ in moves)
    ends = [state for state, left_over in visits.items() if left_over]
    reached, sources = {first}, {source for source, _ in moves}
    for _ in moves:
        reached |= {to for source, to in moves if source in reached}
    return ends[0] if len(ends) == 1 and visits[ends[0]] == 1 and sources <= reached else None


def _begun(
    model: type[Model], noun: str, *types: str, told: Mapping[str, str] | None = None, where: Q | None = None
) -> TableCheck:
    """A row begins with its event, which tells its amount."""
    amounts = ", ".join(f"{column} {{{column}}}" for column in (told or {}).values())
    beginning = has_event(noun, *types, at="created_at", told=told)
    return no_rows_where(
        model, (where or Q()) & ~beginning, f"created at {{created_at}}: no event begins it {amounts}".strip()
    )


def _timed(model: type[Model], noun: str, column: str, *types: str) -> TableCheck:
    """A time on a row is that of the event that brought it."""
    missing = Q(**{f"{column}__isnull": False}) & ~has_event(noun, *types, at=column)
    return no_rows_where(model, missing, f"{column} {{{column}}} is the time of no event")


def _caused(cause: str, noun: str, *types: str, told: Mapping[str, str] | None = None) -> TableCheck:
    """An allocation was written with the event that tells of it."""
    missing = Q(cause=cause) & ~has_event(noun, *types, of=noun, at="created_at", told=told)
    message = "{amount_minor} of {payment} on {invoice} by {cause}: no event tells so"
    return no_rows_where(Allocation, missing, message, together=_TOGETHER, taken_off=0 - _TOGETHER)


# One act may put several payments on an invoice, or take several off.
_TOGETHER = total(
    Allocation.objects.filter(cause=OuterRef("cause"), created_at=OuterRef("created_at")),
    "invoice",
    of="invoice",
)
_AMOUNT = {"amount_minor": "amount_minor", "currency": "currency"}
_REQUESTED = {"amount_minor": "amount_requested_minor", "currency": "currency"}
_TOTAL = {"total_minor": "total_minor", "currency": "currency"}
_DUE = {**_TOTAL, "due_on": "due_on"}
_OFFER = {**_TOTAL, "deposit_minor": "deposit_minor"}
_ENDED_SO = has_event(
    "payment_request", "payment_request.canceled", at="ended_at", told={"reason": "cancel_reason"}
)
_ENDS_OF_REQUESTS = sorted(set(PAYMENT_REQUEST.values()))
_ENDS_OF_PAYMENTS = ("payment.succeeded", "payment.recorded", "payment.failed", "payment.canceled")

CHECKS = (
    check(
        "M6",
        "each stored state is where the row's events lead",
        _replayed(Invoice, "invoice", "draft", INVOICE),
        _replayed(Quote, "quote", "draft", QUOTE),
        _replayed(PaymentRequest, "payment_request", "open", PAYMENT_REQUEST),
        _replayed(Payment, "payment", "pending", PAYMENT),
    ),
    check(
        "M6",
        "each row begins with its event, and its amounts are those that its events tell",
        _begun(Customer, "customer", "customer.created"),
        _begun(Invoice, "invoice", "invoice.created"),
        _begun(Quote, "quote", "quote.created"),
        _begun(PaymentRequest, "payment_request", "payment_request.sent", told=_REQUESTED),
        _begun(Payment, "payment", "payment.started", told=_AMOUNT, where=Q(gateway_account__isnull=False)),
        _begun(Payment, "payment", "payment.recorded", told=_AMOUNT, where=Q(gateway_account__isnull=True)),
        no_rows_where(
            Invoice,
            ~has_event("invoice", "invoice.created", "invoice.edited", told=_DUE),
            "no event tells a total of {total_minor} {currency} due on {due_on}",
        ),
        no_rows_where(
            Quote,
            ~has_event("quote", "quote.created", "quote.edited", told=_OFFER),
            "no event tells a total of {total_minor} {currency} with a deposit of {deposit_minor}",
        ),
    ),
    check(
        "M6",
        "each allocation has the event that caused it",
        _caused(
            "payment",
            "payment",
            "payment.succeeded",
            "payment.recorded",
            told={"allocated_minor": "amount_minor"},
        ),
        _caused("deposit", "invoice", "invoice.deposit_allocated", told={"amount_minor": "amount_minor"}),
        _caused("credit", "invoice", "credit.applied", told={"amount_minor": "together"}),
        _caused("reversed", "payment", "payment.reversed"),
        _caused("edited", "invoice", "invoice.edited", told={"credited_minor": "taken_off"}),
        _caused("released", "invoice", "credit.released", told={"amount_minor": "taken_off"}),
    ),
    check(
        "M6",
        "each time is that of its event, and nothing ends before it began",
        _timed(Invoice, "invoice", "sent_at", "invoice.sent"),
        _timed(Invoice, "invoice", "paid_at", "invoice.paid"),
        _timed(Quote, "quote", "sent_at", "quote.sent"),
        _timed(Quote, "quote", "accepted_at", "quote.accepted"),
        _timed(PaymentRequest, "payment_request", "ended_at", *_ENDS_OF_REQUESTS),
        _timed(Payment, "payment", "settled_at", *_ENDS_OF_PAYMENTS),
        no_rows_where(
            PaymentRequest,
            Q(status="canceled") & ~_ENDED_SO,
            "canceled as “{cancel_reason}”, which no event tells",
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
