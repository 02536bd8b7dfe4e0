"""The mail that a bank moves money that is not needed any more. To the customer and whom the money was asked of."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _

from partway.accounts.permissions import Permission
from partway.billing import links
from partway.billing.models import Mail
from partway.lib import clock

from ...formats import format_money
from ...receipt_figures import method_label
from ..content import Content, document_name, payment_context, required

read_permission = Permission.VIEW_STORED_MAIL  # its page leads to none on which more can be paid


def is_valid(mail: Mail, *, now: datetime) -> bool:
    """Returns False once its outcome is known: the receipt, or the mail that it failed, says that."""
    return required(mail.payment).is_unwanted


def content(mail: Mail) -> Content:
    """The amount, until when it arrives, and whether it is sent back then or becomes credit."""
    payment = required(mail.payment)
    return Content(
        subject=_("Your bank debit of %(amount)s to %(organization)s is no longer needed (%(document)s)")
        % {
            "amount": format_money(payment.amount),
            "organization": payment.seller.name,
            "document": document_name(payment.document),
        },
        context={
            **payment_context(payment),
            "is_sent_back": mail.data["is_final"],
            "method": method_label(payment.method),
            "started_on": clock.today(payment.created_at, payment.seller.time_zone),
            "url": links.receipt_url(payment),
        },
    )
