"""Seals secrets that are stored in the database (gateway credentials): encrypted under a key that is not in it."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet


class Unsealable(ValueError):
    """The text was sealed under a key that this installation no longer has."""


def digest(key: str) -> str:
    """Returns 40 letters that can be stored in place of a random key; as it is random, a fast hash is enough."""
    return hashlib.sha256(key.encode()).hexdigest()[:40]


def seal(values: Mapping[str, str], keys: Sequence[str]) -> str:
    """Returns `values` encrypted and signed under the first of `keys`."""
    return _cipher(tuple(keys)).encrypt(json.dumps(dict(values), sort_keys=True).encode()).decode()


def unseal(sealed: str, keys: Sequence[str]) -> dict[str, str]:
    """Returns the sealed values; raises Unsealable when none of `keys` fits."""
    try:
        values: dict[str, str] = json.loads(_cipher(tuple(keys)).decrypt(sealed.encode()))
    except InvalidToken as error:
        raise Unsealable("these credentials were sealed under another PARTWAY_SECRET_KEY") from error
    return values


@cache
def _cipher(keys: tuple[str, ...]) -> MultiFernet:
    # The prefix derives another key than that of links from the same setting; reading tries all keys, so that
    # they rotate.
    digests = (hashlib.sha256(b"partway sealing\0" + key.encode()).digest() for key in keys)
    return MultiFernet([Fernet(base64.urlsafe_b64encode(digest)) for digest in digests])
