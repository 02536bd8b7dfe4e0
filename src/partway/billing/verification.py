"""Recomputes every stored amount and state from the facts, and names each row that differs (DESIGN M6)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.db.models import Count, F, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from partway.accounts.models import Organization

from . import amounts, quotes
from .models import Allocation, Event, Invoice, Payment, PaymentRequest, Quote
from .models.payments import UNSETTLED
from .states import INVOICE, PAYMENT, PAYMENT_REQUEST, QUOTE, Transitions

_BATCH = 1000


@dataclass(frozen=True, slots=True)
class Difference:
    """One row that is not what the facts say: which check, which row, and what was found."""

    check: str
    row: str
    words: str

    def __str__(self) -> str:
        return f"{self.check}: {self.row}: {self.words}"


def verify() -> Iterator[Difference]:
    """Every difference in the whole installation; none when the books are right."""
    for check in CHECKS.values():
        yield from check()


def _invoice_totals() -> Iterator[Difference]:
    """M1: a stored total is what its lines add up to."""
    for model in (Invoice, Quote):
        yield from _totals_of(model)


def _totals_of(model: type[Invoice] | type[Quote]) -> Iterator[Difference]:
    for invoice in model.objects.prefetch_related("lines").iterator(chunk_size=_BATCH):
        lines = list(invoice.lines.all())
        for line in lines:
            if line.amount_minor != amounts.line_amount(line.quantity, line.unit_amount_minor):
                yield Difference(
                    "M1", line.pk, f"line amount {line.amount_minor} is not quantity times unit amount"
                )
        sums = amounts.totals(
            [amounts.LineAmount(line.amount_minor, line.tax_percent) for line in lines], _discount(invoice)
        )
        stored = (invoice.subtotal_minor, invoice.discount_minor, invoice.tax_minor)
        if stored != (sums.subtotal_minor, sums.discount_minor, sums.tax_minor):
            yield Difference("M1", invoice.pk, f"stored {stored}, recomputed {sums}")


def _discount(invoice: Invoice | Quote) -> int:
    if invoice.discount_kind == "percent":
        return amounts.percent_of(invoice.subtotal_minor, invoice.discount_percent)
    return invoice.discount_amount_minor


def _amounts_paid() -> Iterator[Difference]:
    """M2: amount paid is the sum of the allocations, in the invoice's currency."""
    rows = Invoice.objects.annotate(facts=Coalesce(Sum("allocations__amount_minor"), 0))
    differing = rows.exclude(facts=F("amount_paid_minor")).values_list("pk", "amount_paid_minor", "facts")
    for pk, stored, facts in differing.iterator():
        yield Difference("M2", pk, f"amount paid {stored}, allocations {facts}")
    for allocation in Allocation.objects.exclude(currency=F("invoice__currency")).iterator():
        yield Difference("M1", allocation.pk, "allocated in another currency than its invoice's")


def _invoice_states() -> Iterator[Difference]:
    """A sent invoice has something due, a paid one has not; a void one holds no money."""
    wrong = Invoice.objects.filter(
        Q(status="sent", amount_paid_minor__gte=F("total_minor"))
        | Q(status="paid", amount_paid_minor__lt=F("total_minor"))
        | (Q(status__in=["draft", "void"]) & ~Q(amount_paid_minor=0))
    )
    for invoice in wrong.iterator():
        yield Difference(
            "M2", invoice.pk, f"{invoice.status} with {invoice.amount_due} due of {invoice.total}"
        )


def _payments() -> Iterator[Difference]:
    """M3, M4: nothing is allocated beyond what was captured, and nothing of what was not."""
    rows = Payment.objects.annotate(placed=Coalesce(Sum("allocations__amount_minor"), 0))
    wrong = rows.filter(
        Q(placed__gt=Coalesce(F("captured_minor"), 0))
        | Q(placed__lt=0)
        | (~Q(status="succeeded") & ~Q(placed=0))
    )
    for pk, captured, placed in wrong.values_list("pk", "captured_minor", "placed").iterator():
        yield Difference("M3", pk, f"captured {captured}, allocated {placed}")
    strangers = Payment.objects.exclude(
        organization=Coalesce(F("invoice__organization"), F("quote__organization"))
    )
    for payment in strangers.iterator():
        yield Difference("D5", payment.pk, "belongs to another organization than its invoice")


def _requests() -> Iterator[Difference]:
    """R1, R2: one open request at most, only on a sent invoice that can take it; a paid one has its payment."""
    rows = PaymentRequest.objects.select_related("invoice")
    fits = Q(
        invoice__status="sent",
        amount_requested_minor__lte=F("invoice__total_minor") - F("invoice__amount_paid_minor"),
    )
    for request in rows.open().exclude(fits).iterator():
        yield Difference(
            "R2", request.pk, f"open for {request.amount_requested}, {request.invoice.amount_due} is due"
        )
    twice = rows.open().values("invoice").annotate(many=Count("pk")).filter(many__gt=1)
    for row in twice:
        yield Difference("R1", row["invoice"], f"{row['many']} open requests")
    paid = rows.filter(status="paid").annotate(
        times=Count("payments", filter=Q(payments__status="succeeded"))
    )
    for request in paid.filter(times=0).iterator():
        yield Difference("M6", request.pk, "paid, but no payment succeeded")


