"""Reads JSON that came from outside: a gateway, a browser, a merchant of the sandbox; nothing else parses such text."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import NoReturn

MAX_BYTES = 1024 * 1024
# A list of a gateway's checkouts with their refunds is four levels deep.
MAX_DEPTH = 16
# Both databases store 64-bit integers, and int() takes quadratic time for long texts.
MAX_DIGITS = 18

# A string, closed or not, or a bracket. Every alternative consumes what it looked at, so the scan is linear even for
# text that is made of quotes and backslashes.
_STRING_OR_BRACKET = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?|[\[\]{}]', re.DOTALL)


_SURROGATE = re.compile("[\ud800-\udfff]")


class InvalidJson(ValueError):
    """The text is no JSON that is taken; the message says why, without the text."""


def read_json(sent: bytes | str, *, max_bytes: int = MAX_BYTES) -> object:
    """Returns the value of a JSON text in UTF-8; raises InvalidJson.

    Refused besides malformed JSON: more than `max_bytes`, more than MAX_DEPTH levels, integers of more than
    MAX_DIGITS digits, NaN and infinities, a key that occurs twice in an object, and, in strings and keys, NUL and
    halves of surrogate pairs, which PostgreSQL cannot store.
    """
    if len(sent) > max_bytes:
        raise InvalidJson(f"longer than {max_bytes} bytes")
    try:
        text = sent.decode() if isinstance(sent, bytes) else sent
    except UnicodeDecodeError:
        raise InvalidJson("not UTF-8") from None
    _check_depth(text)
    try:
        value: object = json.loads(
            text,
            parse_int=_read_integer,
            parse_float=_read_number,
            parse_constant=_refuse_constant,
            object_pairs_hook=_read_object,
        )
    except json.JSONDecodeError as error:
        raise InvalidJson(f"not JSON: {error.msg} at {error.pos}") from None
    for string in _strings(value):
        if "\x00" in string:
            raise InvalidJson("a NUL in a string")
        if not string.isascii() and _SURROGATE.search(string):
            raise InvalidJson("half of a surrogate pair in a string")
    return value


def _check_depth(text: str) -> None:
    # Before parsing: the parser calls itself for each level, and the interpreter's limit depends on the caller.
    if text.count("{") + text.count("[") <= MAX_DEPTH:
        return
    depth = 0
    for found in _STRING_OR_BRACKET.finditer(text):
        if found[0] in ("[", "{"):
            depth += 1
            if depth > MAX_DEPTH:
                raise InvalidJson(f"more than {MAX_DEPTH} levels deep")
        elif found[0] in ("]", "}"):
            depth -= 1


def _read_integer(digits: str) -> int:
    if len(digits.removeprefix("-")) > MAX_DIGITS:
        raise InvalidJson(f"an integer of more than {MAX_DIGITS} digits")
    return int(digits)


def _read_number(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise InvalidJson("a number out of range")
    return number


def _refuse_constant(name: str) -> NoReturn:
    raise InvalidJson(f"{name} is no number of JSON")


def _read_object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    # The last of two equal keys would win here, and the first elsewhere: the two ends would read two messages.
    values = dict(pairs)
    if len(values) < len(pairs):
        raise InvalidJson("a key that occurs twice")
    return values


def _strings(value: object) -> Iterator[str]:
    """Yields every string and key of a value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from _strings(item)
