"""Parts of staff pages: fields of a form, icons, and links that keep what a list is narrowed to.

{% field form "to" "To" kind="email" required=True %}     label, input, help and error, tied together
{% icon "invoice" %}                                       from the sprite, drawn in the color of the text
{% narrowed sort="due_on" page="" %}                       this page's query with those parts changed
"""

from __future__ import annotations

from typing import Any

from django import template
from django.forms import BaseForm
from django.template import Context
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

from partway.lib.money import Money, format_money
from partway.staff.forms import Form

register = template.Library()

_METHODS = {"card": "Card", "bank_debit": "Bank debit", "": "–"}
_MAILS = {
    "invoice_sent": "Invoice",
    "quote_sent": "Quote",
    "quote_accepted": "Notice of acceptance",
    "quote_declined": "Notice of refusal",
    "payment_request": "Payment request",
    "receipt": "Receipt",
    "payment_received": "Notice to the member",
    "invitation": "Invitation",
}


@register.filter
def method(code: str) -> str:
    """How a customer paid."""
    return _METHODS.get(code, code.replace("_", " ").capitalize())


@register.filter
def mail_kind(code: str) -> str:
    """What a mail is about."""
    return _MAILS.get(code, code.replace("_", " ").capitalize())


@register.filter
def currency_mark(currency: str) -> str:
    """What stands before an amount, as "$" or "KWD" and a space, for the dialog that formats as one types."""
    return format_money(Money(0, currency)).partition("0")[0]


@register.filter
def less(amount: Money, other: Money) -> Money:
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


@register.simple_tag(takes_context=True)
def narrowed(context: Context, **changes: str) -> str:
    """The query of this page with some parts changed, empty ones left out."""
    query = context["request"].GET.copy()
    for name, value in changes.items():
        query[name] = str(value)
    for name in [name for name, value in query.items() if not value]:
        del query[name]
    return f"?{query.urlencode()}"


@register.simple_tag(takes_context=True)
def sorted_by(context: Context, column: str) -> dict[str, str]:
    """How a list's header reads and where it leads: the same column again turns the order around."""
    now = context["request"].GET.get("sort", "")
    following = f"-{column}" if now == column else column
    order = {column: "ascending", f"-{column}": "descending"}.get(now, "none")
    return {"order": order, "url": narrowed(context, sort=following, page="")}
