"""Seals secrets that must rest in the database (gateway credentials) under a key that does not."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet


class Unsealable(ValueError):
    """The sealed text was written under a key this installation no longer has."""


def digest(key: str) -> str:
    """What may rest in place of a random key, in 40 letters; as the key is random, nothing slower is needed."""
    return hashlib.sha256(key.encode()).hexdigest()[:40]


def seal(values: Mapping[str, str], keys: Sequence[str]) -> str:
    """`values` encrypted and signed under the first of `keys`."""
    return _box(keys).encrypt(json.dumps(dict(values), sort_keys=True).encode()).decode()


def unseal(sealed: str, keys: Sequence[str]) -> dict[str, str]:
    """What was sealed; raises Unsealable when none of `keys` fits."""
    try:
        values: dict[str, str] = json.loads(_box(keys).decrypt(sealed.encode()))
    except InvalidToken as error:
        raise Unsealable("these credentials were sealed under another PARTWAY_SECRET_KEY") from error
    return values


def _box(keys: Sequence[str]) -> MultiFernet:
    return MultiFernet([Fernet(_fernet_key(key)) for key in keys])


def _fernet_key(key: str) -> bytes:
    return base64.urlsafe_b64encode(hashlib.sha256(b"partway sealing\0" + key.encode()).digest())
