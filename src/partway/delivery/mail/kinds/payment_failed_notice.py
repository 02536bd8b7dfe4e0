"""The mail that a customer's bank did not pay. To the requester, or to the organization where nothing was requested."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _

from partway.accounts.permissions import Permission
from partway.billing.models import Mail

from ...formats import format_money
from .. import validity
from ..content import Content, document_name, payment_context, required, staff_url

read_permission = Permission.VIEW_STORED_MAIL


def is_valid(mail: Mail, *, now: datetime) -> bool:
    """Returns False once the payment has succeeded after all, or the member has left."""
    is_failed = required(mail.payment).status == "failed"
    return is_failed and validity.unless_requester_left(mail, now=now)


def content(mail: Mail) -> Content:
    """The amount that did not come, and why."""
    payment = required(mail.payment)
    document = payment.document
    return Content(
        subject=_("A payment of %(amount)s by %(customer)s failed (%(document)s)")
        % {
            "amount": format_money(payment.amount),
            "customer": document.customer.name,
            "document": document_name(document),
        },
        context={**payment_context(payment), "url": staff_url(document)},
    )
