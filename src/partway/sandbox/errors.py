"""Why the pretend company says no."""

from __future__ import annotations


class ApiError(Exception):
    """A definite no, with the HTTP status and the stable code that say why."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


def invalid(field: str, message: str) -> ApiError:
    """A field of the body that cannot be used."""
    return ApiError(422, "invalid", f"{field}: {message}")


def not_found() -> ApiError:
    """No such thing, or another account's."""
    return ApiError(404, "not_found", "There is no such checkout.")
