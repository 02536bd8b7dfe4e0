"""The statement of account of a customer as a document, as it is at this moment."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _

from partway.billing import links
from partway.billing.models import Event, Party
from partway.billing.receivables.statements import Statement
from partway.lib.clock import today
from partway.lib.money import Money

from ..formats import format_date
from ..statement_rows import period_label, statement_rows
from .content import Document, Entry, Headline, LabeledValue, Link, Row
from .parties import issuer, recipient


def document(statement: Statement, event: Event | None, now: datetime) -> Document:
    """Returns the statement's document, made at this time; with the link of the event that it was sent by.

    The parties are those of today (DESIGN D9 is about what was issued): it is no document of its own, and says so with
    the day on which it was made.
    """
    organization = statement.customer.organization
    made_on = today(now, organization.time_zone)
    as_of = _("on %(day)s") % {"day": format_date(statement.as_of)}
    in_credit = statement.closing < Money(0, statement.currency)
    rows = (
        Entry(row.day, row.label, row.detail, row.amount, row.balance) for row in statement_rows(statement)
    )
    return Document(
        kind=_("Statement"),
        number=f"{statement.currency} {statement.since.isoformat()} {statement.until.isoformat()}",
        document_date=made_on,
        issuer=issuer(Party.of_seller(organization)),
        recipient=recipient(Party.of_customer(statement.customer)),
        facts=(
            LabeledValue(_("Period"), period_label(statement.since, statement.until)),
            LabeledValue(_("Made on"), made_on),
        ),
        headline=Headline(_("In your favor"), -statement.closing, as_of)
        if in_credit
        else Headline(_("You owe"), statement.closing, as_of),
        entries=(
            Entry(statement.since, _("Opening balance"), "", None, statement.opening, strong=True),
            *rows,
            Entry(statement.until, _("Closing balance"), "", None, statement.closing, strong=True),
        ),
        sums=(
            Row(_("Due on invoices"), statement.due),
            Row(_("Of that, overdue"), statement.overdue),
            Row(_("Credit, deposits included"), -statement.credit),
            Row(_("Balance"), statement.closing, strong=True),
        ),
        link=Link(links.statement_url(event), _("This statement online")) if event else None,
    )
