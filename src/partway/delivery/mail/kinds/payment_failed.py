"""The mail that a bank did not pay. To the customer and whom the money was asked of; replies go to the requester."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

from django.utils.translation import gettext as _

from partway.accounts.permissions import Permission
from partway.billing import links
from partway.billing.errors import NotPayable
from partway.billing.models import Mail
from partway.billing.payments.start import check_payable
from partway.lib import clock

from ...formats import format_money
from ...receipt_figures import method_label
from ..content import Content, document_name, payment_context, required

read_permission = Permission.VIEW_STORED_MAIL


def is_valid(mail: Mail, *, now: datetime) -> bool:
    """Returns False once the payment has succeeded after all."""
    return required(mail.payment).status == "failed"


def content(mail: Mail) -> Content:
    """The amount and why it failed, with the link of the payment's page, which leads to where it can be paid again."""
    payment = required(mail.payment)
    is_payable = False
    with suppress(NotPayable):
        is_payable = bool(check_payable(payment.source, now=clock.now()).amount)
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
            "url": links.receipt_url(payment),
        },
    )
