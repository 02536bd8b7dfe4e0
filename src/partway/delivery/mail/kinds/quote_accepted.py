"""The mail that a customer accepted a quote. To the organization; replies go to the customer."""

from __future__ import annotations

from django.utils.translation import gettext as _

from partway.accounts.permissions import Permission
from partway.billing.models import Mail

from ...formats import format_money
from .. import validity
from ..content import Content, quote_context, required, staff_url

read_permission = Permission.VIEW_STORED_MAIL

is_valid = validity.always  # the acceptance happened, whatever followed


def content(mail: Mail) -> Content:
    """Who accepted, with which signature, and whether a deposit is due."""
    quote = required(mail.quote)
    return Content(
        subject=_("%(customer)s accepted %(number)s (%(amount)s)")
        % {"customer": quote.customer.name, "number": quote.number, "amount": format_money(quote.total)},
        context={**quote_context(quote), "url": staff_url(quote)},
    )
