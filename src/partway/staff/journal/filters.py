"""The period and the currency that an address of the journal names, and links to other periods."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass, replace
from datetime import date, timedelta
from urllib.parse import urlencode

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from partway.billing.journal import entries
from partway.lib.money import EXPONENTS

from ..context import MemberContext
from ..list_filters import Filtered, InvalidFilter, apply_to, range_label, read_range, shorten

_YEAR_MONTHS = 12
_LENGTHS = ((1, _("Month")), (3, _("Quarter")), (12, _("Year")))


@dataclass(frozen=True, slots=True)
class Period:
    """The days from `since` to `until`, both included, in one currency."""

    since: date
    until: date
    currency: str

    @property
    def query(self) -> str:
        """The address of this period, for links to its other pages and files."""
        days = {"from": self.since.isoformat(), "until": self.until.isoformat()}
        return urlencode({**days, "currency": self.currency})

    @property
    def months(self) -> int:
        """Of how many whole months it is; 0 of any other days."""
        last = monthrange(self.until.year, self.until.month)[1]
        if self.since.day != 1 or self.until.day != last:
            return 0
        years = self.until.year - self.since.year
        return _YEAR_MONTHS * years + self.until.month - self.since.month + 1


def months_from(day: date, count: int, currency: str) -> Period:
    """Returns the period of so many months in which this day is: a month, a quarter, a year."""
    month = (day.month - 1) // count * count + 1
    last = month + count - 1
    return Period(
        day.replace(month=month, day=1), date(day.year, last, monthrange(day.year, last)[1]), currency
    )


def apply_filters(ctx: MemberContext) -> Filtered[Period]:
    """Returns the period of the address; this month in the organization's currency where it names none."""
    first = months_from(ctx.today, 1, ctx.organization.currency)
    return apply_to(first, ctx, {("from", "until"): _read_days, ("currency",): _read_currency})


def _read_days(period: Period, ctx: MemberContext, texts: list[str]) -> tuple[Period, str]:
    since, until = read_range(texts)
    until = until or max(ctx.today, since or ctx.today)
    since = since or until.replace(day=1)
    return replace(period, since=since, until=until), range_label(since, until)


def _read_currency(period: Period, _ctx: MemberContext, texts: list[str]) -> tuple[Period, str]:
    code = texts[0].upper()
    if code not in EXPONENTS:
        message = gettext("“%(text)s” is not a currency.")
        raise InvalidFilter(message % {"text": shorten(texts[0])})
    return replace(period, currency=code), code


def page_context(ctx: MemberContext, filtered: Filtered[Period]) -> dict[str, object]:
    """Returns what the head of each page of the journal shows: the period, its neighbors, and other lengths."""
    period = filtered.rows
    known = entries.currencies(ctx.organization)
    neighbors = {}
    if period.months in (1, 3, 12):
        before = period.since - timedelta(days=1)
        after = period.until + timedelta(days=1)
        neighbors = {
            "previous": months_from(before, period.months, period.currency),
            "next": months_from(after, period.months, period.currency) if after <= ctx.today else None,
        }
    return {
        "period": period,
        "filter_errors": filtered.filter_errors,
        "currencies": sorted({*known, period.currency}),
        "lengths": [
            (str(label), months_from(period.until, count, period.currency), period.months == count)
            for count, label in _LENGTHS
        ],
        **neighbors,
    }
