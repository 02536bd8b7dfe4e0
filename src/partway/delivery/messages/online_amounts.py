"""Sentences for members about amounts that cannot be paid online, or not all of them, before anything is refused."""

from __future__ import annotations

from django.utils.translation import gettext as _

from partway.accounts.models import Organization
from partway.billing.checkouts import online_amounts
from partway.lib.money import Money

from ..formats import format_money


def due_message(organization: Organization, due: Money) -> str:
    """Returns what of an amount due cannot be paid online, and how much can; empty when all of it can.

    Also empty while the organization takes no online payments at all.
    """
    online = online_amounts.of_organization(organization, due.currency)
    if online is None or not organization.payments_enabled or not due:
        return ""
    payable = online.payable_part(due)
    if payable == due:
        return ""
    names = {
        "rest": format_money(due - payable),
        "payable": format_money(payable),
        "minimum": format_money(online.minimum),
        "step": format_money(online.step),
    }
    if not payable:
        message = _("%(rest)s cannot be paid online, where the least is %(minimum)s: only in another way.")
    else:
        message = _(
            "Online, only multiples of %(step)s can be paid: %(payable)s of this. "
            "The last %(rest)s must come in another way."
        )
    return message % names
