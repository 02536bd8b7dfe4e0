"""Sort keys of names and of document numbers: digits compare as numbers, letters as they are folded, in every database.

A key is bytes, since both databases compare bytes alike, while text follows the collation of each. A business changes
its numbers over the years, so a key expects any: INV-999 comes before INV-1000, 2025-9 before 2025-10 and 2026-1,
RE7 beside RE007, and INV-12 before INV-12-A. Names sort as in an address book of any country: Ärzte beside Arzt, and
Filiale 2 before Filiale 10. The letters of one script stay together, in the order of Unicode.
"""

from __future__ import annotations

import re

from .folding import fold

_DIGITS = re.compile(r"([0-9]+)")
# Neither quotes nor, before a name, brackets and emoji decide where it stands.
_QUOTES = str.maketrans("", "", "'\"")
_ORNAMENT = re.compile(r"[\W_]+(?=\w)")
# Both are less than every byte of a text, so that a key that ends, or goes on with digits, precedes one with letters.
_END, _NUMBER = b"\x00", b"\x01"
_MAX_DIGITS = 255  # of a number, whose length is one byte of the key
# Of the folded text, which compatibility characters can make long: PostgreSQL refuses an index entry of 2,704 bytes.
_MAX_BODY_BYTES = 1_000
# The key of a document without a number: no UTF-8 has this byte, so it comes after every number.
UNNUMBERED = b"\xff"


def sort_key(text: str) -> bytes:
    """Returns the key of a text, which ends with it; of two that fold alike, the texts themselves decide."""
    return _body(text) + _END + text.encode()


def key_range(number: str) -> tuple[bytes, bytes]:
    """Returns the least key of this number in any case and with any leading zeros, and the least key beyond them."""
    body = _body(number)
    return body + _END, body + _NUMBER


def _body(text: str) -> bytes:
    folded = fold(text).translate(_QUOTES)
    if ornament := _ORNAMENT.match(folded):
        folded = folded[ornament.end() :]
    parts = []
    for part in _DIGITS.split(folded):
        if part[:1].isdecimal():
            digits = part.lstrip("0").encode()
            length = min(len(digits), _MAX_DIGITS)
            parts.append(_NUMBER + bytes([length]) + digits)  # a longer number is a greater one
        else:
            parts.append(part.encode())
    return b"".join(parts)[:_MAX_BODY_BYTES]
