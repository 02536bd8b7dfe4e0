"""The mail that a payment came in. To the requester, or to the organization where nothing was requested."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _

from partway.accounts.permissions import Permission
from partway.billing.models import Mail

from ...formats import format_money
from .. import validity
from ..content import Content, document_name, receipt_context, required, staff_url

read_permission = Permission.VIEW_STORED_MAIL


def is_valid(mail: Mail, *, now: datetime) -> bool:
    """Returns False once the payment is reversed, or the member has left."""
    return validity.unless_reversed(mail, now=now) and validity.unless_requester_left(mail, now=now)


def content(mail: Mail) -> Content:
    """The figures of the payment as it came in."""
    payment = required(mail.payment)
    document, context = payment.document, receipt_context(payment)
    return Content(
        subject=_("%(customer)s paid %(amount)s (%(document)s)")
        % {
            "customer": document.customer.name,
            "amount": format_money(context["receipt"].captured),
            "document": document_name(document),
        },
        context={**context, "url": staff_url(document)},
    )
