"""Parts of staff pages: fields of a form, icons, and links that keep the filters of a list.

{% field form "to" _("To") kind="email" required=True %}  label, input, help and error, tied together
{% evidence_until dispute.evidence_due_at %}               until when, and how many days are left
{% unprintable_warning invoice %}                          what its PDF cannot show
{% icon "invoice" %}                                       from the sprite, in the color of the text
{% invoice_rows page.entries organization today %}         the rows of a table of invoices
{% query_with sort="due_on" page="" %}                     this page's query with those parts changed
{% query_without chip.names %}                             this page's query without those parts
{% hidden_query_fields "q" %}                              the other parts, as hidden fields of a form

A list that parses its query itself puts the valid parts into the context as `query`; links carry only those.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from babel.lists import format_list
from babel.numbers import get_decimal_symbol
from django import template
from django.forms import BaseForm
from django.http import QueryDict
from django.template import Context
from django.templatetags.static import static
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from partway.billing.models import Invoice, MailAttempt, Quote
from partway.delivery.formats import (
    current_locale,
    example_amount,
    format_count,
    format_deadline,
    format_money,
)
from partway.delivery.messages.mails import mail_error_message
from partway.delivery.messages.numbers import AMOUNT_MESSAGES
from partway.delivery.messages.printing import unprintable_in_stored
from partway.delivery.receipt_figures import adjustment_label
from partway.delivery.receipt_figures import method_label as method_name
from partway.lib import clock
from partway.lib.money import EXPONENTS, MAX_AMOUNT_MINOR, Money, currency_marks
from partway.lib.typed_numbers import (
    DIRECTION_MARKS,
    EQUIVALENTS,
    MAX_CHARACTERS,
    decimal_mark,
    digit_zeros,
    groups_by_two,
)

from ..context import MemberContext
from ..invoice_rows import invoice_rows
from ..live import live_page, payment_under_way

register = template.Library()

register.filter("adjustment_label", adjustment_label)
register.simple_tag(invoice_rows)

# Of the script that computes what remains while one types; those of the parser are the server's.
REMAINING_MESSAGES = {
    "not_positive": _("Enter an amount above zero."),
    "no_more_due": _("no more is due"),
    "above_limit": _("Enter at most %(limit)s: %(why)s."),
    "above_due": _(
        "%(due)s is due, so %(excess)s would be too much. Enter less, or keep the rest as credit."
    ),
    "below_online_minimum": _("Less than %(minimum)s cannot be paid online."),
    "not_online_multiple": _(
        "Online, only multiples of %(step)s can be paid. The most below this is %(possible)s."
    ),
    "online_rest": _("Whatever you ask for, the last %(rest)s cannot be paid online."),
    "online_rest_or_less": _(
        "%(rest)s would be left that cannot be paid online. Ask for %(all)s, or for at most %(most)s."
    ),
    "online_rest_or_all": _("%(rest)s would be left that cannot be paid online. Ask for %(all)s instead."),
}

_PAGES = ("page", "before", "after")  # the parts of an address that name a page
_MAIL_KIND_LABELS = {
    "invoice_sent": _("Invoice"),
    "quote_sent": _("Quote"),
    "quote_accepted": _("Notice of acceptance"),
    "quote_declined": _("Notice of refusal"),
    "payment_request": _("Payment request"),
    "receipt": _("Receipt"),
    "payment_received": _("Notice to the member"),
    "payment_failed": _("Notice of a failed payment"),
    "payment_failed_notice": _("Notice to the member"),
    "debit_not_needed": _("Notice of a debit that is not needed"),
    "unwanted_debit": _("Notice to the member"),
    "debit_returned": _("Notice of a returned debit"),
    "refund": _("Notice of refund"),
    "refund_failed": _("Notice to the member"),
    "refund_not_received": _("Notice of a failed refund"),
    "dispute_opened": _("Notice of a dispute"),
    "dispute_reminder": _("Reminder of evidence"),
    "dispute_closed": _("Notice of a dispute"),
    "payment_request_ended": _("Notice to the member"),
    "statement": _("Statement of account"),
    "invitation": _("Invitation"),
}


@register.filter
def method_label(code: str) -> str:
    """The label of a payment method; a dash where none is known yet."""
    return method_name(code) or "–"


@register.filter
def mail_kind(code: str) -> str:
    """The label of a kind of mail."""
    return str(_MAIL_KIND_LABELS.get(code) or code.replace("_", " ").capitalize())


@register.filter
def breakable(addresses: str) -> SafeString:
    """Mail addresses and types of events that break after a mark where they are too long, rather than within a word."""
    parts = re.split(r"(?<=[@._])", addresses)
    return format_html_join(SafeString("<wbr>"), "{}", ((part,) for part in parts))


@register.filter
def amount_list(amounts: Sequence[Money]) -> str:
    """Amounts of several currencies in one phrase: $20.00, €5.00, and ¥300."""
    return format_list([format_money(amount) for amount in amounts], locale=current_locale())


@register.filter
def mail_error(attempt: MailAttempt) -> str:
    """Why an attempt to send a mail failed."""
    return mail_error_message(attempt.error_code, attempt.error_params)


@register.simple_tag
def amount_format(currency: str) -> str:
    """How amounts are typed and written in the page's locale, as JSON for the scripts that do both as one types."""
    exponent, locale = EXPONENTS[currency], current_locale()
    # A sample shows what the locale puts around an amount and between its digits.
    sample = format_money(Money(1_234_567 * 10**exponent, currency))
    first, end = sample.index("1"), sample.rindex("0" if exponent else "7") + 1
    whole = sample[first : end - exponent - 1] if exponent else sample[first:end]
    groups = re.split("[^0-9]", whole)
    data = {
        "currency": currency,
        "places": exponent,
        "prefix": sample[:first],
        "suffix": sample[end:],
        "group": re.sub("[0-9]", "", whole)[:1],
        "groupSizes": [len(groups[-1]), len(groups[-2])] if len(groups) > 1 else [],
        "decimal": get_decimal_symbol(locale),
        "decimalMark": decimal_mark(locale),
        "groupsByTwo": groups_by_two(locale),
        "marks": currency_marks(currency, locale),
        "limit": str(MAX_AMOUNT_MINOR),
        "example": example_amount(currency),
        "maxCharacters": MAX_CHARACTERS,
        "equivalents": EQUIVALENTS,
        "directionMarks": DIRECTION_MARKS,
        "zeros": digit_zeros(),
        "messages": {
            code: str(message) for code, message in {**AMOUNT_MESSAGES, **REMAINING_MESSAGES}.items()
        },
    }
    return json.dumps(data)


