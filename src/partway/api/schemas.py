"""The bases of what calls take and return."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any, Generic, Self, TypeVar, get_origin

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    StrictInt,
    StringConstraints,
    model_validator,
)
from pydantic_core import PydanticCustomError

from partway.billing.external_fields import MAX_REFERENCE_LENGTH, ExternalFields
from partway.lib.money import EXPONENTS, MAX_AMOUNT_MINOR, Money

from .problems import CODES

ItemT = TypeVar("ItemT", bound=BaseModel)
_DAY = re.compile(r"\d{4}-\d\d-\d\d")

Amount = Annotated[
    StrictInt,
    Field(ge=0, le=MAX_AMOUNT_MINOR, description="In minor units of the currency: cents, yen, fils."),
]
DecimalString = Annotated[
    str,
    StringConstraints(pattern=r"^\d{1,9}(\.\d{1,4})?$"),
    Field(description="A decimal of at most four places, as a string.", examples=["2.5"]),
]
Id = Annotated[str, StringConstraints(min_length=1, max_length=40)]


def _known_currency(code: str) -> str:
    if code not in EXPONENTS:
        raise PydanticCustomError("currency_unknown", "There is no such currency in ISO 4217.")
    return code


Currency = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Z]{3}$"),
    AfterValidator(_known_currency),
    Field(description="ISO 4217."),
]
# Of what can be searched: no text in a database has a NUL.
SearchText = Annotated[
    str, Field(max_length=200), AfterValidator(lambda text: text.replace("\0", "").strip())
]
ExternalReference = Annotated[
    str | None,
    Field(description="The program's own reference; no other object of this kind has the same."),
]
ReferenceFilter = Annotated[
    str,
    Field(max_length=MAX_REFERENCE_LENGTH, description="The one with exactly this reference of a program."),
    AfterValidator(lambda text: text.replace("\0", "")),
]


def _is_written(value: object) -> object:
    # A number is no day: it would be read as seconds since 1970.
    if not (isinstance(value, str) and _DAY.match(value)):
        raise PydanticCustomError("wrong_form", "Write it in the form of RFC 3339, as 2026-11-30.")
    return value


def _in_utc(time: datetime) -> datetime:
    try:
        return time.astimezone(UTC)
    except OverflowError:
        raise PydanticCustomError("wrong_form", "Send a time of the years 1 to 9999 in UTC.") from None


Day = Annotated[date, BeforeValidator(_is_written)]
# A time without a zone could be two.
Time = Annotated[
    AwareDatetime,
    BeforeValidator(_is_written),
    AfterValidator(_in_utc),
    Field(description="RFC 3339, with its offset."),
]
MAX_LIMIT = 200


class MoneyAmount(BaseModel):
    """An amount in minor units of its currency; negative where something was given back."""

    amount: int
    currency: str

    @classmethod
    def of(cls, money: Money) -> Self:
        """Returns an amount as calls return it."""
        return cls(amount=money.amount_minor, currency=money.currency)


class Input(BaseModel):
    """A body; a field that no call knows is refused, since a misspelt one would be lost."""

    model_config = ConfigDict(extra="forbid", strict=False)


def shown_as(**example: JsonValue) -> ConfigDict:
    """Returns the settings of a body whose example in the document of the API is this."""
    return ConfigDict(json_schema_extra={"examples": [example]})


class ExternalInput(Input):
    """A body with what a program keeps with an object.

    metadata: texts by key, at most 50; a change sets these keys, takes those that are null away, and leaves others.
    """

    external_reference: ExternalReference = None
    metadata: dict[str, str | None] = {}

    @property
    def external(self) -> ExternalFields:
        """Returns these fields as billing takes them; a reference that is null is taken away."""
        is_given = "external_reference" in self.model_fields_set
        return ExternalFields((self.external_reference or "") if is_given else None, self.metadata)

    def has_other_changes(self) -> bool:
        """Whether more than these fields is to be changed, beside the version that was read."""
        return bool(self.model_fields_set - {"external_reference", "metadata", "version"})


class Parameters(BaseModel):
    """The parameters of an address; `access` refuses an unknown one: without a misspelt filter all would be listed."""

    @classmethod
    def names(cls) -> dict[str, bool]:
        """Returns each parameter, and whether it may be repeated."""
        fields = cls.model_fields.items()
        return {field.alias or name: get_origin(field.annotation) is list for name, field in fields}

    @model_validator(mode="after")
    def _has_ranges_in_order(self) -> Self:
        values = self.model_dump(by_alias=True)
        starts = {name: f"{name.removesuffix('until')}from" for name in values if name.endswith("_until")}
        for name, start in ({"to": "from"} | starts).items():
            first, last = values.get(start), values.get(name)
            if first and last and last < first:
                params = {"name": name, "start": start}
                raise PydanticCustomError("range_reversed", "This is before `{start}`.", params)
        return self


class Version(Parameters):
    """The version of a draft as it was read; with it, a draft that was changed since is left alone."""

    version: int | None = None


EXPAND = "Objects that are returned too, in `expanded`; repeated for several."


class Filters(Parameters):
    """Limit, cursor and filters of a list."""

    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT)] = 50
    cursor: Annotated[str, Field(max_length=200, description="`next` of the page before.")] = ""


class DatedFilters(Filters):
    """Filters of rows that things happen to; the bounds of ranges belong to them."""

    created_from: Time | None = None
    created_until: Time | None = None
    updated_since: Annotated[
        Time | None, Field(description="Those to which anything happened then or later.")
    ] = None


class PeriodFilters(Parameters):
    """The days `from` to `to`, both included, in a currency; by default that of the organization's settings."""

    since: Annotated[Day, Field(alias="from")]
    until: Annotated[Day, Field(alias="to")]
    currency: Currency | None = None


class Page(BaseModel, Generic[ItemT]):
    """One page of a list; `next` is the cursor of the next one, null on the last."""

    data: list[ItemT]
    next: str | None


class FieldProblem(BaseModel):
    """A wrong field: its name as in the body or the query, a stable code, and a sentence."""

    field: str
    code: str
    message: str
    params: dict[str, Any] = {}


class Problem(BaseModel):
    """An error (RFC 9457); programs compare `code`, and people read `detail`."""

    type: str
    title: str
    status: int
    code: Annotated[str, Field(json_schema_extra={"enum": [*CODES]})]
    detail: str
    request_id: str
    reason: str = ""
    params: dict[str, Any] = {}
    fields: list[FieldProblem] = []
    payment_request: str = ""


def decimal_string(value: Decimal) -> str:
    """Returns a decimal without an exponent and without trailing zeros."""
    return f"{value.normalize():f}"
