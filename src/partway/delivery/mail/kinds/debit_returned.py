"""The mail that a bank returned a debit after it had settled. To the customer and whom the money was asked of."""

from __future__ import annotations

from django.utils.translation import gettext as _

from partway.accounts.permissions import Permission
from partway.billing import links
from partway.billing.models import Mail
from partway.billing.receivables import dispute_losses

from ...formats import format_money
from .. import validity
from ..content import Content, can_pay_exactly, dispute_of, document_name, receipt_context

read_permission = Permission.COPY_LINKS

is_valid = validity.unless_decided_anew


def content(mail: Mail) -> Content:
    """The amount that the customer has again, with the link where just that can be paid, else that of the receipt."""
    dispute = dispute_of(mail)
    payment, document = dispute.payment, dispute.payment.document
    is_due = dispute_losses.effect(dispute) == "due_again"
    # Of an invoice that is collected in stages more may be due: then the organization asks for the next one.
    is_payable = (is_due or document.kind == "quote") and can_pay_exactly(document, dispute.amount)
    return Content(
        subject=_("Your bank returned your payment of %(amount)s to %(organization)s (%(document)s)")
        % {
            "amount": format_money(dispute.amount),
            "organization": payment.seller.name,
            "document": document_name(document),
        },
        context={
            **receipt_context(payment),
            "dispute": dispute,
            "is_due": is_due,
            "is_payable": is_payable,
            "url": links.payment_url(document) if is_payable else links.receipt_url(payment),
        },
    )
