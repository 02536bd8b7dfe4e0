"""One change of the books by one fact: balanced amounts by account, and the day on which it is booked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

Amounts = Mapping[str, int]  # minor units by the key of an account: positive is debit, negative credit


@dataclass(frozen=True, slots=True)
class Change:
    """The part of an entry that follows from one fact.

    fact: the id of the row, which is also what the entry refers to. act: the changes of one act, day and moment are one
    entry. kind: a code such as invoice_sent, payment, refund; `detail` a reason or a method of it.
    happened_on: the day that it belongs to; `day` is a later one where that was closed.
    document: the kind of the document and its id. party: the customer as the document showed them then.
    """

    day: date
    happened_on: date
    at: datetime
    act: str
    fact: str
    kind: str
    document: tuple[str, str]
    number: str
    party: str
    customer: str
    amounts: Amounts
    detail: str = ""


def difference(before: Amounts, after: Amounts) -> dict[str, int]:
    """Returns by how much each account changes; accounts that stay are left out."""
    changed = {key: after.get(key, 0) - before.get(key, 0) for key in {**before, **after}}
    return {key: minor for key, minor in changed.items() if minor}
