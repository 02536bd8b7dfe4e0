"""Sentences of refusals by billing.people: organizations, members, customers, payment modes; and shared ones."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

MESSAGES: dict[str, str | Promise] = {
    "invalid": _("Please check the marked fields."),
    "stale": _("Somebody else changed this in the meantime. Look at both versions before you save."),
}
