"""Around every API call: who asks, what shall go wrong, and the same answer to the same idempotency key."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse

from partway.sandbox import faults
from partway.sandbox.errors import ApiError, invalid
from partway.sandbox.models import Account, Fault, IdempotentResponse

Json = dict[str, Any]

# Acts that set up or look behind the scenes; faults never hit them.
_FAULT_EXEMPT = frozenset(
    {"open_account", "set_fault", "clear_faults", "ledger", "settle", "settle_refund", "lapse"}
)


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """One call and whose it is; an unsaved account where none is needed."""

    account: Account
    request: HttpRequest
    body: Json


Handler = Callable[..., Json]


def api_view(*, public: bool = False, **handlers: Handler) -> Callable[..., HttpResponse]:
    """A view that picks a handler by HTTP method; a handler's name is the act that faults are set for."""

    def view(request: HttpRequest, **path: str) -> HttpResponse:
        handler = handlers.get((request.method or "").lower())
        if handler is None:
            return _error(ApiError(405, "method_not_allowed", "Not this method."))
        try:
            account = Account() if public else _account(request)
            return _with_faults(handler, ApiRequest(account, request, _body(request)), path)
        except ApiError as refusal:
            return _error(refusal)

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
        body = json.loads(request.body)
    except ValueError as error:
        raise invalid("body", "is not JSON.") from error
    if not isinstance(body, dict):
        raise invalid("body", "must be an object.")
    return body


def _with_faults(handler: Handler, call: ApiRequest, path: dict[str, str]) -> HttpResponse:
    act = handler.__name__
    if act in _FAULT_EXEMPT:
        return _idempotent(handler, call, path)
    if faults.consume(call.account.id, faults.BEFORE, act):
        return _error(ApiError(500, "internal_error", "Something broke before anything happened."))
    response = _idempotent(handler, call, path)
    broken = (
        faults.consume(call.account.id, faults.AFTER_SUCCESS, act) if response.status_code < 300 else None
    )
    return _apply_fault(response, broken) if broken else response


def _apply_fault(response: HttpResponse, fault: Fault) -> HttpResponse:
    """What was done is done; only the answer to it goes wrong."""
    if fault.kind == "hang":
        time.sleep(fault.delay)
        return response
    if fault.kind == "garbage":
        return HttpResponse("<h1>We will be back soon</h1>")
    if fault.kind == "no_amount":
        return JsonResponse(_without_amounts(json.loads(response.content)))
    return _error(ApiError(504, "timeout", "No answer in time."))


def _without_amounts(body: Json) -> Json:
    for checkout in body.get("data", [body]):
        checkout["captured"] = None
    return body


def _idempotent(handler: Handler, call: ApiRequest, path: dict[str, str]) -> HttpResponse:
    if call.request.method != "POST":
        return JsonResponse(handler(call, **path))
    key = call.request.headers.get("Idempotency-Key", "")
    with transaction.atomic():
        if not key:
            status, body = _attempt(handler, call, path)
        else:
            status, body = _keyed(handler, call, path, key)
    return JsonResponse(body, status=status)


def _keyed(handler: Handler, call: ApiRequest, path: dict[str, str], key: str) -> tuple[int, Json]:
    digest = _digest(call.request)
    kept = IdempotentResponse.objects.filter(account=call.account, key=key).first()
    if kept is None:
        status, body = _attempt(handler, call, path)
        IdempotentResponse.objects.create(
            account=call.account, key=key, digest=digest, status=status, body=body
        )
        return status, body
    if kept.digest != digest:
        return _error_body(ApiError(422, "idempotency_key_reused", "This key was used for another call."))
    return kept.status, kept.body


def _attempt(handler: Handler, call: ApiRequest, path: dict[str, str]) -> tuple[int, Json]:
    """A refusal is an answer like any other: what was found out on the way (expired, lapsed) is committed."""
    try:
        return 200, handler(call, **path)
    except ApiError as refusal:
        return _error_body(refusal)


def _digest(request: HttpRequest) -> str:
    return hashlib.sha256(f"{request.method} {request.path}\0".encode() + request.body).hexdigest()


def _error_body(refusal: ApiError) -> tuple[int, Json]:
    return refusal.status, {"error": {"code": refusal.code, "message": refusal.message}}


def _error(refusal: ApiError) -> HttpResponse:
    status, body = _error_body(refusal)
    return JsonResponse(body, status=status)
