"""How money, stages, states, quantities and times look, the same on every page and in every mail.

{{ invoice.amount_due|money }}                   $1,250.50, its decimals smaller; |money_text for text
{% stage_bar total paid requested %}             the bar; {% stage_legend … %} is its legend
{% status_badge payment.status %}                a dot and a word
{% invoice_status_badge invoice today %}         the same, with Overdue and Partially paid derived
{{ line.quantity|quantity }}                     1.5, never 1.5000
{{ line.tax_percent|percentage }}                8.25%
{{ invoice.due_on|format_date }}                 Nov 22, 2026
{{ invoice|due }}                                the same, or for a draft: 14 days after sending
{{ event.created_at|format_datetime:organization.time_zone }}   Nov 22, 2026, 3:14 PM
{{ organization.email|ascii_address }}           info@xn--mller-kva.example, for a mailto link
{{ payment.settles_by|local_date:organization.time_zone }}      Nov 30, 2026
{{ request.expires_at|deadline:organization.time_zone }}        Nov 30, 2026; or with time and zone, inside a day
"""

from __future__ import annotations

from datetime import date, datetime
from html import escape

from django import template
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from partway.billing.documents.versions import Version
from partway.billing.models import Invoice
from partway.lib import clock, email_addresses
from partway.lib.money import Money

from ..formats import (
    format_date,
    format_datetime,
    format_deadline,
    format_due,
    format_money,
    format_number,
    format_percent,
    split_decimals,
)
from . import stages

register = template.Library()

register.simple_tag(stages.stage_bar)
register.simple_tag(stages.stage_legend)
register.filter("format_date", format_date)
register.filter("format_datetime", format_datetime)
register.filter("deadline", format_deadline)
register.filter("money_text", format_money)
register.filter("quantity", format_number)
register.filter("percentage", format_percent)

_LONG = 13  # characters from which the largest size does not fit a phone

# state: word, tone, shape of the dot. Amber asks for action, red is for harm alone.
_STATES: dict[str, tuple[str | Promise, str, str]] = {
    "draft": (_("Draft"), "muted", "ring"),
    "sent": (_("Sent"), "ink", "disc"),
    "unpaid": (_("Unpaid"), "ink", "ring"),
    "overdue": (_("Overdue"), "amber", "disc"),
    "partially_paid": (_("Partially paid"), "green", "half"),
    "paid": (_("Paid"), "green", "disc"),
    "void": (_("Void"), "muted", "ring"),
    "written_off": (_("Written off"), "muted", "ring"),
    "accepted": (_("Accepted"), "green", "half"),
    "declined": (_("Declined"), "muted", "ring"),
    "withdrawn": (_("Withdrawn"), "muted", "ring"),
    "invoiced": (_("Invoiced"), "green", "disc"),
    "due": (_("Due"), "amber", "ring"),
    "none": (_("None"), "muted", "ring"),
    "open": (_("Open"), "green", "ring"),
    "canceled": (_("Canceled"), "muted", "ring"),
    "expired": (_("Expired"), "muted", "ring"),
    "pending": (_("Waiting for the customer"), "muted", "ring"),
    "authorized": (_("Authorized"), "ink", "half"),
    "capturing": (_("Being charged"), "ink", "half"),
    "processing": (_("Processing"), "ink", "half"),
    "unwanted": (_("Processing, not needed"), "amber", "half"),
    "releasing": (_("Being released"), "muted", "half"),
    "closing": (_("Being closed"), "muted", "half"),
    "refund_pending": (_("On its way"), "muted", "ring"),
    "payout_pending": (_("On its way"), "muted", "ring"),
    "payout_paid": (_("Paid out"), "green", "disc"),
    "payout_failed": (_("Failed"), "red", "disc"),
    "succeeded": (_("Succeeded"), "green", "disc"),
    "reversed": (_("Reversed"), "amber", "ring"),
    "partly_refunded": (_("Partly refunded"), "green", "half"),
    "refunded": (_("Refunded"), "muted", "ring"),
    "disputed": (_("Disputed"), "amber", "half"),
    "lost": (_("Lost in a dispute"), "red", "ring"),
    "returned": (_("Returned by the bank"), "red", "ring"),
    "won": (_("Won"), "green", "disc"),
    "settled": (_("Settled"), "green", "half"),
    "taken_back": (_("Taken back"), "amber", "ring"),
    "failed": (_("Failed"), "red", "disc"),
    "queued": (_("Waiting to be sent"), "muted", "ring"),
    "dropped": (_("Not sent"), "muted", "ring"),
    "bounced": (_("Bounced"), "red", "disc"),
    "connected": (_("Connected"), "green", "disc"),
    "finding_ok": (_("Right"), "green", "disc"),
    "finding_advice": (_("Note"), "muted", "ring"),
    "finding_wrong": (_("To do"), "amber", "disc"),
    "on": (_("On"), "green", "disc"),
    "off": (_("Off"), "amber", "ring"),
    "enabled": (_("Enabled"), "green", "disc"),
    "disabled": (_("Disabled"), "amber", "ring"),
    "failing": (_("Failing"), "amber", "disc"),
    "delivered": (_("Delivered"), "green", "disc"),
}


