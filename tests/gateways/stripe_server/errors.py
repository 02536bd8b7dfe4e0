"""The errors of Stripe's API, and how each of them is written."""

from __future__ import annotations

from functools import cache
from typing import Any, get_args

from stripe import PaymentIntent

Json = dict[str, Any]


@cache
def documented_codes() -> frozenset[str]:
    """Returns the error codes that Stripe documents, as the SDK lists them."""
    hint = PaymentIntent.LastPaymentError.__annotations__["code"]
    members = [member for option in get_args(hint) for member in (option, *get_args(option))]
    return frozenset(code for member in members for code in get_args(member))


class StripeError(Exception):
    """An error response. `extra` goes into the error object beside the usual fields, as `payment_intent`."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str = "",
        param: str = "",
        type: str = "invalid_request_error",
        headers: dict[str, str] | None = None,
        **extra: Any,
    ) -> None:
        super().__init__(message)
        assert not code or code in documented_codes(), f"Stripe has no error code {code}"
        self.status, self.message, self.code, self.param, self.type = status, message, code, param, type
        self.headers = headers or {}
        self.extra = extra

    def body(self, request_id: str) -> Json:
        error: Json = {"message": self.message, "type": self.type, **self.extra}
        if self.code:
            error["code"] = self.code
            error["doc_url"] = f"https://stripe.com/docs/error-codes/{self.code.replace('_', '-')}"
        if self.param:
            error["param"] = self.param
        error["request_log_url"] = f"https://dashboard.stripe.com/test/logs/{request_id}"
        return {"error": error}


class InvalidParameters(StripeError):
    """The parameters do not fit the endpoint; nothing was executed, so nothing is kept under the idempotency key."""

    def __init__(self, message: str, *, code: str = "", param: str = "") -> None:
        super().__init__(400, message, code=code, param=param)


def invalid(message: str, *, code: str = "", param: str = "", **extra: Any) -> StripeError:
    """Returns the 400 of an endpoint that was executed and refused."""
    return StripeError(400, message, code=code, param=param, **extra)


def no_such(
    kind: str, ref: str, *, status: int = 404, param: str = "id", similar_is_live: bool | None = None
) -> StripeError:
    """Returns the error of a missing object; it tells when the object exists in the other mode."""
    message = f"No such {kind}: '{ref}'"
    if similar_is_live is not None:
        there, here = ("live", "test") if similar_is_live else ("test", "live")
        message += (
            f"; a similar object exists in {there} mode, but a {here} mode key was used to make this request."
        )
    return StripeError(status, message, code="resource_missing", param=param)
