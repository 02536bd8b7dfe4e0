"""Sentences of refusals by billing.documents: invoices, quotes, deposits, drafts."""

from __future__ import annotations

from django.utils.functional import Promise

MESSAGES: dict[str, str | Promise] = {}
