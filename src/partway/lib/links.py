"""Tokens of payment links: an id and its HMAC under a key that is not in the database (DESIGN R8); their mask."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Sequence

from .ids import encode

_MAC_LETTERS = 32  # 160 bits
_MAX_TOKEN = 120
# An id and a MAC, both base 32, wherever they stand: in an address that is itself escaped, a letter precedes the id.
_TOKEN = re.compile(r"([0-9a-hjkmnp-tv-z]{26})-[0-9a-hjkmnp-tv-z]{16,}")
# Of the secret of an API key, which an operator may have put into an address by mistake.
KEY_PREFIX = "ptw_"
_KEY = re.compile(rf"({KEY_PREFIX})[0-9a-hjkmnp-tv-z]{{16,}}")
# The first to open one of these links sets the password.
_PASSWORD_LINK = re.compile(r"(/(?:welcome|reset)/[\w-]+/)[\w-]+")


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


def mask_links(text: str) -> str:
    """Returns `text` without keys and the secret half of every token: for logs, and for what other servers quote.

    A gateway may name the address that it refuses, and a mail server the one that it takes for spam; readers see both.
    """
    return _KEY.sub(r"\1…", _PASSWORD_LINK.sub(r"\1…", _TOKEN.sub(r"\1-…", text)))


def _mac(subject: str, key: str) -> str:
    # The prefix keeps this use of the key apart from every other one.
    digest = hmac.new(key.encode(), b"partway link\0" + subject.encode(), hashlib.sha256).digest()
    return encode(int.from_bytes(digest[:20], "big"), _MAC_LETTERS)
