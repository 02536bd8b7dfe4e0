"""The mail of a quote that was sent, resent or recorded as accepted. To the customer; replies to the organization."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _

from partway.accounts.permissions import Permission
from partway.billing import links
from partway.billing.documents import deposits
from partway.billing.models import Mail
from partway.lib.clock import today

from ...formats import format_money
from ...pdf import quote_pdf
from ..content import Content, attached, quote_context, required

read_permission = Permission.COPY_LINKS


def is_valid(mail: Mail, *, now: datetime) -> bool:
    """Returns whether the quote can still be accepted, or is accepted.

    One that waited while a member recorded the acceptance would repeat the mail about that.
    """
    quote = required(mail.quote)
    if quote.status == "sent":
        return quote.valid_until >= today(now, quote.organization.time_zone)
    is_repeated = quote.accepted_on is not None and mail.created_at < required(quote.accepted_at)
    return quote.status == "accepted" and not is_repeated


def content(mail: Mail) -> Content:
    """The quote with its link and its PDF; `asks` when it is accepted and its deposit is due.

    `recorded` when a member recorded the acceptance: the customer never saw the page that says it.
    """
    quote = required(mail.quote)
    asks = quote.status == "accepted" and deposits.deposit_status(quote) == "due"
    deposit = {"amount": format_money(quote.deposit)}
    return Content(
        subject=_("Quote %(number)s from %(organization)s: %(state)s")
        % {
            "number": quote.number,
            "organization": quote.seller.name,
            "state": _("deposit of %(amount)s due") % deposit if asks else format_money(quote.total),
        },
        context={
            **quote_context(quote),
            "asks": asks,
            "recorded": quote.accepted_on is not None,
            "button": _("Pay %(amount)s") % deposit if asks else _("See the quote"),
            "url": links.quote_url(quote),
        },
        attachments=attached(quote_pdf, quote),
    )
