"""Compares objects with Stripe's own descriptions: the classes of the SDK, and the fields of its examples."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, Union

from stripe import ListObject, StripeObject
from stripe._stripe_object import UntypedStripeObject

from .errors import Json

# What the examples show and a response of today does not: a list that has to be expanded since 2022-11-15, and the
# subject of the example event, which is a plan.
NOT_COMPARED = ("charge.refunds", "event.data.object.")

FIELDS = Path(__file__).with_name("example_fields.txt")

_JSON_TYPES = {bool: "boolean", int: "integer", float: "number", str: "string", list: "list", dict: "object"}


def fields_of_example(example: Json, path: str) -> Iterator[str]:
    """Yields each field of an example with its type, as `charge.paid boolean`; null where the example says no more."""
    for name, value in example.items():
        kind = "null" if value is None else _JSON_TYPES[type(value)]
        yield f"{path}.{name} {kind}"
        if isinstance(value, dict):
            yield from fields_of_example(value, f"{path}.{name}")


def differences_from_examples(shown: Json, path: str) -> Iterator[str]:
    """Yields the fields of the examples that an object lacks, or has with another type; null fits every type."""
    for line in FIELDS.read_text().splitlines():
        field, _, kind = line.partition(" ")
        if not field.startswith(f"{path}.") or field.startswith(NOT_COMPARED):
            continue
        *inner, name = field.removeprefix(f"{path}.").split(".")
        holder: Any = shown
        for step in inner:
            holder = holder.get(step) if isinstance(holder, dict) else None
        if not isinstance(holder, dict):
            continue  # null, or missing and named by the line of its own
        if kind == "object" and name not in holder and holder.get("type") not in (None, name):
            continue  # the details of another type, as those of a card for a bank debit
        if name not in holder:
            yield f"{field} is missing"
        elif holder[name] is not None and kind not in ("null", _JSON_TYPES[type(holder[name])]):
            yield f"{field} is {_JSON_TYPES[type(holder[name])]} and not {kind}"


def differences_from_sdk(described: type, shown: Json, path: str) -> Iterator[str]:
    """Yields what the class of the SDK describes otherwise: fields it does not name, lacks, or types otherwise."""
    hints = described.__annotations__
    yield from (f"{path}.{name} is not a field" for name in shown if name not in hints)
    for name, hint in hints.items():
        if name not in shown:
            if not _is_optional(hint) and not name.startswith("_"):
                yield f"{path}.{name} is missing"
        else:
            yield from _value(hint, shown[name], f"{path}.{name}")


def _is_optional(hint: Any) -> bool:
    return type(None) in typing.get_args(hint) or typing.get_origin(hint) is typing.ClassVar


def _value(hint: Any, value: Any, path: str) -> Iterator[str]:
    """Yields the differences of a value from all members of its hint, where no member fits."""
    members = list(_members(hint))
    found = [list(_member(member, value, path)) for member in members]
    if all(found):
        yield from min(found, key=len)


def _members(hint: Any) -> Iterator[Any]:
    if typing.get_origin(hint) in (Union, types.UnionType):
        inner = [member for one in typing.get_args(hint) for member in _members(one)]
        known = any(typing.get_origin(one) is Literal for one in inner)
        # Where the SDK adds `str` to known values, only those are accepted here.
        yield from (one for one in inner if not (known and one is str))
    else:
        yield hint


def _member(hint: Any, value: Any, path: str) -> Iterator[str]:
    origin = typing.get_origin(hint) or hint
    if origin is Literal:
        if value not in typing.get_args(hint):
            yield f"{path} is {value!r}, none of {typing.get_args(hint)}"
    elif origin is list and isinstance(value, list):
        for number, one in enumerate(value):
            yield from _value(typing.get_args(hint)[0], one, f"{path}[{number}]")
    elif isinstance(origin, type) and issubclass(origin, StripeObject) and isinstance(value, dict):
        if origin not in (UntypedStripeObject, ListObject):
            yield from differences_from_sdk(origin, value, path)
    elif not isinstance(value, _python_type(origin)) or (origin is int and isinstance(value, bool)):
        yield f"{path} is {value!r} and not {origin}"


def _python_type(origin: Any) -> Any:
    """Returns what a JSON value of this type is here; a name that only type checkers see is another resource."""
    if origin is float:
        return float | int
    return origin if origin in (str, int, bool, list, dict, type(None)) else dict
