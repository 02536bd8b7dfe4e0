"""The receipt of a payment. To the customer and whom the money was asked of; replies go to the requester, or office."""

from __future__ import annotations

from django.utils.translation import gettext as _

from partway.accounts.permissions import Permission
from partway.billing import links
from partway.billing.models import Mail

from ...formats import format_money
from ...pdf import receipt_pdf
from .. import validity
from ..content import Content, attached, document_name, receipt_context, required

read_permission = Permission.VIEW_STORED_MAIL

is_valid = validity.unless_reversed


def content(mail: Mail) -> Content:
    """The figures of the payment as it came in, with its link and its PDF."""
    payment = required(mail.payment)
    context = receipt_context(payment)
    figures = context["receipt"]
    # All of it goes back: a subject that only thanks would hide that.
    goes_back = figures.is_sent_back and figures.surplus == figures.captured
    return Content(
        subject=(
            _("%(amount)s was not due any more: %(organization)s sends it back (%(document)s)")
            if goes_back
            else _("Receipt: %(amount)s paid to %(organization)s (%(document)s)")
        )
        % {
            "amount": format_money(figures.captured),
            "organization": payment.seller.name,
            "document": document_name(payment.document),
        },
        context={**context, "url": links.receipt_url(payment)},
        attachments=attached(receipt_pdf, payment),
    )
