"""How money, stages, states, quantities and times look, the same on every page and in every mail.

{{ invoice.amount_due|money }}                   $1,250.50, its decimals smaller; |plain_money for text
{% stage_bar total paid requested %}             the bar; {% stage_legend … %} says it in words
{% state payment.status %}                       a dot and a word
{% invoice_state invoice today %}                the same, with Overdue and Partially paid derived
{{ line.quantity|quantity }}                     1.5, never 1.5000
{{ event.created_at|local_time:organization.time_zone }}   Nov 22, 2026, 3:14 PM
{{ request.expires_at|last_moment:organization.time_zone }}   Nov 30, 2026; with the time, unless the day ends with it
"""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from partway.billing.models import Invoice
from partway.lib import clock
from partway.lib.money import EXPONENTS, Money, format_money

from . import stages

register = template.Library()

register.simple_tag(stages.stage_bar)
register.simple_tag(stages.stage_legend)

_DECIMALS = re.compile(r"^(.*\d)(\.\d+)$", re.DOTALL)
_LONG = 13  # letters from which the largest size no longer fits a phone

# state: word, tone, shape of the dot. Amber asks for somebody, red is for harm alone.
_STATES: dict[str, tuple[str, str, str]] = {
    "draft": ("Draft", "soft", "ring"),
    "sent": ("Sent", "ink", "disc"),
    "unpaid": ("Unpaid", "ink", "ring"),
    "overdue": ("Overdue", "amber", "disc"),
    "partially_paid": ("Partially paid", "green", "half"),
    "paid": ("Paid", "green", "disc"),
    "void": ("Void", "soft", "ring"),
    "written_off": ("Written off", "soft", "ring"),
    "accepted": ("Accepted", "green", "half"),
    "declined": ("Declined", "soft", "ring"),
    "invoiced": ("Invoiced", "green", "disc"),
    "due": ("Due", "amber", "ring"),
    "none": ("None", "soft", "ring"),
    "open": ("Open", "green", "ring"),
    "canceled": ("Canceled", "soft", "ring"),
    "expired": ("Expired", "soft", "ring"),
    "pending": ("Waiting for the customer", "soft", "ring"),
    "authorized": ("Authorized", "ink", "half"),
    "capturing": ("Being charged", "ink", "half"),
    "processing": ("Processing", "ink", "half"),
    "releasing": ("Being released", "soft", "half"),
    "closing": ("Being closed", "soft", "half"),
    "succeeded": ("Succeeded", "green", "disc"),
    "reversed": ("Reversed", "amber", "ring"),
    "failed": ("Failed", "red", "disc"),
    "queued": ("Waiting to be sent", "soft", "ring"),
    "dropped": ("Not sent", "soft", "ring"),
    "bounced": ("Bounced", "red", "disc"),
    "connected": ("Connected", "green", "disc"),
    "on": ("On", "green", "disc"),
    "off": ("Off", "amber", "ring"),
}


@register.filter
def money(amount: Money) -> SafeString:
    """The amount with smaller decimals; its text stays whole for copying and for screen readers."""
    text = format_money(amount).replace("-", "−", 1)
    long = SafeString(" data-long") if len(text) >= _LONG else ""
    found = _DECIMALS.match(text)
    if not found:
        return format_html('<span class="amount"{}>{}</span>', long, text)
    whole, decimals = found.groups()
    small = format_html('<span class="decimals">{}</span>', decimals)
    return format_html('<span class="amount"{}>{}{}</span>', long, whole, small)


@register.filter
def money_text(amount: Money) -> str:
    """The amount as text, for mails, titles and labels."""
    return format_money(amount)


@register.filter
def money_input(amount: Money) -> str:
    """The amount as one would type it into a field: 1250.50."""
    return f"{amount.decimal:f}"


@register.filter
def exponent(currency: str) -> int:
    """How many decimals the currency has: 0, 2 or 3."""
    return EXPONENTS[currency]


@register.filter
def as_money(amount_minor: int, currency: str) -> Money:
    """Minor units from a column, as Money."""
    return Money(amount_minor, currency)


@register.simple_tag
def status_badge(word: str) -> SafeString:
    """A stored or derived state as a dot and a word; an unknown one shows itself."""
    words, tone, shape = _STATES.get(word, (word.replace("_", " ").capitalize(), "soft", "ring"))
    dot = SafeString('<span class="state-dot" aria-hidden="true"></span>')
    return format_html(
        '<span class="state" data-tone="{}" data-shape="{}">{}{}</span>', tone, shape, dot, words
    )


@register.simple_tag
def invoice_status_badge(invoice: Invoice, today: date) -> SafeString:
    """The state a person has in mind: overdue beats partially paid, which beats sent."""
    return status_badge(invoice_display_status(invoice, today))


def invoice_display_status(invoice: Invoice, today: date) -> str:
    """The state of an invoice on `today` (where the organization is), derived ones included."""
    if invoice.is_overdue(today):
        return "overdue"
    if invoice.status == "sent" and invoice.payment_status == "partially_paid":
        return "partially_paid"
    return invoice.status


@register.filter
def quantity(value: Decimal) -> str:
    """A decimal without trailing zeros or an exponent."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


@register.filter
def format_datetime(when: datetime, time_zone: str) -> str:
    """The moment on a clock in `time_zone`."""
    local = when.astimezone(ZoneInfo(time_zone))
    return f"{format_date(local)}, {local.hour % 12 or 12}:{local:%M %p}"


@register.filter
def format_date(day: date) -> str:
    """A calendar day, as Nov 22, 2026."""
    return f"{day:%b} {day.day}, {day.year}"


@register.filter
def deadline(until: datetime, time_zone: str) -> str:
    """Until when something goes: the last day, if it ends with that day in `time_zone`, else the moment."""
    day = clock.last_day(until, time_zone)
    ends_with_day = until == clock.end_of_day(day, time_zone)
    return format_date(day) if ends_with_day else format_datetime(until, time_zone)
