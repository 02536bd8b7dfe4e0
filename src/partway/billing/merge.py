"""Merges a form with a row that changed since the form was opened, field by field (DESIGN D8)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .errors import Invalid, field_error


def merge(stored: Mapping[str, Any], initial: Mapping[str, Any], typed: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the values to write, by field: `typed` where it differs from the form's `initial`, else `stored`.

    Raises Invalid with the code "stale" for the fields that both the form and another person have changed; the
    param `stored` of each is its present value.
    """
    # A field that the person left alone never counts as a change, or saving would undo another person's edit.
    changed = {name: value for name, value in typed.items() if value != initial[name]}
    # A tuple is a list of texts, as of addresses.
    texts = {name: ", ".join(value) if isinstance(value, tuple) else value for name, value in stored.items()}
    conflicts = {
        name: field_error("changed_meanwhile", stored=texts[name])
        if texts[name] not in ("", None)
        else field_error("emptied_meanwhile")
        for name, value in changed.items()
        if stored[name] not in (initial[name], value)
    }
    if conflicts:
        raise Invalid(conflicts, code="stale")
    return {name: changed.get(name, stored[name]) for name in typed}
