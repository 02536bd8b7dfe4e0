"""Idempotency keys: a POST with a known key gets its first response again, also a 500, for 24 hours.

Nothing is kept of a request that was not executed: one with invalid parameters, or in conflict with another.
Source: https://docs.stripe.com/api/idempotent_requests.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from .company import Account, RequestInfo
from .errors import Json, StripeError, invalid

FORGOTTEN_AFTER_SECONDS = 86_400
MAX_KEY_LENGTH = 255

_OTHER_KEY = "Try using a key other than '{key}' if you meant to execute a different request."


@dataclass
class Response:
    """A response of the API."""

    status: int
    body: Json
    headers: dict[str, str]


@dataclass
class StoredResponse:
    """The first response to a key, None while its request runs."""

    path: str
    params: str
    at: float
    request_id: str
    response: Response | None = None


def once(
    account: Account, info: RequestInfo, path: str, params: Json, run: Callable[[], Response]
) -> Response:
    """Runs a request under its key, or returns the response that the key has already."""
    key = info.idempotency_key
    if not key:
        return run()
    if len(key) > MAX_KEY_LENGTH:
        raise invalid(f"Idempotency keys can have up to {MAX_KEY_LENGTH} characters.")
    written = json.dumps(params, sort_keys=True)
    with account.lock:
        stored = account.responses.get(key)
        if stored is not None and account.time() - stored.at < FORGOTTEN_AFTER_SECONDS:
            return _replay(stored, key, path, written)
        mine = account.responses[key] = StoredResponse(path, written, account.time(), info.id or "")
    try:
        mine.response = run()
    except Exception:
        # Invalid parameters, or a defect of the stand-in, which must not keep the key in use.
        del account.responses[key]
        raise
    return mine.response


def _replay(stored: StoredResponse, key: str, path: str, params: str) -> Response:
    if stored.path != path:
        message = (
            "Keys for idempotent requests can only be used for the same endpoint they were first used for "
            f"('{path}' vs '{stored.path}'). {_OTHER_KEY.format(key=key)}"
        )
        raise StripeError(400, message, type="idempotency_error")
    if stored.params != params:
        message = (
            "Keys for idempotent requests can only be used with the same parameters they were first used with. "
            + _OTHER_KEY.format(key=key)
        )
        raise StripeError(400, message, type="idempotency_error")
    if stored.response is None:
        message = (
            "There is currently another in-progress request using this Idempotent Key (that probably means you "
            f"submitted twice, and the other request is still going through): {key}. Please try again later."
        )
        raise StripeError(
            409, message, code="idempotency_key_in_use", headers={"Stripe-Should-Retry": "true"}
        )
    first = stored.response
    replayed = {"Idempotent-Replayed": "true", "Original-Request": stored.request_id}
    return Response(first.status, first.body, {**first.headers, **replayed})
