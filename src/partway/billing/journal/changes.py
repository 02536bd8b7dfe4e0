"""One change of the books by one fact: balanced amounts by account, and the day on which it is booked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from .calendar import Calendar

Amounts = Mapping[str, int]  # minor units by the key of an account: positive is debit, negative credit
Sums = Iterator[tuple[str, int]]  # the same as pairs, of which several may be of one account


@dataclass(frozen=True, slots=True)
class Change:
    """The part of an entry that follows from one fact.

    of: the invoice or payment by whose facts it was found. fact: the id of the row, which is also what the entry
    refers to. act: the changes of one act, day and moment are one
    entry. kind: a code such as invoice_sent, payment, refund; `detail` a reason or a method of it.
    happened_on: the day that it belongs to; `day` is a later one where that was closed.
    document: the kind of the document and its id. party: the customer as the document showed them then.
    """

    day: date
    happened_on: date
    at: datetime
    of: str
    act: str
    fact: str
    kind: str
    document: tuple[str, str]
    number: str
    party: str
    customer: str
    currency: str
    amounts: Amounts
    detail: str = ""


@dataclass(frozen=True, slots=True)
class PaymentFacts:
    """A payment as far as the journal reads it: making rows of the model would take most of its time.

    at: the moment at which its money came in. party: the customer as it showed them, else as its document does.
    """

    pk: str
    status: str
    accepted: bool
    method: str
    gateway: str | None
    captured_minor: int | None
    currency: str
    paid_on: date | None
    at: datetime
    invoice: str | None
    quote: str | None
    number: str | None
    customer: str
    party: str | None

    @property
    def money(self) -> str:
        """The account that holds it: what the gateway collects for us, or the mode of an offline payment."""
        return f"transit:{self.gateway}" if self.gateway else f"mode:{self.method}"


def difference(before: Amounts, after: Amounts) -> dict[str, int]:
    """Returns by how much each account changes; accounts that stay are left out."""
    changed = {key: after.get(key, 0) - before.get(key, 0) for key in {**before, **after}}
    return {key: minor for key, minor in changed.items() if minor}


def of_payment(
    payment: PaymentFacts,
    calendar: Calendar,
    amounts: Amounts,
    *,
    at: datetime,
    kind: str,
    fact: str,
    act: str,
    happened_on: date | None = None,
) -> Change:
    """Returns a change by a fact of this payment, in its currency, on the day of `at` where no other is given."""
    happened_on = happened_on or calendar.day(at)
    return Change(
        day=calendar.booking_day(happened_on, at, fact),
        happened_on=happened_on,
        at=at,
        of=payment.pk,
        act=act,
        fact=fact,
        kind=kind,
        document=("invoice", payment.invoice) if payment.invoice else ("quote", payment.quote or ""),
        number=payment.number or "",
        party=payment.party or "",
        customer=payment.customer,
        currency=payment.currency,
        amounts=amounts,
    )
