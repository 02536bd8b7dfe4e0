"""Writes what a program keeps with a row: a reference of its own, which no other row of its kind has, and metadata."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from django.db import IntegrityError, transaction

from partway.accounts import prepared

from . import events
from .errors import ExternalReferenceTaken, FieldError, Invalid, field_error
from .events import Actor
from .models import Customer, Invoice, PaymentRequest, Quote

MAX_REFERENCE_LENGTH = 100
MAX_KEYS, MAX_KEY_LENGTH, MAX_VALUE_LENGTH = 50, 40, 500

_EVENTS = {
    "customer": "customer.external_fields_changed",
    "invoice": "invoice.external_fields_changed",
    "quote": "quote.external_fields_changed",
    "payment_request": "payment_request.external_fields_changed",
}

ExternalRow = Customer | Invoice | Quote | PaymentRequest


@dataclass(frozen=True, slots=True)
class ExternalFields:
    """Changes of the reference and the metadata of a row.

    external_reference: None leaves it, an empty one takes it away. metadata: the values of keys to set, None for a key
    to take away; other keys stay.
    """

    external_reference: str | None = None
    metadata: Mapping[str, str | None] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return self.external_reference is not None or bool(self.metadata)

    def errors(self, stored: Mapping[str, str] = MappingProxyType({})) -> dict[str, FieldError]:
        """Returns the error of each wrong field; stored: the metadata that the row has already."""
        errors, reference = {}, self.external_reference or ""
        if len(reference) > MAX_REFERENCE_LENGTH:
            errors["external_reference"] = field_error("too_many_characters", limit=MAX_REFERENCE_LENGTH)
        elif reference.strip() != reference or not reference.isprintable():
            errors["external_reference"] = field_error("external_reference_form")
        if len(self.merged(stored)) > MAX_KEYS:
            errors["metadata"] = field_error("too_many_keys.metadata", limit=MAX_KEYS)
        for key, value in self.metadata.items():
            if not 1 <= len(key) <= MAX_KEY_LENGTH:
                errors["metadata"] = field_error("metadata_key", key=key[:60], limit=MAX_KEY_LENGTH)
            elif len(value or "") > MAX_VALUE_LENGTH:
                errors["metadata"] = field_error("metadata_value", key=key, limit=MAX_VALUE_LENGTH)
        return errors

    def merged(self, stored: Mapping[str, str]) -> dict[str, str]:
        """Returns the metadata of a row that has these so far."""
        return {key: value for key, value in {**stored, **self.metadata}.items() if value is not None}


UNCHANGED = ExternalFields()


def insert(row: ExternalRow, fields: ExternalFields) -> None:
    """Inserts a new row with these fields, which the caller has checked; raises ExternalReferenceTaken."""
    row.external_reference = fields.external_reference or None
    row.metadata = fields.merged({})
    with _unique(row):
        prepared.insert(row)


@transaction.atomic
def change(row: ExternalRow, fields: ExternalFields, *, by: Actor, now: datetime) -> None:
    """Changes the fields of a stored row in whatever state it is; a document has the same version afterwards.

    They are a program's own, and no part of its content. Raises Invalid, ExternalReferenceTaken.
    """
    if not fields:
        return
    stored = type(row)._default_manager.select_for_update(no_key=True).get(pk=row.pk)
    if errors := fields.errors(stored.metadata):
        raise Invalid(errors)
    before = {"external_reference": stored.external_reference, "metadata": stored.metadata}
    if fields.external_reference is not None:
        stored.external_reference = fields.external_reference or None
    stored.metadata = fields.merged(stored.metadata)
    # The caller's row may be saved whole after this.
    row.external_reference, row.metadata = stored.external_reference, stored.metadata
    if before == {"external_reference": row.external_reference, "metadata": row.metadata}:
        return
    with _unique(stored):
        stored.save(update_fields=["external_reference", "metadata"])
    data = {"external_reference": row.external_reference, "metadata": row.metadata, "before": before}
    events.record(_EVENTS[row.kind], row, by=by, now=now, data=data)


@contextmanager
def _unique(row: ExternalRow) -> Iterator[None]:
    """Raises ExternalReferenceTaken where the database refuses a write, because another row has the reference."""
    if row.external_reference is None:
        yield
        return
    try:
        with transaction.atomic():
            yield
    except IntegrityError:
        # Asked only now: of two programs at once, the second waits in the database until the first has committed.
        others = type(row)._default_manager.filter(organization=row.organization_id)
        other = others.filter(external_reference=row.external_reference).exclude(pk=row.pk).first()
        if other is None:
            raise
        raise ExternalReferenceTaken(other) from None
