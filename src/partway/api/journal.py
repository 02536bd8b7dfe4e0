"""The journal: entries and balances of a period."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from itertools import islice
from typing import Annotated

from ninja import Query, Router
from pydantic import BaseModel, Field

from partway.accounts.permissions import Permission
from partway.billing.errors import Invalid, field_error
from partway.billing.journal import accounts, entries
from partway.billing.snapshots import snapshot
from partway.delivery.journal_labels import account_name, description

from .access import KeyRequest, call
from .schemas import MAX_LIMIT, Page, PeriodFilters

router = Router(tags=["Journal"])


_ENTRY_NUMBER = re.compile(r"(\d{8})-([A-Z]{3})-(\d{3,9})")


class JournalLine(BaseModel):
    """One line of an entry: an account, and its debit or its credit in minor units; the other one is 0."""

    account: str
    code: str
    name: str
    debit: int
    credit: int


class JournalEntry(BaseModel):
    """One act, balanced: its debits add up to its credits.

    fact: the id of what it follows from. belongs_to: the day on which it happened, where that was closed by then.
    """

    number: str
    day: date
    currency: str
    kind: str
    description: str
    fact: str
    document: str
    customer: str
    belongs_to: date | None
    lines: list[JournalLine]


class Journal(Page[JournalEntry]):
    """A page of entries, the earliest first."""


class JournalFilters(PeriodFilters):
    """The period, the currency, and the place in it."""

    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT)] = 50
    cursor: Annotated[str, Field(max_length=60, description="`next` of the page before.")] = ""


class Balance(BaseModel):
    """An account before, in and after a period, in minor units; a balance is positive where it is debit."""

    account: str
    code: str
    name: str
    opening: int
    debit: int
    credit: int
    closing: int


class TrialBalance(BaseModel):
    """Every account that something stands on; each column adds up to zero, the debits to the credits."""

    currency: str
    data: list[Balance]


@call(router, "GET", "/journal", permission=Permission.VIEW_JOURNAL, returns=Journal)
def index(request: KeyRequest, filters: Query[JournalFilters]) -> Journal:
    """Lists the entries of a period, the earliest first."""
    organization = request.caller.organization
    currency = filters.currency or organization.currency
    chart = accounts.chart(organization)
    with snapshot():
        found = list(islice(_entries_after(request, filters, currency), filters.limit + 1))
    data = [
        JournalEntry(
            number=entry.number,
            day=entry.day,
            currency=entry.currency,
            kind=entry.kind,
            description=description(entry),
            fact=entry.fact,
            document=entry.document[1],
            customer=entry.customer,
            belongs_to=entry.belongs_to,
            lines=[
                JournalLine(
                    account=line.account,
                    code=chart[line.account].code,
                    name=account_name(chart[line.account]),
                    debit=line.debit.amount_minor if line.debit else 0,
                    credit=line.credit.amount_minor if line.credit else 0,
                )
                for line in entry.lines
            ],
        )
        for entry in found[: filters.limit]
    ]
    return Journal(data=data, next=data[-1].number if len(found) > filters.limit else None)


def _entries_after(request: KeyRequest, filters: JournalFilters, currency: str) -> Iterator[entries.Entry]:
    """Yields the entries after the cursor, which is the number of an entry: its day, its currency and its count."""
    since, count = filters.since, 0
    if filters.cursor:
        match = _ENTRY_NUMBER.fullmatch(filters.cursor)
        try:
            if match is None or match[2] != currency:
                raise ValueError
            day = date.fromisoformat(match[1])
        except ValueError:
            raise Invalid({"cursor": field_error("cursor_unreadable")}) from None
        since, count = max(since, day), int(match[3]) if day >= since else 0
    found = entries.entries(request.caller.organization, currency=currency, since=since, until=filters.until)
    return (entry for entry in found if (entry.day, entry.count) > (since, count))


@call(router, "GET", "/journal/balances", permission=Permission.VIEW_JOURNAL, returns=TrialBalance)
def balances(request: KeyRequest, period: Query[PeriodFilters]) -> TrialBalance:
    """Reads the trial balance of a period."""
    organization = request.caller.organization
    currency = period.currency or organization.currency
    chart = accounts.chart(organization)
    with snapshot():
        found = entries.trial_balance(organization, currency=currency, since=period.since, until=period.until)
    data = [
        Balance(
            account=row.account,
            code=chart[row.account].code,
            name=account_name(chart[row.account]),
            opening=row.opening.amount_minor,
            debit=row.debit.amount_minor,
            credit=row.credit.amount_minor,
            closing=row.closing.amount_minor,
        )
        for row in found
    ]
    return TrialBalance(currency=currency, data=data)
