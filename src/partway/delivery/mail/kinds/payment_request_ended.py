"""The mail that a payment request ended without its requester. To the requester, or to the office once they left."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from partway.accounts.permissions import Permission
from partway.billing.models import Mail

from ...formats import format_money
from .. import validity
from ..content import Content, invoice_context, required, staff_url

# By the request's cancel_reason; an expired request has none.
_REASONS = {
    "": gettext_lazy("it was not paid in time"),
    "by_member": gettext_lazy("a colleague canceled it"),
    "invoice_paid": gettext_lazy("the invoice was paid"),
    "invoice_voided": gettext_lazy("the invoice was voided"),
    "invoice_changed": gettext_lazy("the invoice changed, and less is due now"),
    "invoice_written_off": gettext_lazy("the invoice was written off"),
    "offline_payment": gettext_lazy("an offline payment was recorded, and less is due now"),
    "replaced": gettext_lazy("another request took its place"),
}

# The label of the amount due on an invoice that ended; a void one has no amount due.
_DUE_LABELS = {"void": "", "written_off": gettext_lazy("Written off")}

read_permission = Permission.VIEW_STORED_MAIL

is_valid = validity.unless_requester_left  # a request that has ended stays ended


def content(mail: Mail) -> Content:
    """Why the request ended, and how its invoice stands now."""
    request, invoice = required(mail.payment_request), required(mail.invoice)
    reason = str(_REASONS[mail.data.get("reason", "")])
    return Content(
        subject=_("Your request for %(amount)s on %(number)s ended: %(reason)s")
        % {
            "amount": format_money(request.amount_requested),
            "number": invoice.number,
            "reason": reason,
        },
        context={
            **invoice_context(invoice),
            "request": request,
            "reason": reason,
            "due_label": _DUE_LABELS.get(invoice.status, _("Total Amount Due")),
            "url": staff_url(invoice),
        },
    )
