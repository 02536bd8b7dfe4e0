"""The mail that the time for the evidence of a dispute ends soon. To the organization."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _

from partway.accounts.permissions import Permission
from partway.billing.models import Mail

from ...formats import format_date
from ..content import Content, dispute_context, dispute_of, document_name

read_permission = Permission.VIEW_STORED_MAIL


def is_valid(mail: Mail, *, now: datetime) -> bool:
    """Returns False once the dispute is decided, or the time for evidence is over."""
    dispute = dispute_of(mail)
    due_at = dispute.evidence_due_at
    return dispute.status == "open" and due_at is not None and now <= due_at


def content(mail: Mail) -> Content:
    """The last day for evidence, and of which dispute."""
    dispute = dispute_of(mail)
    context = dispute_context(dispute)
    return Content(
        subject=_("Evidence is due on %(day)s: the disputed payment of %(document)s")
        % {
            "day": format_date(context["evidence_on"]),
            "document": document_name(dispute.payment.document),
        },
        context=context,
    )
