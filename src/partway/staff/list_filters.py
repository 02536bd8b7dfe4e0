"""Filters of a list: each is read from the address, applied to the rows, and named in a chip.

A filter that cannot be read is left out and reported; nothing in an address can make a list fail.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Generic, TypeVar

from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect
from django.utils.functional import Promise
from django.utils.translation import gettext

from partway.accounts.prepared import PreparedValues
from partway.billing.models import Customer, Event
from partway.billing.models.search import Search, ids_of_text
from partway.delivery.formats import format_date
from partway.lib.natural_sort import sort_key

from .context import MemberContext
from .forms import MAX_SEARCH_LENGTH, MAX_YEAR, MIN_YEAR, parse_day, strip_nul

_MAX_SAME_NAME = 100
_MAX_SUGGESTIONS = 50  # customers; an organization with more types the whole name

RowsT = TypeVar("RowsT")
# Reads the texts of one filter; returns the rows that it selects and the label of its chip. An index has these rows, or
# those that are returned as a third value, if any. Raises InvalidFilter.
Reader = Callable[[RowsT, MemberContext, list[str]], tuple[RowsT, str] | tuple[RowsT, str, RowsT | None]]


class InvalidFilter(ValueError):
    """A filter that cannot be read; the text says why."""


@dataclass(frozen=True, slots=True)
class FilterChip:
    """The label of one filter, and the parts of the address that it is made of."""

    message: str
    names: tuple[str, ...]


@dataclass(slots=True)
class Filtered(Generic[RowsT]):
    """The rows that an address selects; `query` holds only the filters that were applied, in one order.

    selections: the rows that each filter selects alone, of those that have an index.
    """

    rows: RowsT
    selections: list[RowsT] = field(default_factory=list)
    query: QueryDict = field(default_factory=lambda: QueryDict(mutable=True))
    chips: list[FilterChip] = field(default_factory=list)
    filter_errors: list[str] = field(default_factory=list)


def one_of(
    choices: Mapping[str, str | Promise], unknown: str, select: Callable[[RowsT, str], RowsT]
) -> Reader[RowsT]:
    """Returns the reader of a filter that has one of these values; `unknown` is marked, and names another as %(text)s.

    choices: the label of each value. select: returns the rows with one of them.
    """

    def read(rows: RowsT, ctx: MemberContext, texts: list[str]) -> tuple[RowsT, str]:
        if texts[0] not in choices:
            raise InvalidFilter(gettext(unknown) % {"text": shorten(texts[0])})
        return select(rows, texts[0]), str(choices[texts[0]])

    return read


def apply_to(
    rows: RowsT, ctx: MemberContext, filters: Mapping[tuple[str, ...], Reader[RowsT]]
) -> Filtered[RowsT]:
    """Applies every filter of the address that can be read.

    filters: the parts of the address that each filter is made of, and its reader.
    """
    result = Filtered(rows)
    for names, read in filters.items():
        texts = [strip_nul(ctx.request.GET.get(name, "")).strip() for name in names]
        if not any(texts):
            continue
        try:
            if max(map(len, texts)) > MAX_SEARCH_LENGTH:
                raise InvalidFilter(
                    gettext("A filter has more than %(limit)s letters.") % {"limit": MAX_SEARCH_LENGTH}
                )
            alone, message, *selection = read(rows, ctx, texts)
            result.rows = read(result.rows, ctx, texts)[0] if result.chips else alone
        except InvalidFilter as error:
            result.filter_errors.append(str(error))
        else:
            result.selections += [each for each in selection or (alone,) if each is not None]
            result.chips.append(FilterChip(message, names))
            result.query.update(dict(filter(operator.itemgetter(1), zip(names, texts, strict=True))))
    return result


def without_empty_fields(ctx: MemberContext) -> HttpResponse | None:
    """Redirects an address with empty parts to the one without them; None where it has none.

    A form sends every field; an address that is shared has only those with a value.
    """
    if "" not in ctx.request.GET.values():
        return None
    query = ctx.request.GET.copy()
    for name in [name for name, value in query.items() if not value]:
        del query[name]
    return redirect(f"{ctx.request.path}?{query.urlencode()}" if query else ctx.request.path)


_first_names = PreparedValues(
    lambda organization: (
        Customer.objects.filter(organization=organization)
        .order_by("sort_key", "id")
        .values_list("name")[: _MAX_SUGGESTIONS + 1]
    )
)


def customer_suggestions(ctx: MemberContext) -> list[str]:
    """Returns the names of all customers, sorted; none of an organization that has too many to choose from."""
    names = [name for (name,) in _first_names.all(ctx.organization.pk)]
    return names if len(names) <= _MAX_SUGGESTIONS else []


def people(ctx: MemberContext) -> dict[str, str]:
    """Returns the names of members and former members by id, sorted by name."""
    here = {member.pk: member.user.name for member in ctx.organization.members.select_related("user")}
    removals = Event.objects.for_organization(ctx.organization).filter(type="member.removed")
    gone = {
        str(data["member"]): gettext("%(name)s (left)") % {"name": data["name"]}
        for data in removals.values_list("data", flat=True)
        if "member" in data
    }
    return dict(sorted({**gone, **here}.items(), key=lambda item: (sort_key(item[1]), item[0])))


def of_customers(select: Callable[[RowsT, list[str]], tuple[RowsT, RowsT | None]]) -> Reader[RowsT]:
    """Returns the reader of a filter by customer: by id, as a link has it, or by the whole name or address, as typed.

    select: returns the rows of the customers with these ids, and those of them that an index has.
    """

    def read(rows: RowsT, ctx: MemberContext, texts: list[str]) -> tuple[RowsT, str, RowsT | None]:
        mine = Customer.objects.for_organization(ctx.organization)
        ids = [texts[0]]
        if not texts[0].startswith("cus_"):
            ids = ids_of_text(Customer, texts[0], ctx.organization)
        named = mine.filter(pk__in=ids).order_by("sort_key", "pk")
        found = dict(named.values_list("pk", "name")[:_MAX_SAME_NAME])
        if not found:
            message = gettext("There is no customer “%(text)s”. The search field finds parts of names.")
            raise InvalidFilter(message % {"text": shorten(texts[0])})
        label = next(iter(found.values()))
        if len(found) > 1:
            label = gettext("%(name)s (%(count)s customers)") % {"name": label, "count": len(found)}
        selected, indexed = select(rows, list(found))
        return selected, label, indexed

    return read


def of_words(
    select: Callable[[Search], RowsT], few: Callable[[Search, RowsT], RowsT | None]
) -> Reader[RowsT]:
    """Returns the reader of the search field; it comes before other filters, which narrow the rows that it finds.

    select: returns the rows that are found. few: returns those of them that are looked up, and not asked one by one.
    """

    def read(_rows: RowsT, ctx: MemberContext, texts: list[str]) -> tuple[RowsT, str, RowsT | None]:
        search = Search(texts[0], ctx.organization)
        found = select(search)
        return found, f"“{shorten(texts[0])}”", few(search, found)

    return read


def read_range(texts: list[str]) -> tuple[date | None, date | None]:
    """Returns the first and the last day; an empty text is no limit."""
    days: list[date | None] = []
    for text in texts:
        try:
            day = parse_day(text) if text else None
        except ValueError:
            message = gettext("“%(text)s” is not a date. Write it like 2026-11-30.")
            raise InvalidFilter(message % {"text": shorten(text)}) from None
        if day and not MIN_YEAR <= day.year <= MAX_YEAR:
            message = gettext("Choose a date between %(first)s and %(last)s.")
            raise InvalidFilter(message % {"first": MIN_YEAR, "last": MAX_YEAR})
        days.append(day)
    first, last = days
    if first and last and last < first:
        message = gettext("%(last)s is before %(first)s: swap the two dates.")
        raise InvalidFilter(message % {"last": format_date(last), "first": format_date(first)})
    return first, last


def range_label(first: date | None, last: date | None) -> str:
    """Returns “Nov 1, 2026 – Nov 30, 2026”, with words where one of the two is open."""
    days = {"first": format_date(first) if first else "", "last": format_date(last) if last else ""}
    if first and last:
        return (f"{days['first']} – {days['last']}") if first != last else gettext("on %(first)s") % days
    return (gettext("from %(first)s") if first else gettext("until %(last)s")) % days


def shorten(text: str) -> str:
    """Returns the beginning of a text that an error quotes."""
    return text if len(text) <= 40 else f"{text[:40]}…"
