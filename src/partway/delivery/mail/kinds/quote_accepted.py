"""The mail that a customer accepted a quote. To the organization; replies go to the customer."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _

from partway.billing.models import Mail

from ...formats import format_money
from ..content import Content, quote_context, required, staff_url


def is_valid(mail: Mail, *, now: datetime) -> bool:
    """Returns True: the acceptance happened, whatever followed."""
    return True


def content(mail: Mail) -> Content:
    """Who accepted, with which signature, and whether a deposit is due."""
    quote = required(mail.quote)
    return Content(
        subject=_("%(customer)s accepted %(number)s (%(amount)s)")
        % {"customer": quote.customer.name, "number": quote.number, "amount": format_money(quote.total)},
        context={**quote_context(quote), "url": staff_url(quote)},
    )
