"""Tokens of payment links: an id and its HMAC under a key that is not in the database (DESIGN R8)."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence

from .ids import encode

_MAC_LETTERS = 32  # 160 bits
_MAX_TOKEN = 120


def make_token(subject: str, key: str) -> str:
    """Returns the token for `subject`, an id with its type prefix; the same for every call."""
    return f"{subject.partition('_')[2]}-{_mac(subject, key)}"


def verify_token(token: str, prefix: str, keys: Sequence[str]) -> str | None:
    """Returns the id that this token is for, or None; a token under any of `keys` is valid, so that keys can rotate."""
    if len(token) > _MAX_TOKEN or not token.isascii():
        return None
    bare, _, mac = token.partition("-")
    subject = f"{prefix}_{bare}"
    # Every key is tried, so that the time does not reveal which one fits.
    matches = [hmac.compare_digest(mac, _mac(subject, key)) for key in keys]
    return subject if any(matches) else None


def _mac(subject: str, key: str) -> str:
    # The prefix keeps this use of the key apart from every other one.
    digest = hmac.new(key.encode(), b"partway link\0" + subject.encode(), hashlib.sha256).digest()
    return encode(int.from_bytes(digest[:20], "big"), _MAC_LETTERS)
