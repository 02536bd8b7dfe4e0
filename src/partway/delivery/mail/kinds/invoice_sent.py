"""The mail of an invoice that was sent, changed or resent. To the customer; replies go to the organization."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _

from partway.accounts.permissions import Permission
from partway.billing import links
from partway.billing.models import Mail

from ...formats import format_money
from ...pdf import invoice_pdf
from ..content import Content, attached, invoice_context, required

read_permission = Permission.COPY_LINKS


def is_valid(mail: Mail, *, now: datetime) -> bool:
    """Returns False once the invoice is void or written off."""
    return required(mail.invoice).status in ("sent", "paid")


def content(mail: Mail) -> Content:
    """The invoice with its link and its PDF; `changed` when the customer had an earlier version."""
    invoice = required(mail.invoice)
    changed = bool(mail.data.get("changed"))
    subject = (
        _("Invoice %(number)s from %(organization)s, changed: %(state)s")
        if changed
        else _("Invoice %(number)s from %(organization)s: %(state)s")
    )
    state = _("%(amount)s due") % {"amount": format_money(invoice.amount_due)}
    return Content(
        subject=subject
        % {
            "number": invoice.number,
            "organization": invoice.seller.name,
            "state": state if invoice.amount_due else _("paid"),
        },
        context={**invoice_context(invoice), "changed": changed, "url": links.invoice_url(invoice)},
        attachments=attached(invoice_pdf, invoice),
    )
