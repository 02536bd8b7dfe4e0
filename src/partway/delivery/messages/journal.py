"""Sentences of refusals by billing.journal: closing and opening periods, and the names of accounts."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

MESSAGES: dict[str, str | Promise] = {
    "account_code_twice": _("Another account has the code %(taken)s."),
    "close_before_today": _("Only days that are over can be closed: choose one before %(today)s."),
    "close_after_closed": _("The journal is closed through %(closed)s already."),
    "conflict.journal_not_closed": _("No period of the journal is closed."),
    "reopen_closed_day": _("The journal is closed through %(closed)s: choose that day or one before."),
    "reopening_reason": _("Say why, in at most %(limit)s letters."),
    "stale.accounts_changed": _("Another member has changed the accounts meanwhile. Open the page again."),
    "stale.journal_closed": _("Another member has closed or opened a period meanwhile."),
}