@register.filter
def money(amount: Money) -> SafeString:
    """The amount with smaller decimals; its text stays whole for copying and for screen readers."""
    text = format_money(amount).replace("-", "−", 1)
    before, decimals, after = split_decimals(text)
    # Not by format_html, which takes five times as long: a list has two hundred amounts.
    long = " data-long" if len(text) >= _LONG else ""
    small = f'<span class="decimals">{escape(decimals)}</span>' if decimals else ""
    return SafeString(f'<span class="amount"{long}>{escape(before)}{small}{escape(after)}</span>')


@register.filter
def ascii_address(address: str) -> str:
    """The address for a mailto link: not every mail program knows domains in Unicode."""
    try:
        return email_addresses.ascii_address(address)
    except email_addresses.InvalidAddress:
        return address


@register.filter
def minus(amount: Money, other: Money) -> Money:
    """The difference of two amounts."""
    return amount - other


@register.filter
def negated(amount: Money) -> Money:
    """The amount with the other sign."""
    return -amount


@register.filter
def due(invoice: Invoice | Version) -> str:
    """The day on which an invoice, or a version of it, is due; of a draft with terms in days, the terms."""
    return format_due(invoice.due_on, invoice.due_days)


@register.filter
def as_money(amount_minor: int, currency: str) -> Money:
    """Minor units from a column, as Money."""
    return Money(amount_minor, currency)


def status_label(status: str) -> str:
    """Returns the word of a state, for files."""
    return str(_STATES[status][0])


@register.simple_tag
def status_badge(status: str) -> SafeString:
    """A stored or derived state as a dot and a word; an unknown one is shown by its code."""
    word, tone, shape = _STATES.get(status, (status.replace("_", " ").capitalize(), "muted", "ring"))
    dot = SafeString('<span class="state-dot" aria-hidden="true"></span>')
    return format_html(
        '<span class="state" data-tone="{}" data-shape="{}">{}{}</span>', tone, shape, dot, word
    )


@register.simple_tag
def invoice_status_badge(invoice: Invoice, today: date) -> SafeString:
    """The badge of an invoice's display status on `today`."""
    return status_badge(invoice_display_status(invoice, today))


def invoice_display_status(invoice: Invoice, today: date) -> str:
    """Returns the status on `today` (in the organization's time zone): overdue before partially_paid before sent."""
    if invoice.is_overdue(today):
        return "overdue"
    if invoice.status == "sent" and invoice.payment_status == "partially_paid":
        return "partially_paid"
    return invoice.status


@register.filter
def local_date(moment: datetime, time_zone: str) -> str:
    """The day of a moment in `time_zone`."""
    return format_date(clock.today(moment, time_zone))
