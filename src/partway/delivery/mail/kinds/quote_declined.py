"""The mail that a customer declined a quote. To the organization; replies go to the customer."""

from __future__ import annotations

from datetime import date

from django.utils.translation import gettext as _

from partway.accounts.permissions import Permission
from partway.billing.models import Mail

from ...formats import format_money
from .. import validity
from ..content import Content, quote_context, required, staff_url

read_permission = Permission.VIEW_STORED_MAIL

is_valid = validity.always  # the refusal happened, whatever followed


def content(mail: Mail) -> Content:
    """Who declined, and the reason given, which may be empty."""
    quote = required(mail.quote)
    return Content(
        subject=_("%(customer)s declined %(number)s (%(amount)s)")
        % {"customer": quote.customer.name, "number": quote.number, "amount": format_money(quote.total)},
        context={
            **quote_context(quote),
            "reason": mail.data.get("reason", ""),
            # Of a refusal that a member recorded.
            "said_by": mail.data.get("name", ""),
            "said_on": date.fromisoformat(mail.data["on"]) if "on" in mail.data else None,
            "url": staff_url(quote),
        },
    )
