"""Sentences for typed numbers that cannot be read, or could be two (DESIGN M7): amounts, decimals and whole numbers.

The script of the dialogs has those of amounts too, with the same placeholders.
"""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from partway.lib.money import MAX_AMOUNT_MINOR, Money
from partway.lib.typed_numbers import NumberError

from ..formats import example_amount, example_number, format_money, format_reading, format_typed

_GROUP_SIZE = 3

AMBIGUOUS = _("Did you mean %(first)s or %(second)s?")
OTHER_SEPARATORS = _("Numbers are written in another way here. Did you mean %(reading)s?")

AMOUNT_MESSAGES = {
    "empty": _("Enter an amount."),
    "not_a_number": _("“%(text)s” is not an amount. Write it like %(example)s."),
    "too_many_decimals": _("%(currency)s has %(places)s decimals at most. Write it like %(example)s."),
    "no_decimals": _("%(currency)s has no decimals. Write it like %(example)s."),
    "too_large": _("The most Partway can handle is %(limit)s."),
    "ambiguous": AMBIGUOUS,
    "other_separators": OTHER_SEPARATORS,
}
NUMBER_MESSAGES = {
    "empty": _("Enter a number like %(example)s."),
    "not_a_number": _("Enter a number like %(example)s."),
    "too_many_decimals": _("Use at most %(places)s decimals."),
    "no_decimals": _("Enter a whole number, like %(example)s."),
    "too_large": _("Enter at most %(limit)s."),
    "ambiguous": AMBIGUOUS,
    "other_separators": OTHER_SEPARATORS,
}
WHOLE_NUMBER_MESSAGES = {
    **NUMBER_MESSAGES,
    "empty": NUMBER_MESSAGES["no_decimals"],
    "not_a_number": NUMBER_MESSAGES["no_decimals"],
}


def number_message(error: NumberError) -> str:
    """Returns what to do about a typed number, with numbers as the reader can type them."""
    places, currency = error.params["places"], error.params.get("currency", "")
    params = _params(error, places, currency)
    messages = AMOUNT_MESSAGES if currency else NUMBER_MESSAGES if places else WHOLE_NUMBER_MESSAGES
    decimals = "too_many_decimals" if places else "no_decimals"
    codes = {"ambiguous_decimals": ("ambiguous", decimals), "too_many_decimals": (decimals,)}
    return " ".join(str(messages[code]) % params for code in codes.get(error.code, (error.code,)))


def _params(error: NumberError, places: int, currency: str) -> dict[str, Any]:
    """Returns the params of the sentence: those of the error, with its numbers as texts, and an example."""
    params = {**error.params, "example": example_amount(currency) if currency else example_number(places)}
    if error.code == "too_large" and currency:
        params["limit"] = format_money(Money(MAX_AMOUNT_MINOR, currency))
    elif error.code == "too_large":
        params["limit"] = format_typed(error.params["limit"])
    elif error.code == "other_separators":
        params["reading"] = format_reading(error.params["reading"])
    elif error.code in ("ambiguous", "ambiguous_decimals"):
        # Beside an amount with two decimals, 2,500 is clear. In a quantity it is what was just refused.
        group_places = places if error.code == "ambiguous" and places < _GROUP_SIZE else None
        readings = (format_reading(number, group_places) for number in error.params["readings"])
        params |= dict(zip(("first", "second"), readings, strict=True))
    return params
