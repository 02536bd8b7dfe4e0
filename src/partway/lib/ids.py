"""Opaque ids with a type prefix, as `inv_06f3k0…`: ordered by creation time and otherwise random, or of a content."""

from __future__ import annotations

import hashlib
import secrets
import threading
import time

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: no i, l, o, u
_PAIRS = [
    first + second for first in _ALPHABET for second in _ALPHABET
]  # encoding two letters at a time takes half the time
_LENGTH = 26  # 128 bits, of which 56 are microseconds and 72 random

_lock = threading.Lock()
_latest = 0


def new_id(prefix: str) -> str:
    """Returns a new id, greater than every earlier one of this process: rows of a transaction keep their order."""
    global _latest
    candidate = (time.time_ns() // 1000 << 72) | secrets.randbits(72)
    with _lock:
        _latest = max(candidate, _latest + 1)
        number = _latest
    return f"{prefix}_{encode(number, _LENGTH)}"


def digest_id(prefix: str, *parts: bytes) -> str:
    """Returns an id that follows from the content: 128 bits of its SHA-256, so that equal parts have the same id.

    Another content for a given id is out of reach; two contents of one id would take a chooser of both 2^64 tries.
    """
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8))  # so that ("ab", "c") and ("a", "bc") differ
        digest.update(part)
    return f"{prefix}_{encode(int.from_bytes(digest.digest()[:16]), _LENGTH)}"


def encode(number: int, length: int) -> str:
    """Returns `number` in base 32, most significant digit first, padded to `length` letters; `length` must be even."""
    return "".join([_PAIRS[(number >> shift) & 1023] for shift in range(5 * (length - 2), -1, -10)])
