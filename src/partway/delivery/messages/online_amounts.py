"""Sentences for members about amounts that cannot be paid online, or not all of them, before anything is refused."""

from __future__ import annotations

from django.utils.translation import gettext as _

from partway.accounts.models import Organization
from partway.billing.checkouts import online_amounts
from partway.lib.money import Money

from ..formats import format_money


def rest_message(organization: Organization, rest: Money) -> str:
    """Returns what of the rest after a request cannot be paid online; empty when all of it can, or nothing is left."""
    online = online_amounts.of_organization(organization, rest.currency)
    if online is None or not rest:
        return ""
    payable = online.payable_part(rest)
    if payable == rest:
        return ""
    if not payable:
        message = _("Once it is paid, %(rest)s is left, which cannot be paid online: only in another way.")
    else:
        message = _("Once it is paid, %(rest)s is left, of which only %(payable)s can be paid online.")
    return message % {"rest": format_money(rest), "payable": format_money(payable)}


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
