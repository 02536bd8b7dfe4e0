"""The forms of the staff pages: what a member typed, what is wrong with it, and the fields that parse it.

MoneyField, NumberField and WholeNumberField are the only places where a number that a member typed is parsed, all
through lib/typed_numbers: what could be two numbers in the page's locale is refused (DESIGN M7).
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any, ClassVar, Self

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from partway.billing.errors import BillingError, FieldError, Invalid, RateLimited
from partway.billing.requests.payment_requests import LinkRecipients
from partway.delivery.formats import MAX_PERCENT, current_locale, format_typed, format_typed_percent
from partway.delivery.messages import error_message, field_messages
from partway.delivery.messages.numbers import number_message
from partway.delivery.messages.printing import unprintable_message
from partway.lib.money import Money, parse_money
from partway.lib.typed_numbers import NumberError, parse_number
from partway.lib.untrusted_json import InvalidJson, read_json

_ADDRESS_SEPARATORS = re.compile(r"[,;\n]")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_PLACES = 4
_MAX_NUMBER = Decimal(999_999_999)  # nine digits, which an integer of 32 bits holds
_MAX_ID_DIGITS = 18
_MAX_KEY_LENGTH = 40
# No person types more; a longer search is slow everywhere, and SQLite refuses very long patterns.
MAX_SEARCH_LENGTH = 200
# Of any field, far above billing's own limits, so that nothing parses, compares or quotes a megabyte first.
MAX_FIELD_LENGTH = 20_000
_MAX_INITIAL_LENGTH = 200_000
# A moment in any time zone stays within what Python and both databases can keep.
MIN_YEAR, MAX_YEAR = 1970, 2199


# A field that marks what was typed before a sign-in: such a form is shown again and is never valid, so that nothing is
# done before its button is pressed once more (see kept_forms).
KEPT = "kept_form"


class StaffForm(forms.Form):
    """A form that keeps what was typed and what billing refused.

    `status` is the HTTP status of the page that shows the form, `code` the code of the error that billing raised.
    """

    def __init__(self, data: Mapping[str, object] | None = None, *, initial: Mapping[str, Any] | None = None):
        super().__init__(None if data is None else normalize(data), initial=dict(initial or {}))
        self.code = ""
        self.refusal_status = 0
        self.retry_after: timedelta | None = None

    def full_clean(self) -> None:
        """Refuses absurdly long texts before any field parses them; the page shows their beginning."""
        too_long = [name for name in self.fields if len(self.data.get(name, "")) > MAX_FIELD_LENGTH]
        if too_long:
            self.data = {**self.data, **{name: self.data[name][:MAX_FIELD_LENGTH] for name in too_long}}
        super().full_clean()
        message = gettext("Use at most %(limit)d characters.") % {"limit": MAX_FIELD_LENGTH}
        for name in too_long:
            self.errors[name] = self.error_class([message])
            self.cleaned_data.pop(name, None)
        if self.is_bound and KEPT in self.data:
            asks = gettext(
                "You had to sign in again, so nothing was done yet. Check this, and press the button again."
            )
            self.refuse(asks, status=403)

    @property
    def status(self) -> int:
        """200, 422 when a field is wrong, or the status of the error that billing raised."""
        return self.refusal_status or (422 if self.errors else 200)

    def content_key(self, path: str) -> str | None:
        """Returns the one-time key of a valid form at this path with all that was typed; None where the page had none.

        The same form sent twice acts once. One that was changed after Back acts anew, so that what was typed is not
        lost; for forms that move no money.
        """
        if not self.cleaned_data["idempotency_key"]:
            return None
        typed = {name: text for name, text in self.data.items() if name != "csrfmiddlewaretoken"}
        return sha256(json.dumps([path, typed], sort_keys=True).encode()).hexdigest()[:_MAX_KEY_LENGTH]

    def add_billing_error(self, error: BillingError) -> None:
        """Puts billing's refusal on the form: on the fields that it names, else on the form as a whole."""
        self.code, self.refusal_status = error.code, error.status
        if isinstance(error, RateLimited):
            self.retry_after = error.retry_after
        if isinstance(error, Invalid):
            self.add_field_errors(error.fields)
        else:
            self.refuse(error_message(error), status=error.status)

    def refuse(self, message: str, *, status: int) -> None:
        """Puts an error on the form as a whole."""
        self.refusal_status = status
        self.errors[NON_FIELD_ERRORS] = self.error_class([message])

    def add_field_errors(self, fields: Mapping[str, FieldError | str]) -> None:
        """Sets the sentences of field errors; a name may be one that is no field of this form."""
        for name, message in field_messages(Invalid(fields)).items():
            # Not add_error(): it refuses names that are no fields, and drops the value, which the page may need.
            self.errors[name] = self.error_class([message])

    def unprintable_in(self, labels: Mapping[str, str | Promise]) -> str:
        """Returns which characters documents cannot print of the texts in these fields; empty when they print all."""
        return unprintable_message((label, self[name].value() or "") for name, label in labels.items())


