"""The one reader of outside JSON refuses what a parser, a database or another reader would stumble over."""

from __future__ import annotations

import ast
import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import partway
from partway.lib.untrusted_json import MAX_BYTES, MAX_DEPTH, InvalidJson, read_json

DEEP = 100_000
REFUSED = {
    "empty": b"",
    "no JSON": b"<html>",
    "not UTF-8": b'"\xff"',
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "deep lists": b"[" * DEEP,
    "deep closed lists": b"[" * DEEP + b"]" * DEEP,
    "deep objects": b'{"a":' * DEEP,
    "one level too deep": b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1),
    "deep after a string with a bracket": b'["]\\"", ' + b"[" * MAX_DEPTH + b"]" * MAX_DEPTH + b"]",
    "too long": b'"' + b"x" * MAX_BYTES + b'"',
    "NaN": b"[NaN]",
    "Infinity": b"-Infinity",
    "a float beyond all": b"1e999",
    "5,000 digits": b"1" * 5000,
    "19 digits": b"-" + b"1" * 19,
    "a key twice": b'{"amount": 1, "amount": 2}',
    "a nested key twice": b'[{"a": {"b": 1, "b": 1}}]',
    "an escaped NUL": b'"a\\u0000"',
    "a NUL in a key": b'{"\\u0000": 1}',
    "half a pair": b'{"a": ["\\ud800"]}',
    "the other half": b'"\\udc00\\ud800"',
}


def levels(value: object) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max((levels(item) for item in inner), default=0)


EVERY_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**17), 10**17)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00")),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc[]{}\"\\'"), inner, max_size=4),
    max_leaves=12,
).filter(lambda value: levels(value) <= MAX_DEPTH)


@pytest.mark.parametrize("name", REFUSED)
def test_untrusted_json_is_refused(name: str) -> None:
    with pytest.raises(InvalidJson):
        read_json(REFUSED[name])


@pytest.mark.parametrize("limit", [5, 100])
def test_caller_sets_the_length_of_untrusted_json(limit: int) -> None:
    text = json.dumps("x" * (limit - 2))
    assert read_json(text, max_bytes=limit)
    with pytest.raises(InvalidJson):
        read_json(text, max_bytes=limit - 1)


@given(EVERY_JSON)
def test_valid_untrusted_json_is_read_as_python_reads_it(value: object) -> None:
    assert read_json(json.dumps(value)) == value


def test_paired_surrogates_are_one_letter() -> None:
    assert read_json(b'"\\ud83d\\ude00"') == "\U0001f600"


@pytest.mark.parametrize("text", ['"\\' * 500_000, '"' * 1_000_000, "\\" * 1_000_000, '\\"' * 500_000])
def test_refusal_of_untrusted_json_takes_linear_time(text: str) -> None:
    began = time.thread_time()
    with pytest.raises(InvalidJson):
        read_json(text)
    assert time.thread_time() - began < 2


def test_only_this_reader_parses_json_of_outside() -> None:
    """Sealed credentials were written by this installation, and are authenticated before they are parsed."""
    callers = {
        path.relative_to(Path(partway.__file__).parent).as_posix()
        for path in Path(partway.__file__).parent.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if (isinstance(node, ast.Attribute) and ast.unparse(node) in ("json.loads", "json.load"))
        or (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "json")
    }
    assert callers == {
        *("lib/untrusted_json.py", "lib/sealing.py", "config/settings.py"),
        "billing/models/webhooks.py",  # bodies of our own
        "api/openapi.py",  # a file of our own
    }