@register.inclusion_tag("staff/parts/unprintable.html")
def unprintable_warning(document: Invoice | Quote) -> dict[str, str]:
    """A warning where the document's PDF cannot show all that is written in it; else nothing."""
    return {"unprintable": unprintable_in_stored(document)}


@register.inclusion_tag("staff/parts/live_payment.html", takes_context=True)
def payment_under_way_note(context: Context, document: Invoice | Quote) -> dict[str, Any]:
    """Says in a dialog that the customer is paying right now, and follows it while the dialog is open."""
    ctx: MemberContext = context["ctx"]
    return {
        "live": live_page(ctx, type(document), document.pk),
        "payment": payment_under_way(document, now=ctx.now),
        "time_zone": ctx.organization.time_zone,
    }


@register.simple_tag(takes_context=True)
def evidence_until(context: Context, due_at: datetime) -> str:
    """Until when evidence of a dispute can be submitted, with the days that are left, or that this is over."""
    ctx: MemberContext = context["ctx"]
    zone = ctx.organization.time_zone
    days = (clock.last_day(due_at, zone) - ctx.today).days
    if due_at < ctx.now:
        text = gettext("The time for evidence ended on %(until)s.")
    elif due_at < ctx.now + timedelta(days=1):  # perhaps tomorrow, and still in an hour
        text = gettext("Evidence until %(until)s: less than a day left")
    else:
        text = ngettext(
            "Evidence until %(until)s: %(days)s day left",
            "Evidence until %(until)s: %(days)s days left",
            days,
        )
    return text % {"until": format_deadline(due_at, zone), "days": days}


@register.inclusion_tag("staff/parts/field.html")
def field(form: BaseForm, name: str, label: str, **options: Any) -> dict[str, Any]:
    """A field with its label, input, help and error; `kind` is the input's type, or textarea or select."""
    bound = form[name]
    return {
        "name": bound.html_name,
        "id": f"id-{bound.html_name}",
        "value": bound.value() or "",
        "error": bound.errors[0] if bound.errors else "",
        "label": label,
        "kind": "text",
        **options,
    }


@register.simple_tag
def icon(name: str) -> SafeString:
    """An icon beside a word; never the only carrier of the meaning."""
    return format_html(
        '<svg class="icon" width="16" height="16" aria-hidden="true"><use href="{}#{}"/></svg>',
        static("staff/icons.svg"),
        name,
    )


def _query(context: Context) -> QueryDict:
    query: QueryDict = context["query"] if "query" in context else context["request"].GET
    return query.copy()


@register.simple_tag(takes_context=True)
def query_without(context: Context, names: Sequence[str]) -> str:
    """The query of this page without some parts; the page's path when nothing is left."""
    query = _query(context)
    for name in names:
        query.pop(name, None)
    return _url(context, query)


def _url(context: Context, query: QueryDict) -> str:
    return f"?{query.urlencode()}" if query else str(context["request"].path)


@register.simple_tag(takes_context=True)
def hidden_query_fields(context: Context, *own: str) -> SafeString:
    """The parts of the query besides a form's own fields, as hidden fields, so that the form keeps them."""
    others = [(name, value) for name, value in _query(context).items() if name not in (*own, *_PAGES)]
    return format_html_join("", '<input type="hidden" name="{}" value="{}">', others)


@register.filter
def thousands(number: int) -> str:
    """A count with separators: 100,000."""
    return format_count(number)


@register.simple_tag(takes_context=True)
def query_with(context: Context, **changes: str) -> str:
    """The query of this page with some parts changed; empty ones are left out."""
    query = _query(context)
    for name, value in changes.items():
        query[name] = str(value)
    for name in [name for name, value in query.items() if not value]:
        del query[name]
    return _url(context, query)


@register.simple_tag(takes_context=True)
def sort_header(context: Context, column: str) -> dict[str, str]:
    """The sort order of a column and the address of its header; the same column again reverses the order."""
    now = _query(context).get("sort", "")
    following = f"-{column}" if now == column else column
    order = {column: "ascending", f"-{column}": "descending"}.get(now, "none")
    return {"order": order, "url": query_with(context, sort=following, **dict.fromkeys(_PAGES, ""))}