class ConcurrentEditForm(StaffForm):
    """A form for a row that two members may edit at once (DESIGN D8).

    The page sends back, in the field `initial`, the texts that it showed when it was opened, as a JSON object.
    `initial` of the form is what is stored now.
    """

    def opened_form(self) -> Self | None:
        """Returns a form of the texts that the page showed; None where the field is missing or no JSON object."""
        try:
            texts = read_json(self.data.get("initial", ""), max_bytes=_MAX_INITIAL_LENGTH)
        except InvalidJson:
            return None
        if not isinstance(texts, dict):
            return None
        opened = type(self)(texts)
        for field in self.fields.values():
            if isinstance(field, MoneyField):  # all of a form have one currency
                set_currency(opened, field.currency)
        return opened

    def valid_opened_form(self) -> Self | None:
        """Returns the same where each text is one that can be read; else billing compares with nothing."""
        opened = self.opened_form()
        return opened if opened is not None and opened.is_valid() else None

    def initial_json(self) -> str:
        """Returns the field `initial` of the page: the stored texts, or those that a refused form showed first.

        A field that was just reported as changed by another member carries what is stored now, and so does one that
        both changed alike: fields may count only with its value.
        """
        unbound = type(self)(initial=self.initial)
        stored = {name: str(unbound[name].value() or "") for name in self.initial}
        opened = self.opened_form()
        shown = {**stored, **(opened.data if opened else {})}
        if self.code == "stale":
            shown |= {
                name: text
                for name, text in stored.items()
                if name in self.errors or self.data.get(name) == text
            }
        return json.dumps(shown)


class DependentFieldsForm(StaffForm):
    """A form with fields that count only where another field has a certain value.

    `depends_on` maps such a field to (other field, values). Where it does not count, its text is kept and not parsed.
    """

    depends_on: dict[str, tuple[str, tuple[str, ...]]] = {}

    def clean(self) -> None:
        """Drops the errors and the values of the fields that do not count."""
        for name, (other, values) in self.depends_on.items():
            if self.cleaned_data.get(other) not in values:
                self.errors.pop(name, None)
                self.cleaned_data[name] = None


class MoneyField(forms.Field):
    """An amount in the form's currency, as Money; None for an empty field that is not required."""

    widget = forms.TextInput

    def __init__(self, *, required: bool = True) -> None:
        super().__init__(required=required)
        self.currency = ""  # see set_currency()

    def to_python(self, value: Any) -> Money | None:
        """Parses the text; raises ValidationError with the sentence for a member."""
        text = (value or "").strip()
        if not text and not self.required:
            return None
        try:
            return parse_money(text, self.currency, locale=current_locale())
        except NumberError as error:
            raise ValidationError(number_message(error), code=error.code) from None

    def prepare_value(self, value: Any) -> Any:
        """Returns the text of an initial amount."""
        return format_typed(value) if isinstance(value, Money) else value


class NumberField(forms.Field):
    """A number from 0 with at most four decimals, such as a quantity; 0 for an empty field that is not required."""

    widget = forms.TextInput
    marks: ClassVar[tuple[str, ...]] = ()
    limit: ClassVar[Decimal] = _MAX_NUMBER

    def to_python(self, value: Any) -> Decimal:
        """Parses the text; raises ValidationError with the sentence for a member."""
        text = (value or "").strip()
        if not text and not self.required:
            return Decimal(0)
        return _parse(text, places=_PLACES, limit=self.limit, marks=self.marks)

    def prepare_value(self, value: Any) -> Any:
        """Returns the text of an initial number."""
        return format_typed(value) if isinstance(value, Decimal) else value


class PercentField(NumberField):
    """A percentage from 0 to 100 with at most four decimals, with or without its sign."""

    marks = ("%",)
    limit = MAX_PERCENT

    def prepare_value(self, value: Any) -> Any:
        """Returns the text of an initial percentage."""
        return format_typed_percent(value) if isinstance(value, Decimal) else value


class WholeNumberField(forms.Field):
    """A whole number from 0; None for an empty field that is not required."""

    widget = forms.TextInput

    def to_python(self, value: Any) -> int | None:
        """Parses the text; raises ValidationError with the sentence for a member."""
        text = (value or "").strip()
        if not text and not self.required:
            return None
        return int(_parse(text, places=0))


def _parse(text: str, *, places: int, limit: Decimal = _MAX_NUMBER, marks: tuple[str, ...] = ()) -> Decimal:
    try:
        number = parse_number(text, locale=current_locale(), places=places, limit=limit, marks=marks)
        if number.is_signed():
            raise NumberError("not_a_number", text=text, places=places)
    except NumberError as error:
        raise ValidationError(number_message(error), code=error.code) from None
    return number


class DayField(forms.Field):
    """A calendar day in ISO format, as a date input sends it; None for an empty field that is not required."""

    widget = forms.TextInput

    def to_python(self, value: Any) -> date | None:
        """Parses the day."""
        text = (value or "").strip()
        if not text and not self.required:
            return None
        try:
            day = parse_day(text)
        except ValueError:
            raise ValidationError(_("Enter a date, as 2026-11-30.")) from None
        if not MIN_YEAR <= day.year <= MAX_YEAR:
            years = {"first": MIN_YEAR, "last": MAX_YEAR}
            raise ValidationError(_("Choose a date between %(first)s and %(last)s."), params=years)
        return day

    def prepare_value(self, value: Any) -> Any:
        """Returns the text of an initial day."""
        return value.isoformat() if isinstance(value, date) else value


