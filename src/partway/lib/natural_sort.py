"""Sort keys of document numbers: digits compare as numbers, letters without case, the same in every database.

A key is bytes, since both databases compare bytes alike, while text follows the collation of each. A business changes
its numbers over the years, so a key expects any: INV-999 comes before INV-1000, 2025-9 before 2025-10 and 2026-1,
RE7 beside RE007, and INV-12 before INV-12-A.
"""

from __future__ import annotations

import re
import unicodedata

_DIGITS = re.compile(r"(\d+)")
_CONTROL = re.compile(r"[\x00-\x1f]")
# Both are less than every byte of a text, so that a key that ends, or goes on with digits, precedes one with letters.
_END, _NUMBER = b"\x00", b"\x01"
# The key of a document without a number: no UTF-8 has this byte, so it comes after every number.
UNNUMBERED = b"\xff"


def sort_key(number: str) -> bytes:
    """Returns the key of a number; of two that differ only in case and leading zeros, the texts themselves decide."""
    return _body(number) + _END + number.encode()


def key_range(number: str) -> tuple[bytes, bytes]:
    """Returns the least key of this number in any case and with any leading zeros, and the least key beyond them."""
    body = _body(number)
    return body + _END, body + _NUMBER


def _body(number: str) -> bytes:
    folded = _CONTROL.sub("", unicodedata.normalize("NFKC", number).casefold())
    parts = []
    for part in _DIGITS.split(folded):
        if part[:1].isdecimal():
            digits = str(int(part)).lstrip("0").encode()
            parts.append(_NUMBER + bytes([len(digits)]) + digits)  # a longer number is a greater one
        else:
            parts.append(part.encode())
    return b"".join(parts)
