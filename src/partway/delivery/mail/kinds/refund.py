"""The mail that money is on its way back. To the customer and whom it was asked of; replies go to the organization."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _

from partway.accounts.permissions import Permission
from partway.billing import links
from partway.billing.models import Mail

from ...formats import format_money
from ..content import Content, document_name, receipt_context, refund_of

read_permission = Permission.VIEW_STORED_MAIL


def is_valid(mail: Mail, *, now: datetime) -> bool:
    """Returns False once the refund has failed: the customer does not get the money."""
    return refund_of(mail).status == "succeeded"


def content(mail: Mail) -> Content:
    """The amount that is sent back, of which payment, with the link of its receipt."""
    refund = refund_of(mail)
    payment = refund.payment
    return Content(
        subject=_("%(organization)s sent %(amount)s back to you (%(document)s)")
        % {
            "amount": format_money(refund.amount),
            "organization": payment.seller.name,
            "document": document_name(payment.document),
        },
        context={**receipt_context(payment), "refund": refund, "url": links.receipt_url(payment)},
    )
