"""The mail that a refund which was announced failed. To the customer and whom the money was asked of."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q
from django.utils.translation import gettext as _

from partway.accounts.permissions import Permission
from partway.billing import links
from partway.billing.models import Mail

from ...formats import format_money
from ..content import Content, document_name, receipt_context, refund_of, restored_of

read_permission = Permission.VIEW_STORED_MAIL


def is_valid(mail: Mail, *, now: datetime) -> bool:
    """Returns False where the customer never heard of the refund: its mail, or the receipt that names it, was not sent.

    One that waits is dropped, because the refund has failed; the receipt then says that the money is credit.
    """
    refund = refund_of(mail)
    announced = Q(kind="refund", data__refund=refund.pk)
    if refund.is_automatic:
        announced |= Q(kind="receipt", sent_at__lt=mail.created_at)
    return Mail.objects.filter(announced, payment=mail.payment_id, status="sent").exists()


def content(mail: Mail) -> Content:
    """The amount that the customer does not get, and where it is instead, with the link of the receipt."""
    refund = refund_of(mail)
    payment = refund.payment
    return Content(
        subject=_("The refund of %(amount)s from %(organization)s did not arrive (%(document)s)")
        % {
            "amount": format_money(refund.amount),
            "organization": payment.seller.name,
            "document": document_name(payment.document),
        },
        context={
            **receipt_context(payment),
            **restored_of(mail),
            "refund": refund,
            "url": links.receipt_url(payment),
        },
    )