class EmailListField(forms.Field):
    """Mail addresses with commas, semicolons or line breaks between them, as a tuple; billing checks each."""

    widget = forms.TextInput

    def to_python(self, value: Any) -> tuple[str, ...]:
        """Splits the text."""
        parts = (part.strip() for part in _ADDRESS_SEPARATORS.split(value or ""))
        return tuple(part for part in parts if part)


class RecipientsForm(StaffForm):
    """Whom a mail goes to, as `staff/parts/recipients.html` asks for it."""

    to = EmailListField(required=False)
    cc = EmailListField(required=False)
    bcc = EmailListField(required=False)

    def recipients(self) -> LinkRecipients:
        """Returns what was typed; billing checks each address."""
        return LinkRecipients(**{name: self.cleaned_data[name] for name in RecipientsForm.base_fields})


class HiddenNumberField(forms.Field):
    """A number that the page itself wrote into its form, such as a version; 0, which no row has, for anything else."""

    widget = forms.HiddenInput

    def to_python(self, value: Any) -> int:
        """Parses the digits; never raises."""
        text = (value or "").strip()
        return int(text) if text.isascii() and text.isdigit() and len(text) <= _MAX_ID_DIGITS else 0


class IdempotencyKeyField(forms.Field):
    """The one-time key of a form, so that a form sent twice acts once (DESIGN P8); None where the page had none.

    Each page gets a new key; see `StaffForm.content_key` for forms that may be sent again with other content.
    """

    widget = forms.HiddenInput

    def __init__(self) -> None:
        super().__init__(required=False, initial=new_idempotency_key)

    def to_python(self, value: Any) -> str | None:
        """Cuts the key to the length that is stored."""
        return (value or "").strip()[:_MAX_KEY_LENGTH] or None


class PaymentDayForm(StaffForm):
    """A form with the day of an offline payment, and with the answer where billing asks whether that day is meant.

    The page that asks sends the day back as `confirmed_paid_on`, so that the answer counts for no other day.
    """

    paid_on = DayField()
    confirmed_paid_on = forms.CharField(required=False)
    day_to_confirm = ""

    def add_billing_error(self, error: BillingError) -> None:
        """Keeps the day that billing asks about, besides the error."""
        super().add_billing_error(error)
        wrong = error.fields.get("paid_on") if isinstance(error, Invalid) else None
        if isinstance(wrong, FieldError) and wrong.code.startswith("paid_before_issue"):
            self.day_to_confirm = self.cleaned_data["paid_on"].isoformat()

    def details(self) -> dict[str, Any]:
        """Returns what was typed, with the answer as `paid_before_issue` of a valid form."""
        typed = dict(self.cleaned_data)
        confirmed, day = typed.pop("confirmed_paid_on", ""), typed.get("paid_on")
        return {**typed, "paid_before_issue": day is not None and confirmed == day.isoformat()}


def parse_day(text: str) -> date:
    """Parses a day like 2026-11-30 and no other; raises ValueError.

    Python reads 20261130 and 2026-W48-1 too, which may as well be a slip, and 11/12/26 is another day in each country.
    """
    if not _DAY.fullmatch(text):
        raise ValueError(text[:40])
    return date.fromisoformat(text)


def set_currency(form: forms.BaseForm, currency: str) -> None:
    """Sets the currency that the form's money fields are parsed in."""
    for field in form.fields.values():
        if isinstance(field, MoneyField):
            field.currency = currency


def text_field(max_length: int | None = None) -> forms.CharField:
    """Returns an optional text; billing says which texts it needs."""
    too_long = {"max_length": _("Use at most %(limit_value)d characters.")}
    return forms.CharField(required=False, max_length=max_length, error_messages=too_long)


def normalize(data: Mapping[str, object]) -> dict[str, str]:
    """Returns the texts that were sent, without NUL and with line breaks as one character, as the limits count them."""
    return {name: strip_nul(str(data[name])).replace("\r\n", "\n") for name in data}


def strip_nul(text: str) -> str:
    """Returns the text without NUL, which PostgreSQL stores nowhere."""
    return text.replace("\x00", "")


def query_text(query: QueryDict, name: str) -> str:
    """Returns a text of the address: trimmed, without NUL, and cut to the length of a search."""
    return strip_nul(query.get(name, "")[: 2 * MAX_SEARCH_LENGTH]).strip()[:MAX_SEARCH_LENGTH]


def new_idempotency_key() -> str:
    """Returns a one-time key for a form (DESIGN P8)."""
    return secrets.token_urlsafe(18)


def sentences(*parts: str) -> str:
    """Joins the sentences of a notice, without the empty ones."""
    return " ".join(part for part in parts if part)
