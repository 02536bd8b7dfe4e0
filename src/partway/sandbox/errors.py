"""Why the pretend company says no."""

from __future__ import annotations


class Refusal(Exception):
    """A definite no, with the HTTP status and the stable code that say why."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


def invalid(field: str, words: str) -> Refusal:
    """A field of the body that cannot be used."""
    return Refusal(422, "invalid", f"{field}: {words}")


def not_found() -> Refusal:
    """No such thing, or another account's."""
    return Refusal(404, "not_found", "There is no such checkout.")
