"""Sentences of refusals by billing's payments and checkouts, and by its modules alerts, preconditions and merge."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

MESSAGES: dict[str, str | Promise] = {
    "deposit_not_divisible": _("A deposit is paid in full. Its amount comes from the quote."),
    "gateway_unavailable": _(
        "The payment service does not answer right now. Nothing was charged. Try again in a minute."
    ),
    "gateway_unavailable.refund_failed": _(
        "The payment service did not send it back: %(gateway_message)s The books are as before."
    ),
    "gateway_unavailable.refused": _("The payment service refused: %(gateway_message)s Nothing was charged."),
    "not_payable": _("This cannot be paid with this link."),
    "not_payable.amount_not_payable": _("%(amount)s cannot be paid online. Ask how else you can pay it."),
    "payment_in_progress": _(
        "A payment is being processed right now. Wait until it is settled, then try again."
    ),
    "rate_limited": _(
        "Too many attempts to pay from here. Wait %(minutes)s min, or ask who sent you the link for another way to pay."
    ),
    "rate_limited.mail_link": _(
        "This was mailed many times within a short time. Nothing was sent now; the link that was mailed still works. "
        "Try again in %(minutes)s min."
    ),
    "rate_limited.mail_member": _(
        "You have sent as many mails as one member can send within an hour. Nothing was sent now. "
        "Try again in %(minutes)s min."
    ),
    "rate_limited.mail_organization": _(
        "The organization has sent as many mails as it can within an hour. Nothing was sent now. "
        "Try again in %(minutes)s min."
    ),
    "resolution_too_long": _("Use at most %(longest)s characters."),
    "stale.alert_changed": _(
        "This entry has changed since you opened the page. Read it again, then mark it as dealt with."
    ),
    "stale.amount_due_changed": _(
        "In the meantime %(due)s is due, not %(expected)s. Look again before you go on."
    ),
    "stale.version_changed": _("This was changed in the meantime. Check it again before you continue."),
    "changed_meanwhile": _(
        "This was changed in the meantime and is now “%(stored)s”. Save again to replace it with yours."
    ),
    "emptied_meanwhile": _(
        "This was changed in the meantime and is now empty. Save again to replace it with yours."
    ),
}
