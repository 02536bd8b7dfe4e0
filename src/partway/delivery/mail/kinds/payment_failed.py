"""The mail that a bank did not pay. To the customer and whom the money was asked of; replies go to the requester."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _

from partway.accounts.permissions import Permission
from partway.billing import links
from partway.billing.models import Mail
from partway.lib import clock

from ...formats import format_money
from ...receipt_figures import method_label
from ..content import Content, can_pay_exactly, document_name, payment_context, required

read_permission = Permission.COPY_LINKS


def is_valid(mail: Mail, *, now: datetime) -> bool:
    """Returns False once the payment has succeeded after all."""
    return required(mail.payment).status == "failed"


def content(mail: Mail) -> Content:
    """The amount and why it failed, with the link where the same can be paid again, else that of the payment's page."""
    payment = required(mail.payment)
    # Of a debit that was not needed any more nothing is asked again, whatever else is due.
    is_payable = bool(payment.accepted) and can_pay_exactly(payment.source, payment.amount)
    return Content(
        subject=_("Your payment of %(amount)s to %(organization)s did not go through (%(document)s)")
        % {
            "amount": format_money(payment.amount),
            "organization": payment.seller.name,
            "document": document_name(payment.document),
        },
        context={
            **payment_context(payment),
            "is_payable": is_payable,
            "method": method_label(payment.method),
            "started_on": clock.today(payment.created_at, payment.seller.time_zone),
            "url": links.payment_url(payment.source) if is_payable else links.receipt_url(payment),
        },
    )
