"""Parts of staff pages: fields of a form, icons, and links that keep what a list is narrowed to.

{% field form "to" "To" kind="email" required=True %}     label, input, help and error, tied together
{% icon "invoice" %}                                       from the sprite, drawn in the color of the text
{% narrowed sort="due_on" page="" %}                       this page's query with those parts changed
{% without chip.names %}                                   this page's query without those parts
{% kept "q" %}                                             the other parts, as hidden fields of a form

A list that has read its own query puts what counted into the context as `query`; links then carry nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import template
from django.forms import BaseForm
from django.http import QueryDict
from django.template import Context
from django.templatetags.static import static
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from partway.delivery.receipt_figures import method_label as method_name
from partway.lib.money import Money, format_money
from partway.staff.forms import Form

register = template.Library()

_METHOD_LABELS = {"card": "Card", "bank_debit": "Bank debit", "": "–"}
_MAIL_KIND_LABELS = {
    "invoice_sent": "Invoice",
    "quote_sent": "Quote",
    "quote_accepted": "Notice of acceptance",
    "quote_declined": "Notice of refusal",
    "payment_request": "Payment request",
    "receipt": "Receipt",
    "payment_received": "Notice to the member",
    "payment_request_ended": "Notice to the member",
    "invitation": "Invitation",
}


@register.filter
def method_label(code: str) -> str:
    """How a customer paid."""
    return _METHOD_LABELS.get(code) or method_name(code)


@register.filter
def mail_kind(code: str) -> str:
    """What a mail is about."""
    return _MAIL_KIND_LABELS.get(code, code.replace("_", " ").capitalize())


@register.filter
def currency_prefix(currency: str) -> str:
    """What stands before an amount, as "$" or "KWD" and a space, for the dialog that formats as one types."""
    return format_money(Money(0, currency)).partition("0")[0]


@register.filter
def minus(amount: Money, other: Money) -> Money:
    """One amount without another."""
    return amount - other


@register.inclusion_tag("staff/parts/field.html")
def field(form: Form | BaseForm, name: str, label: str, **options: Any) -> dict[str, Any]:
    """A field with everything around it; `kind` is the input's type, or textarea or select."""
    standing = _of_django(form, name) if isinstance(form, BaseForm) else _of_ours(form, name)
    return {**standing, "id": f"id-{standing['name']}", "label": label, "kind": "text", **options}


def _of_ours(form: Form, name: str) -> dict[str, Any]:
    return {"name": name, "value": form.values.get(name, ""), "error": form.errors.get(name, "")}


def _of_django(form: BaseForm, name: str) -> dict[str, Any]:
    """A field of a form that a library made, as those of sign-in."""
    bound = form[name]
    error = bound.errors[0] if bound.errors else ""
    return {"name": bound.html_name, "value": bound.value() or "", "error": error}


@register.simple_tag
def icon(name: str) -> SafeString:
    """A small drawing beside a word; never the only thing that carries the meaning."""
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
    """The query of this page without some parts; the page's own address when nothing is left."""
    query = _query(context)
    for name in names:
        query.pop(name, None)
    return _address(context, query)


def _address(context: Context, query: QueryDict) -> str:
    return f"?{query.urlencode()}" if query else str(context["request"].path)


@register.simple_tag(takes_context=True)
def hidden_query_fields(context: Context, *own: str) -> SafeString:
    """What the address holds besides a form's own fields, so that sending the form keeps it."""
    others = [(name, value) for name, value in _query(context).items() if name not in (*own, "page")]
    return format_html_join("", '<input type="hidden" name="{}" value="{}">', others)


@register.filter
def thousands(number: int) -> str:
    """A count as people read it: 100,000."""
    return f"{number:,}"


@register.simple_tag(takes_context=True)
def query_with(context: Context, **changes: str) -> str:
    """The query of this page with some parts changed, empty ones left out."""
    query = _query(context)
    for name, value in changes.items():
        query[name] = str(value)
    for name in [name for name, value in query.items() if not value]:
        del query[name]
    return _address(context, query)


@register.simple_tag(takes_context=True)
def sort_header(context: Context, column: str) -> dict[str, str]:
    """How a list's header reads and where it leads: the same column again turns the order around."""
    now = _query(context).get("sort", "")
    following = f"-{column}" if now == column else column
    order = {column: "ascending", f"-{column}": "descending"}.get(now, "none")
    return {"order": order, "url": query_with(context, sort=following, page="")}
