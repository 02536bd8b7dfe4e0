"""Two people change the same thing: what each of them touched is kept, and where both did, the second is told (D8)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from .errors import Invalid

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def merge(stored: Mapping[str, Any], initial: DataclassInstance, typed: DataclassInstance) -> dict[str, Any]:
    """What to write, by field: `typed` where it was changed on the page that showed `seen`, else what is `stored` now.

    Raises Invalid, with the code "stale", on each field that somebody else has changed to something else meanwhile.
    """
    shown, wanted = asdict(initial), asdict(typed)
    touched = {name: value for name, value in wanted.items() if value != shown[name]}
    lost = {name: stored[name] for name, value in touched.items() if stored[name] not in (shown[name], value)}
    if lost:
        raise Invalid({name: _words(value) for name, value in lost.items()}, code="stale")
    return {name: touched.get(name, stored[name]) for name in wanted}


def _words(value: object) -> str:
    now = f"“{value}”" if value != "" else "empty"
    return f"Somebody else changed this in the meantime: it is {now} now. Save again to write yours instead."
