"""Sentences of refusals by billing.requests: payment requests."""

from __future__ import annotations

from django.utils.functional import Promise

MESSAGES: dict[str, str | Promise] = {}
