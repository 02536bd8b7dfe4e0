"""Around every API call: authentication, faults, and the same response to the same idempotency key."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse

from partway.lib.untrusted_json import InvalidJson, read_json
from partway.sandbox import faults
from partway.sandbox.errors import ApiError, invalid
from partway.sandbox.models import Account, Fault, IdempotentResponse

Json = dict[str, Any]

MAX_KEY_LENGTH = 255

# Acts that only a test calls; faults never hit them.
_FAULT_EXEMPT = frozenset(
    {
        *("open_account", "change_account", "set_fault", "clear_faults", "ledger"),
        *("settle", "settle_refund", "lapse", "pass_days", "pay_out", "settle_payout"),
    }
)


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """One call with its account, which is unsaved where no authentication is needed."""

    account: Account
    request: HttpRequest
    body: Json


Handler = Callable[..., Json]


def api_view(*, public: bool = False, **handlers: Handler) -> Callable[..., HttpResponse]:
    """Returns a view that picks a handler by HTTP method; a handler's name is the act that faults are set for."""

    def view(request: HttpRequest, **path: str) -> HttpResponse:
        handler = handlers.get((request.method or "").lower())
        if handler is None:
            return _error(ApiError(405, "method_not_allowed", "Not this method."))
        try:
            account = Account() if public else _account(request)
            return _with_faults(handler, ApiRequest(account, request, _body(request)), path)
        except ApiError as error:
            return _error(error)

    return view


def _account(request: HttpRequest) -> Account:
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    account = Account.objects.filter(api_key=key).first() if scheme == "Bearer" and key else None
    if account is None:
        raise ApiError(401, "unauthenticated", "This API key opens no account.")
    return account


def _body(request: HttpRequest) -> Json:
    if not request.body:
        return {}
    try:
        body = read_json(request.body)
    except InvalidJson as error:
        raise invalid("body", f"cannot be read: {error}.") from error
    if not isinstance(body, dict):
        raise invalid("body", "must be an object.")
    return body


def _with_faults(handler: Handler, call: ApiRequest, path: dict[str, str]) -> HttpResponse:
    act = handler.__name__
    if act in _FAULT_EXEMPT:
        return _idempotent(handler, call, path)
    if faults.consume(call.account, faults.BEFORE, act):
        return _error(ApiError(500, "internal_error", "Something broke before anything happened."))
    response = _idempotent(handler, call, path)
    succeeded = response.status_code < 300
    fault = faults.consume(call.account, faults.AFTER_SUCCESS, act) if succeeded else None
    return _apply_fault(response, fault) if fault else response


def _apply_fault(response: HttpResponse, fault: Fault) -> HttpResponse:
    """Spoils the response only: the act itself has happened."""
    if fault.kind == "hang":
        time.sleep(fault.delay)
        return response
    if fault.kind == "garbage":
        return HttpResponse("<h1>We will be back soon</h1>")
    if fault.kind in ("no_amount", "no_fee"):
        body: Any = read_json(response.content)
        for checkout in body.get("data", [body]):
            checkout["captured" if fault.kind == "no_amount" else "fee"] = None
        return JsonResponse(body)
    return _error(ApiError(504, "timeout", "No answer in time."))


def _idempotent(handler: Handler, call: ApiRequest, path: dict[str, str]) -> HttpResponse:
    """Runs the handler; a POST with a known Idempotency-Key gets its first response again.

    An error is a response like any other: what the handler found out on the way (expired, lapsed) is committed.
    """
    if call.request.method != "POST":
        return JsonResponse(handler(call, **path))
    # Keys belong to an account, and the call that opens one has none yet: each such call opens another.
    key = "" if call.account._state.adding else call.request.headers.get("Idempotency-Key", "")
    content = f"{call.request.method} {call.request.path}\0".encode() + call.request.body
    if len(key) > MAX_KEY_LENGTH:
        return _error(invalid("Idempotency-Key", f"has at most {MAX_KEY_LENGTH} letters."))
    digest = hashlib.sha256(content).hexdigest()
    with transaction.atomic():
        rows = IdempotentResponse.objects.filter(account=call.account, key=key)
        stored = rows.first() if key else None
        if stored is not None and stored.digest != digest:
            return _error(ApiError(422, "idempotency_key_reused", "This key was used for another call."))
        if stored is not None:
            return JsonResponse(stored.body, status=stored.status)
        try:
            response = JsonResponse(handler(call, **path))
        except ApiError as error:
            response = _error(error)
        if key:
            body = read_json(response.content)
            rows.create(account=call.account, key=key, digest=digest, status=response.status_code, body=body)
    return response


def _error(error: ApiError) -> JsonResponse:
    return JsonResponse({"error": {"code": error.code, "message": error.message}}, status=error.status)
