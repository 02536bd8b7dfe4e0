"""What was typed and what is wrong with it: kept together, so that a refused form comes back whole."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation

from django.core.exceptions import ValidationError

from partway.billing.errors import BillingError, Invalid
from partway.delivery.messages import error_message, field_messages
from partway.lib.money import Money, MoneyError, parse_money

_INITIAL_FIELD = "seen"  # the field that brings back what a page showed
_SEPARATORS = re.compile(r"[,;\n]")
_DECIMAL = re.compile(r"\d{1,9}(\.\d*)?|\.\d+", re.ASCII)
_WHOLE = re.compile(r"\d{1,9}", re.ASCII)
_PLACES = 4
# A moment in any time zone stays within what Python and both databases can keep.
MIN_YEAR, MAX_YEAR = 1970, 2199


@dataclass
class Form:
    """The texts of a form by field name, an error for each field that has one, and a refusal of the whole."""

    values: dict[str, str]
    errors: dict[str, str] = field(default_factory=dict)
    form_error: str = ""
    status: int = 200
    code: str = ""

    @classmethod
    def from_data(cls, data: Mapping[str, object]) -> Form:
        """What somebody sent; line breaks as one character, as the limits count them."""
        return cls({name: strip_nul(str(data[name])).replace("\r\n", "\n") for name in data})

    def initial(self) -> Form | None:
        """The texts that the page showed when it was opened, if it says so."""
        try:
            texts = json.loads(self.values.get(_INITIAL_FIELD, ""))
        except ValueError:
            return None
        return Form.from_data(texts) if isinstance(texts, dict) else None

    def initial_json(self, stored: Mapping[str, str]) -> str:
        """What the page sends back to say what it showed: what is stored, or for a refused form what it showed first.

        Only of what it has just told that somebody else changed it, it shows what is stored now.
        """
        first = self.initial()
        told = {name: stored[name] for name in self.errors if self.code == "stale"}
        return json.dumps({**stored, **(first.values if first else {}), **told})

    def text(self, name: str) -> str:
        """What stands in a field, without the space around it."""
        return self.values.get(name, "").strip()

    def add_error(self, error: BillingError) -> None:
        """Take over what billing says, onto the fields where it names them."""
        self.status, self.code = error.status, error.code
        if isinstance(error, Invalid):
            self.errors.update(field_messages(error))
        else:
            self.form_error = error_message(error)

    def money(self, name: str, currency: str) -> Money | None:
        """An amount, or None with the reason on the field."""
        try:
            return parse_money(self.text(name), currency)
        except MoneyError as error:
            self._add_field_error(name, str(error))
            return None

    def decimal(self, name: str, *, empty: Decimal | None = None) -> Decimal | None:
        """A number from 0 with at most four places, or None with the reason on the field."""
        text = self.text(name).removesuffix("%").strip()
        if not text and empty is not None:
            return empty
        try:
            value = Decimal(text if _DECIMAL.fullmatch(text) else "no")
        except InvalidOperation:
            self._add_field_error(name, "Enter a number like 2 or 1.5.")
            return None
        if value != round(value, _PLACES):
            self._add_field_error(name, f"Use at most {_PLACES} decimals.")
            return None
        return value

    def integer(self, name: str) -> int | None:
        """A whole number from 0, or None with the reason on the field."""
        text = self.text(name)
        if _WHOLE.fullmatch(text):
            return int(text)
        self._add_field_error(name, "Enter a whole number, like 30.")
        return None

    def day(self, name: str) -> date | None:
        """A calendar day, or None with the reason on the field."""
        try:
            day = date.fromisoformat(self.text(name))
        except ValueError:
            self._add_field_error(name, "Enter a date, as 2026-11-30.")
            return None
        if MIN_YEAR <= day.year <= MAX_YEAR:
            return day
        self._add_field_error(name, f"Choose a date between {MIN_YEAR} and {MAX_YEAR}.")
        return None

    def email_addresses(self, name: str) -> tuple[str, ...]:
        """Several addresses with commas or line breaks between them."""
        parts = (part.strip() for part in _SEPARATORS.split(self.text(name)))
        return tuple(part for part in parts if part)

    def add_validation_error(self, error: ValidationError) -> None:
        """Take over what a model's own checks say."""
        self.status = 422
        self.errors.update({name: message[0] for name, message in error.message_dict.items()})

    def _add_field_error(self, name: str, message: str) -> None:
        self.status = 422
        self.errors[name] = message


def strip_nul(text: str) -> str:
    """Text without NUL, which PostgreSQL takes nowhere."""
    return text.replace("\x00", "")


def new_idempotency_key() -> str:
    """A one-time key, so that a double click does a thing once (DESIGN P8)."""
    return secrets.token_urlsafe(18)
