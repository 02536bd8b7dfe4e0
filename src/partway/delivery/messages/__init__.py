"""Sentences for codes: what billing refused, which field is wrong, what an alert says; the one place of such English.

Billing returns codes and parameters; each package of billing has its module of sentences here, by "code" or
"code.reason". Parameters are formatted for the reader: amounts and dates as the locale writes them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from django.utils.functional import Promise

from partway.billing.errors import BillingError, FieldError, Invalid
from partway.lib.money import Money

from ..formats import format_date, format_money
from . import documents, imports, journal, payments, people, programs, receivables, requests, webhooks
from .gateways import gateway_params

MESSAGES = {
    **documents.MESSAGES,
    **imports.MESSAGES,
    **journal.MESSAGES,
    **payments.MESSAGES,
    **people.MESSAGES,
    **receivables.MESSAGES,
    **requests.MESSAGES,
    **webhooks.MESSAGES,
}
TO_PROGRAMS = {**MESSAGES, **programs.MESSAGES}
Sentences = Mapping[str, str | Promise]


def error_message(error: BillingError, sentences: Sentences = MESSAGES) -> str:
    """Returns the sentence of a refusal; of one wrong field, that field's. `sentences`: those of the reader."""
    if isinstance(error, Invalid):
        messages = field_messages(error, sentences)
        return next(iter(messages.values())) if len(messages) == 1 else str(sentences["invalid"])
    if error.message:
        return error.message
    return _sentence(error.code, error.reason, error.params, sentences)


def field_messages(error: Invalid, sentences: Sentences = MESSAGES) -> dict[str, str]:
    """Returns the sentence of each wrong field, by the field's name."""
    return {
        name: _sentence(wrong.code, "", wrong.params, sentences) if isinstance(wrong, FieldError) else wrong
        for name, wrong in error.fields.items()
    }


def each_message(errors: Sequence[FieldError], sentences: Sentences = MESSAGES) -> list[str]:
    """Returns the sentence of each error, in their order: several of them may be about one field."""
    return [_sentence(error.code, "", error.params, sentences) for error in errors]


def _sentence(code: str, reason: str, params: Mapping[str, Any], sentences: Sentences) -> str:
    """Returns the sentence of "code.reason", else of "code"; raises KeyError for a code without one."""
    text = sentences.get(f"{code}.{reason}") or sentences[code]
    formatted = {name: _formatted(value) for name, value in params.items()}
    if "gateway" in params:
        formatted |= gateway_params(params["gateway"])
    return str(text) % formatted


def _formatted(value: Any) -> str:
    if isinstance(value, Money):
        return format_money(value)
    return format_date(value) if isinstance(value, date) else str(value)
