"""A client of Partway's API: `Partway(url, key)` has every call, with the types of what it takes and returns."""

from __future__ import annotations

from typing import Self

from .calls import Calls
from .transport import UNSET, PartwayError, Transport

__all__ = ["UNSET", "Partway", "PartwayError"]


class Partway(Calls):
    """One installation, and one key of an organization there; `with` closes the connection at the end."""

    def __init__(self, url: str, key: str, *, timeout: float = 60.0) -> None:
        self.transport = Transport(url, key, timeout=timeout)
        super().__init__(self.transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.transport.close()
