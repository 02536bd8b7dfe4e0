"""Numbers have no gaps and no twins, and versions count on (DESIGN D4, D8)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from django.db.models import BigIntegerField, Count, F, Func, OuterRef, Q, Subquery, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast, Coalesce, Length, NullIf, Right, Substr

from partway.accounts.models import Organization

from ..models import Event, Invoice, Quote, QuoteTerms
from .checks import Findings, Rows, TableCheck, check, no_rows_where

_DIGITS = Value("0123456789")
_MOST_DIGITS = 15  # more fit in no column


def _of_invoices(organizations: Rows) -> Findings:
    for pk, following in organizations.values_list("pk", "next_invoice_number"):
        given = _counted(Invoice.objects.filter(organization=pk))
        yield from _wrong_sequence(pk, given, following, list(_left_out(pk)))


def _of_quotes(terms: Rows) -> Findings:
    for pk, following in terms.values_list("pk", "next_number"):
        given = _counted(Quote.objects.filter(organization=pk))
        yield from _wrong_sequence(pk, given, following, [])


def _counted(documents: Rows) -> Iterable[tuple[int | None, str]]:
    """What stands behind the prefix, which may have changed but never ends with a digit, and the row; in order."""
    prefix = Func(F("number"), _DIGITS, function="RTRIM")
    digits = Right(Substr("number", Length(prefix) + 1), _MOST_DIGITS)
    counted = documents.annotate(counted=Cast(NullIf(digits, Value("")), BigIntegerField()))
    yield from counted.exclude(number=None).order_by("counted", "pk").values_list("counted", "pk").iterator()


def _left_out(organization: str) -> Iterator[range]:
    """Numbers that an owner left out on purpose, coming from other books; each time is an event."""
    changes = Event.objects.filter(organization=organization, type="organization.changed")
    jumps = changes.filter(data__before__has_key="next_invoice_number").values_list("data", flat=True)
    for jump in jumps:
        yield range(jump["before"]["next_invoice_number"], jump["after"]["next_invoice_number"])


def _wrong_sequence(
    owner: str, given: Iterable[tuple[int | None, str]], following: int, skipped: list[range]
) -> Findings:
    """Twins and gaps on the way to the number that comes next."""
    expected = 1
    for number, pk in given:
        if number is None:
            yield pk, "its number has no digits at its end"
        elif number < expected:
            yield pk, f"number {number} was given before"
        else:
            if missing := _missing(range(expected, number), skipped):
                yield pk, f"before number {number}, {missing} are missing"
            expected = number + 1
    if missing := _missing(range(expected, following), skipped):
        yield owner, f"before {following}, which comes next, {missing} numbers are missing"
    if following < expected:
        yield owner, f"{following} comes next, but {expected - 1} was given already"


def _missing(gap: range, skipped: list[range]) -> int:
    """How many numbers of the gap nobody left out on purpose."""
    overlaps = (min(gap.stop, left.stop) - max(gap.start, left.start) for left in skipped)
    return len(gap) - sum(overlap for overlap in overlaps if overlap > 0)


def _changes(noun: str, which: Q) -> Combinable:
    rows = Event.objects.filter(which, **{noun: OuterRef("pk")}).values(noun).annotate(many=Count("pk"))
    return 1 + Coalesce(Subquery(rows.values("many")), 0)


_CHANGED = Q(type__in=("invoice.edited", "invoice.sent", "invoice.voided", "invoice.written_off"))
_REVIVED = Q(type="invoice.reopened", data__from="written_off")
_OLD = "version {version}, its events say {facts}"

CHECKS = (
    check(
        "D4",
        "the numbers of invoices and of quotes have no gaps and no twins",
        TableCheck(Organization, _of_invoices),
        TableCheck(QuoteTerms, _of_quotes),
    ),
    check(
        "D8",
        "a version counts the changes since the first",
        no_rows_where(Invoice, ~Q(version=F("facts")), _OLD, facts=_changes("invoice", _CHANGED | _REVIVED)),
        no_rows_where(Quote, ~Q(version=F("facts")), _OLD, facts=_changes("quote", Q(type="quote.edited"))),
    ),
)