def _unsettled() -> Iterator[Difference]:
    """P1: at most one unsettled payment per invoice, and per quote."""
    for noun in ("invoice", "quote"):
        unsettled = Payment.objects.filter(status__in=UNSETTLED).exclude(**{noun: None})
        for row in unsettled.values(noun).annotate(many=Count("pk")).filter(many__gt=1):
            yield Difference("P1", row[noun], f"{row['many']} unsettled payments")


def _numbers() -> Iterator[Difference]:
    """D4: as many numbers were given as the counter says, and none twice."""
    for organization in Organization.objects.annotate(
        numbered=Count("invoices__number", distinct=True)
    ).iterator():
        given = organization.next_invoice_number - 1 - _skipped(organization)
        if organization.numbered != given:
            yield Difference("D4", organization.pk, f"{given} numbers given, {organization.numbered} found")


def _skipped(organization: Organization) -> int:
    """How many numbers an owner left out on purpose, coming from other books; each time is an event."""
    changes = Event.objects.filter(organization=organization, type="organization.changed")
    jumps = changes.filter(data__before__has_key="next_invoice_number").values_list("data", flat=True)
    return sum(jump["after"]["next_invoice_number"] - jump["before"]["next_invoice_number"] for jump in jumps)


def _quotes() -> Iterator[Difference]:
    """D1, D2: a frozen deposit follows from its terms, and is paid once, in full."""
    for quote in Quote.objects.iterator(chunk_size=_BATCH):
        if quote.deposit_minor != quotes.deposit_minor(quote, quote.total_minor):
            yield Difference("D1", quote.pk, f"deposit {quote.deposit_minor} does not follow from its terms")
    partly = Payment.objects.filter(quote__isnull=False).exclude(amount_minor=F("quote__deposit_minor"))
    for payment in partly.iterator():
        yield Difference("D1", payment.pk, f"{payment.amount} was asked, which is not the quote's deposit")
    twice = Payment.objects.deposits().values("quote").annotate(many=Count("pk"))
    for row in twice.filter(many__gt=1):
        yield Difference("D1", row["quote"], f"{row['many']} deposits")
    for quote in Quote.objects.filter(status="invoiced", invoice=None).iterator():
        yield Difference("D2", quote.pk, "invoiced, but no invoice was made of it")
    for invoice in Invoice.objects.filter(quote__isnull=False).exclude(quote__status="invoiced").iterator():
        yield Difference("D2", invoice.pk, "made of a quote that is not invoiced")


def _histories() -> Iterator[Difference]:
    """M6: each stored state is where the row's events lead, one move after the other."""
    for model, noun, first, table in (
        (Invoice, "invoice", "draft", INVOICE),
        (Quote, "quote", "draft", QUOTE),
        (PaymentRequest, "payment_request", "open", PAYMENT_REQUEST),
        (Payment, "payment", "pending", PAYMENT),
    ):
        yield from _history_of(model.objects.all(), noun, first, table)


def _history_of(rows: QuerySet, noun: str, first: str, table: Transitions) -> Iterator[Difference]:  # type: ignore[type-arg]
    kinds = set(table.values())
    related = {
        "invoice": Q(payment_request=None, payment=None),
        "quote": Q(payment=None),
        "payment_request": Q(payment=None),
        "payment": Q(),
    }
    for batch in _batches(rows):
        moves: dict[str, list[tuple[str, str]]] = {row.pk: [] for row in batch}
        events = Event.objects.filter(related[noun], type__in=kinds, **{f"{noun}__in": list(moves)})
        for row, data in events.order_by("pk").values_list(noun, "data"):
            moves[row].append((data["from"], data["to"]))
        for row in batch:
            state, left = _walk(first, moves[row.pk])
            for source, _ in left:
                yield Difference("M6", row.pk, f"an event moves it from {source}, it was {state}")
            if row.status != state:
                yield Difference("M6", row.pk, f"stored {row.status}, its events lead to {state}")


def _walk(state: str, moves: list[tuple[str, str]]) -> tuple[str, list[tuple[str, str]]]:
    """Where the moves lead, one after the other, and those that fit nowhere.

    The clocks of two machines differ, so of two close events the later one may have the smaller id.
    """
    left = list(moves)
    while step := next((move for move in left if move[0] == state), None):
        left.remove(step)
        state = step[1]
    return state, left


def _batches(rows: QuerySet) -> Iterator[list]:  # type: ignore[type-arg]
    last = ""
    while batch := list(rows.filter(pk__gt=last).order_by("pk")[:_BATCH]):
        yield batch
        last = batch[-1].pk


CHECKS: dict[str, Callable[[], Iterator[Difference]]] = {
    "invoice totals": _invoice_totals,
    "amounts paid": _amounts_paid,
    "invoice states": _invoice_states,
    "payments": _payments,
    "payment requests": _requests,
    "unsettled payments": _unsettled,
    "invoice numbers": _numbers,
    "quotes": _quotes,
    "histories": _histories,
}
