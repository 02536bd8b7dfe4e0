"""Checks that numbers have no gaps and no duplicates, and that versions count the changes (DESIGN D4, D8)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from django.db.models import BigIntegerField, Count, F, Func, OuterRef, Q, Subquery, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast, Coalesce, Length, NullIf, Right, Substr

from partway.accounts.models import Organization

from ..models import Event, Invoice, Quote, QuoteTerms
from .checks import Findings, Rows, TableCheck, check, no_rows_where

_DIGITS = Value("0123456789")
_MAX_DIGITS = 15  # more do not fit in a bigint


def _invoice_numbers(organizations: Rows) -> Findings:
    for pk, following in organizations.values_list("pk", "next_invoice_number"):
        given = _numbers(Invoice.objects.filter(organization=pk))
        yield from _sequence_errors(pk, given, following, list(_skipped_numbers(pk)))


def _quote_numbers(terms: Rows) -> Findings:
    for pk, following in terms.values_list("pk", "next_number"):
        given = _numbers(Quote.objects.filter(organization=pk))
        yield from _sequence_errors(pk, given, following, [])


def _numbers(documents: Rows) -> Iterable[tuple[int | None, str]]:
    """Yields number and id of each document in order; the prefix may have changed but never ends with a digit."""
    prefix = Func(F("number"), _DIGITS, function="RTRIM")
    digits = Right(Substr("number", Length(prefix) + 1), _MAX_DIGITS)
    parsed = documents.annotate(parsed=Cast(NullIf(digits, Value("")), BigIntegerField()))
    yield from parsed.exclude(number=None).order_by("parsed", "pk").values_list("parsed", "pk").iterator()


def _skipped_numbers(organization: str) -> Iterator[range]:
    """Yields the ranges that an owner skipped by setting the next number; each change of it is an event."""
    changes = Event.objects.filter(organization=organization, type="organization.changed")
    jumps = changes.filter(data__before__has_key="next_invoice_number").values_list("data", flat=True)
    for jump in jumps:
        yield range(jump["before"]["next_invoice_number"], jump["after"]["next_invoice_number"])


def _sequence_errors(
    owner: str, given: Iterable[tuple[int | None, str]], following: int, skipped: list[range]
) -> Findings:
    """Yields duplicates and gaps up to the number that comes next."""
    expected = 1
    for number, pk in given:
        if number is None:
            yield pk, "its number does not end with digits"
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
    """Returns how many numbers of the gap were not skipped by an owner."""
    overlaps = (min(gap.stop, left.stop) - max(gap.start, left.start) for left in skipped)
    return len(gap) - sum(overlap for overlap in overlaps if overlap > 0)


def _version_by_events(noun: str, which: Q) -> Combinable:
    rows = Event.objects.filter(which, **{noun: OuterRef("pk")}).values(noun).annotate(many=Count("pk"))
    return 1 + Coalesce(Subquery(rows.values("many")), 0)


_EDITS = Q(
    type__in=(
        *("invoice.edited", "invoice.parties_corrected"),
        *("invoice.sent", "invoice.voided", "invoice.written_off"),
    )
)
_REOPENED = Q(type="invoice.reopened", data__from="written_off")
_WRONG_VERSION = "version {version}, its events say {recomputed}"

CHECKS = (
    check(
        "D4",
        "the numbers of invoices and of quotes have no gaps and no duplicates",
        TableCheck(Organization, _invoice_numbers),
        TableCheck(QuoteTerms, _quote_numbers),
    ),
    check(
        "D8",
        "a version counts the changes since the first",
        no_rows_where(
            Invoice,
            ~Q(version=F("recomputed")),
            _WRONG_VERSION,
            recomputed=_version_by_events("invoice", _EDITS | _REOPENED),
        ),
        no_rows_where(
            Quote,
            ~Q(version=F("recomputed")),
            _WRONG_VERSION,
            recomputed=_version_by_events("quote", Q(type="quote.edited")),
        ),
    ),
)
