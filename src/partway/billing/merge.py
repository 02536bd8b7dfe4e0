"""Merges a form with a row that changed since the form was opened, field by field (DESIGN D8)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from .errors import Invalid, field_error

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def merge(stored: Mapping[str, Any], initial: DataclassInstance, typed: DataclassInstance) -> dict[str, Any]:
    """Returns the values to write, by field: `typed` where it differs from the form's `initial`, else `stored`.

    Raises Invalid with the code "stale" for the fields that both the form and another person have changed; the
    param `stored` of each is its present value.
    """
    before, after = asdict(initial), asdict(typed)
    # A field that the person left alone never counts as a change, or saving would undo another person's edit.
    changed = {name: value for name, value in after.items() if value != before[name]}
    conflicts = {
        name: field_error("changed_meanwhile", stored=stored[name])
        if stored[name] != ""
        else field_error("emptied_meanwhile")
        for name, value in changed.items()
        if stored[name] not in (before[name], value)
    }
    if conflicts:
        raise Invalid(conflicts, code="stale")
    return {name: changed.get(name, stored[name]) for name in after}
