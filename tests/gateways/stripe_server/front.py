"""In front of every API request: the key, the version, the parameters, the faults of a test, the idempotency key."""

from __future__ import annotations

import base64
import secrets
import time
import traceback
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cache
from typing import Any, get_args

from stripe.params import WebhookEndpointCreateParams

from . import events, faults, idempotency, parameters, routes
from .company import CURRENT_VERSION, Account, Company, Key, RequestInfo, masked
from .errors import Json, StripeError
from .faults import Fault
from .idempotency import Response
from .routes import Route


@dataclass
class Request:
    """One HTTP request to the API."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: str = ""


@dataclass
class Answer:
    """The response that goes out. `fault` may be one of the line: no response at all, or a page that is no JSON."""

    response: Response
    account: Account | None = None
    fault: str = ""


@dataclass
class Call:
    """One request on its way to the act of its route; `params` are set when they have been checked."""

    account: Account
    route: Route
    path: dict[str, str]
    given: Json
    info: RequestInfo
    fault: Fault
    params: Json = field(default_factory=dict)


@dataclass
class Front:
    """The API of a company."""

    company: Company

    def answer(self, request: Request) -> Answer:
        key = request.headers.get("idempotency-key") if request.method == "POST" else None
        info = RequestInfo(f"req_{secrets.token_hex(7)}", key)
        call: Call | None = None
        try:
            call = self._open(request, info)
            response = _respond(call)
        except StripeError as error:
            response = _refusal(error, info)
        except Exception as error:  # noqa: BLE001 - as at Stripe, a defect of the stand-in is a 500
            traceback.print_exc()
            response = _refusal(StripeError(500, f"The stand-in failed: {error!r}", type="api_error"), info)
        line: Json = {"request_id": info.id, "key": key, "path": request.path, "status": response.status}
        if call is not None:
            line.update(account=call.account.id, name=call.route.name, params=call.params)
        self.company.log.append(line)
        version = request.headers.get("stripe-version") or CURRENT_VERSION
        headers = {"Request-Id": info.id, "Stripe-Version": version, "Idempotency-Key": key or ""}
        response = Response(response.status, response.body, {**headers, **response.headers})
        return Answer(response, call.account if call else None, call.fault.kind if call else "")

    def _open(self, request: Request, info: RequestInfo) -> Call:
        """Returns the call of a request that may be made; raises the error of one that may not."""
        headers = request.headers
        key = info.key = self._key(headers.get("authorization", ""))
        account = self._account(key, headers.get("stripe-account", ""))
        version = headers.get("stripe-version", CURRENT_VERSION)
        if version not in _versions():
            raise StripeError(400, f"Invalid Stripe API version: {version}")
        found = routes.find(request.method, request.path)
        if found is None:
            message = f"Unrecognized request URL ({request.method}: {request.path}). Please see https://stripe.com/docs"
            raise StripeError(404, f"{message} or we can help at https://support.stripe.com/.")
        route, path = found
        key.require(route.permission, account)
        given = parameters.decode(request.body if request.method == "POST" else request.query)
        fault = faults.consume(account, (*faults.BEFORE, *faults.AFTER), route.name) or Fault("")
        return Call(account, route, path, given, info, fault)

    def _key(self, authorization: str) -> Key:
        scheme, _, value = authorization.partition(" ")
        if scheme == "Basic":
            value = base64.b64decode(value).decode().partition(":")[0]
        if not value:
            raise StripeError(
                401,
                "You did not provide an API key. You need to provide your API key in the Authorization header, "
                "using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY').",
            )
        return self.company.key(value)

    def _account(self, key: Key, named: str) -> Account:
        """Returns the account of the key, or the connected account that `Stripe-Account` names."""
        if named in ("", key.account.id):
            return key.account
        connected = self.company.accounts.get((named, key.account.livemode))
        if connected is None or connected.platform is not key.account:
            raise StripeError(
                403,
                f"The provided key '{masked(key.secret)}' does not have access to account '{named}' (or that account "
                "does not exist). Application access may have been revoked.",
                code="account_invalid",
            )
        return connected


def _respond(call: Call) -> Response:
    """Runs the act; what is refused in front of the API is not kept under the idempotency key."""
    kind = call.fault.kind
    if kind in _IN_FRONT:
        refusal = _refusal(_IN_FRONT[kind], call.info)
        return Response(refusal.status, refusal.body, {**refusal.headers, **call.fault.headers})

    def run() -> Response:
        call.params = parameters.check(call.route.params, call.given)
        if kind == "slow":
            time.sleep(call.fault.delay)
        response = None if kind == "server_error" else _execute(call)
        if response is None or (kind == "error_after_success" and response.status < 300):
            return _refusal(_SERVER_ERROR, call.info)
        return response

    path = call.route.path.replace("{id}", call.path.get("id", ""))
    response = idempotency.once(call.account, call.info, path, call.given, run)
    if kind == "hang":
        time.sleep(call.fault.delay)
    if kind == "without":
        body = _without(response.body, call.fault.fields)
        return Response(response.status, body, response.headers)
    return response


def _execute(call: Call) -> Response:
    response = _run(call)
    events.release_first(call.account)
    return response


def _run(call: Call) -> Response:
    account = call.account
    with account.lock:
        account.catch_up()
        account.request = call.info
        try:
            return Response(200, call.route.act(account, deepcopy(call.params), **call.path), {})
        except parameters.InvalidParameters:
            raise
        except StripeError as error:
            return _refusal(error, call.info)
        finally:
            account.request = RequestInfo()


def _refusal(error: StripeError, info: RequestInfo) -> Response:
    return Response(error.status, error.body(info.id or ""), dict(error.headers))


_SERVER_ERROR = StripeError(
    500, "Something went wrong on Stripe's end.", type="api_error", headers={"Stripe-Should-Retry": "false"}
)

_IN_FRONT = {
    "bad_gateway": StripeError(502, "Bad gateway", type="api_error"),
    "rate_limited": StripeError(
        429,
        "Request rate limit exceeded. Learn more about rate limits here https://stripe.com/docs/rate-limits.",
        code="rate_limit",
        headers={"Stripe-Should-Retry": "true", "Stripe-Rate-Limited-Reason": "global-rate"},
    ),
    "lock_timeout": StripeError(
        429,
        "This object cannot be accessed right now because another API request or Stripe process is currently "
        "accessing it. If you see this error intermittently, retry the request.",
        code="lock_timeout",
        headers={"Stripe-Should-Retry": "true"},
    ),
}


@cache
def _versions() -> frozenset[str]:
    """Returns the versions of the API that the SDK knows."""
    hint, _ = parameters.fields_of(WebhookEndpointCreateParams)["api_version"]
    return frozenset(get_args(hint))


def _without(body: Any, fields: list[str]) -> Any:
    """Returns a body whose fields of these names are gone, however deep they are."""
    if isinstance(body, dict):
        return {name: _without(value, fields) for name, value in body.items() if name not in fields}
    return [_without(value, fields) for value in body] if isinstance(body, list) else body
