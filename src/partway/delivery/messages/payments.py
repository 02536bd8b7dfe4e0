"""Sentences of refusals by billing.payments and billing.checkouts."""

from __future__ import annotations

from django.utils.functional import Promise

MESSAGES: dict[str, str | Promise] = {}
