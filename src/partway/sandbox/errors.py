"""Errors of the API, with HTTP status and stable code."""

from __future__ import annotations


class ApiError(Exception):
    """A refusal with its HTTP status, its stable code, and a message for the merchant's developer."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


def invalid(field: str, message: str) -> ApiError:
    """Returns the error of one field of the body."""
    return ApiError(422, "invalid", f"{field}: {message}")


def not_found() -> ApiError:
    """Returns the error of a checkout that does not exist, or belongs to another account."""
    return ApiError(404, "not_found", "There is no such checkout.")
