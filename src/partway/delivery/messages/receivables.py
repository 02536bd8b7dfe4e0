"""Sentences of refusals by billing.receivables: offline payments, credit, write-offs."""

from __future__ import annotations

from django.utils.functional import Promise

MESSAGES: dict[str, str | Promise] = {}
