"""The mail that the time for the evidence of a dispute ends soon. To the organization."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _

from partway.accounts.permissions import Permission
from partway.billing.models import Mail
from partway.lib import clock

from ...formats import format_date
from ..content import Content, dispute_context, dispute_of, document_name, required

read_permission = Permission.VIEW_STORED_MAIL


def is_valid(mail: Mail, *, now: datetime) -> bool:
    """Returns False once the dispute is decided, or the time for evidence is over."""
    dispute = dispute_of(mail)
    return dispute.status == "open" and not dispute.is_evidence_over(now)


def content(mail: Mail) -> Content:
    """The last day for evidence, and of which dispute."""
    dispute = dispute_of(mail)
    due_at, zone = required(dispute.evidence_due_at), dispute.organization.time_zone
    return Content(
        subject=_("Evidence is due on %(day)s: the disputed payment of %(document)s")
        % {
            "day": format_date(clock.last_day(due_at, zone)),
            "document": document_name(dispute.payment.document),
        },
        context=dispute_context(dispute),
    )
