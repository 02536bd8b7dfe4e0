"""Pages of a list by a cursor: the position after the last row, so that a page costs the same wherever it is."""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from pydantic import BaseModel

from partway.accounts.models import Organization
from partway.billing.errors import Invalid, field_error
from partway.billing.models import Event
from partway.billing.models.search import Search

from .schemas import DatedFilters, Filters, Page

RowT = TypeVar("RowT", bound=Model)
PageT = TypeVar("PageT", bound=Page[Any])
QuerySetT = TypeVar("QuerySetT", bound=QuerySet[Any])


def page(
    page_type: type[PageT],
    rows: QuerySet[RowT],
    filters: Filters,
    item: Callable[[RowT], BaseModel],
    *,
    moment: str = "created_at",
) -> PageT:
    """Returns one page, the newest by this column first; raises Invalid for a cursor that no page returned."""
    if filters.cursor:
        at, row_id = _read(filters.cursor)
        # Two conditions, of which the first is a range of the index.
        rows = rows.filter(**{f"{moment}__lte": at}).exclude(**{moment: at, "pk__gte": row_id})
    found: list[Any] = list(rows.order_by(f"-{moment}", "-pk")[: filters.limit + 1])
    shown = found[: filters.limit]
    following = _cursor(getattr(shown[-1], moment), shown[-1].pk) if len(found) > filters.limit else None
    return page_type(data=[item(row) for row in shown], next=following)


def searched(rows: QuerySetT, typed: str, organization: Organization) -> QuerySetT:
    """Returns the organization's rows, of which each contains the typed words, if any."""
    return Search(typed, organization).among(rows) if typed else rows.filter(organization=organization)


def selected(
    rows: QuerySetT,
    noun: str,
    filters: DatedFilters,
    organization: Organization,
    columns: Mapping[str, Any],
    *,
    search: str = "",
) -> QuerySetT:
    """Returns the organization's rows of these filters and words; `columns` are further lookups."""
    dates = {"created_at__gte": filters.created_from, "created_at__lte": filters.created_until}
    rows = narrowed(searched(rows, search, organization), {**dates, **columns})
    return changed_since(rows, noun, organization, filters.updated_since) if filters.updated_since else rows


def narrowed(rows: QuerySetT, columns: Mapping[str, Any]) -> QuerySetT:
    """Filters by the lookups that have a value."""
    return rows.filter(**{name: value for name, value in columns.items() if value is not None})


def changed_since(
    rows: QuerySetT, noun: str, organization: Organization, at: datetime, *, types: Collection[str] = ()
) -> QuerySetT:
    """Filters for rows to which anything happened at or after a time, or an event of one of these types."""
    events = Event.objects.for_organization(organization).filter(
        created_at__gte=at, **{f"{noun}__isnull": False}
    )
    if types:
        events = events.filter(type__in=types)
    return rows.filter(pk__in=events.values(f"{noun}_id"))


def _cursor(at: datetime, row_id: str) -> str:
    return urlsafe_b64encode(f"{at.isoformat()} {row_id}".encode()).decode().rstrip("=")


def _read(cursor: str) -> tuple[datetime, str]:
    try:
        text = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
        at, _, row_id = text.partition(" ")
        moment = datetime.fromisoformat(at)
        # Another text with the same meaning was not made here, nor was a time without a zone.
        if not row_id.isprintable() or moment.tzinfo is None or _cursor(moment, row_id) != cursor:
            raise ValueError
        moment.utctimetuple()
    except (ValueError, OverflowError, binascii.Error):
        raise Invalid({"cursor": field_error("cursor_unreadable")}) from None
    return moment, row_id
