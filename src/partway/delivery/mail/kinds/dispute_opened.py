"""The mail that a payment is disputed. To the organization."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _

from partway.accounts.permissions import Permission
from partway.billing.models import Mail

from ...formats import format_money
from ..content import Content, dispute_context, dispute_of, document_name

read_permission = Permission.VIEW_STORED_MAIL


def is_valid(mail: Mail, *, now: datetime) -> bool:
    """Returns False once the dispute is decided: nothing can be submitted any more."""
    return dispute_of(mail).status == "open"


def content(mail: Mail) -> Content:
    """The amount that is asked back, why, and until when evidence can be submitted."""
    dispute = dispute_of(mail)
    document = dispute.payment.document
    return Content(
        subject=_("%(customer)s disputes %(amount)s of a payment (%(document)s)")
        % {
            "amount": format_money(dispute.amount),
            "customer": document.customer.name,
            "document": document_name(document),
        },
        context=dispute_context(dispute),
    )
