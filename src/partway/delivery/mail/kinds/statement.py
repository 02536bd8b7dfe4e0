"""The statement of account of a customer. To whom a member chose; replies go to the organization."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _

from partway.accounts.permissions import Permission
from partway.billing import links
from partway.billing.models import Mail
from partway.billing.receivables import statements
from partway.lib.clock import now as present

from ...formats import format_money
from ...pdf import statement_pdf
from ...statement_rows import period_label
from ..content import Content, attached, required

read_permission = Permission.VIEW_STORED_MAIL  # nothing can be paid or decided with its link


def is_valid(mail: Mail, *, now: datetime) -> bool:
    """Returns True: it states what is so when it is sent."""
    return True


def content(mail: Mail) -> Content:
    """The statement as it is now, with its link and its PDF."""
    event, now = required(mail.event), present()
    statement = statements.of_event(event, now=now)
    values = {
        "organization": event.organization.name,
        "period": period_label(statement.since, statement.until),
    }
    return Content(
        subject=_("Statement of account from %(organization)s: %(closing)s")
        % {**values, "closing": format_money(statement.closing)},
        context={
            "statement": statement,
            "period": values["period"],
            "url": links.statement_url(event),
        },
        attachments=attached(lambda sent: statement_pdf(statement, now=now, event=sent), event),
    )
