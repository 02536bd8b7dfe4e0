"""The mail that a refund failed. To the member who made it, or to the organization."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _

from partway.accounts.models import Member
from partway.accounts.permissions import Permission
from partway.billing.models import Mail

from ...formats import format_money
from ..content import Content, document_name, receipt_context, refund_of, restored_of, staff_url

read_permission = Permission.VIEW_STORED_MAIL


def is_valid(mail: Mail, *, now: datetime) -> bool:
    """Returns False once the member has left: a stranger may read their address next."""
    organization = refund_of(mail).organization
    is_member = Member.objects.filter(organization=organization, user__email__in=mail.to).exists()
    return is_member or mail.to == [organization.email]


def content(mail: Mail) -> Content:
    """The amount that the customer does not get, and of which payment."""
    refund = refund_of(mail)
    document = refund.payment.document
    subject = _("The refund of %(amount)s to %(customer)s failed (%(document)s)")
    if refund.failure_code == "disputed":
        subject = _("The refund of %(amount)s to %(customer)s was not sent (%(document)s)")
    return Content(
        subject=subject
        % {
            "amount": format_money(refund.amount),
            "customer": document.customer.name,
            "document": document_name(document),
        },
        context={
            **receipt_context(refund.payment),
            **restored_of(mail),
            "refund": refund,
            "url": staff_url(document),
        },
    )
