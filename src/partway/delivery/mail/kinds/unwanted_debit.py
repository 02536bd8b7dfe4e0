"""The mail that a bank moves money that is not needed any more. To the requester, or to the organization."""

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
    """Returns False once its outcome is known, which another mail says, or the member has left."""
    return required(mail.payment).is_unwanted and validity.unless_requester_left(mail, now=now)


def content(mail: Mail) -> Content:
    """The amount, until when its outcome is expected, and that nothing waits for it."""
    payment = required(mail.payment)
    document = payment.document
    return Content(
        subject=_("A bank debit of %(amount)s by %(customer)s is no longer needed (%(document)s)")
        % {
            "amount": format_money(payment.amount),
            "customer": document.customer.name,
            "document": document_name(document),
        },
        context={**payment_context(payment), "url": staff_url(document)},
    )
