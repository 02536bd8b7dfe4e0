"""The mail that a dispute was won or lost. To the organization."""

from __future__ import annotations

from django.utils.translation import gettext as _

from partway.accounts.permissions import Permission
from partway.billing.models import Mail
from partway.billing.receivables import dispute_losses

from ...formats import format_money
from .. import validity
from ..content import Content, dispute_context, dispute_of, document_name

read_permission = Permission.VIEW_STORED_MAIL

is_valid = validity.unless_decided_anew


def content(mail: Mail) -> Content:
    """The amount that is free again, or that the customer has, and whether it is due again on an invoice."""
    dispute = dispute_of(mail)
    document = dispute.payment.document
    if dispute.status == "won":
        subject = _("The dispute about %(amount)s was won (%(document)s)")
    elif dispute.is_returned_debit:
        subject = _("The bank of %(customer)s returned %(amount)s of a debit (%(document)s)")
    else:
        subject = _("The dispute about %(amount)s was lost (%(document)s)")
    names = {
        "amount": format_money(dispute.amount),
        "customer": document.customer.name,
        "document": document_name(document),
    }
    context = {**dispute_context(dispute), "effect": dispute_losses.effect(dispute)}
    return Content(subject=subject % names, context=context)
