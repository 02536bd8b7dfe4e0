"""In front of every API request: the key, the version, the parameters, the faults of a test, the idempotency key."""

from __future__ import annotations

import base64
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import get_args

from stripe.params import WebhookEndpointCreateParams

from . import events, faults, idempotency, parameters, routes
from .company import Account, Company, Key, RequestInfo, masked
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
    """What goes out: a response, or a fault of the line: no response at all, or a page that is no JSON."""

    response: Response
    account: Account | None = None
    line_fault: str = ""


@dataclass
class Front:
    """The API of a company. `log` has each request with its parameters, for tests."""

    company: Company
    log: list[Json] = field(default_factory=list)

    def answer(self, request: Request) -> Answer:
        account: Account | None = None
        line: Json = {"method": request.method, "path": request.path}
        request_id = f"req_{time.monotonic_ns():x}"
        headers = {"Request-Id": request_id, "Stripe-Version": request.headers.get("stripe-version", "")}
        line_fault = ""
        try:
            key = self._key(request.headers)
            account = self._account(key, request.headers)
            _check_version(request.headers)
            headers["Stripe-Version"] = headers["Stripe-Version"] or account.api_version
            route, path = _route(request)
            line.update(account=account.id, name=route.name, key=request.headers.get("idempotency-key", ""))
            _check_permission(key, route, account)
            fault = faults.consume(account, (*faults.BEFORE, *faults.AFTER), route.name)
            response = self._respond(account, route, path, request, request_id, fault, line)
            if fault and fault.kind == "hang":
                time.sleep(fault.delay)
            line_fault = fault.kind if fault and fault.kind in ("dropped", "garbage", "bad_gateway") else ""
            if fault and fault.kind == "without":
                response = Response(response.status, _without(response.body, fault.fields), response.headers)
        except StripeError as error:
            response = _refusal(error, request_id)
        except Exception as error:  # noqa: BLE001 - as at Stripe, a defect of the stand-in is a 500
            traceback.print_exc()
            response = _refusal(
                StripeError(500, f"The stand-in failed: {error!r}", type="api_error"), request_id
            )
        self.log.append({**line, "status": response.status, "request_id": request_id})
        return Answer(
            Response(response.status, response.body, {**headers, **response.headers}), account, line_fault
        )

    def _key(self, headers: Mapping[str, str]) -> Key:
        scheme, _, value = headers.get("authorization", "").partition(" ")
        if scheme == "Basic":
            value = base64.b64decode(value).decode().partition(":")[0]
        if not value:
            raise StripeError(
                401,
                "You did not provide an API key. You need to provide your API key in the Authorization header, "
                "using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY').",
            )
        return self.company.key(value)

    def _account(self, key: Key, headers: Mapping[str, str]) -> Account:
        """Returns the account of the key, or the connected account that `Stripe-Account` names."""
        named = headers.get("stripe-account", "")
        if named in ("", key.account.id):
            return key.account
        connected = self.company.accounts.get((named, key.account.livemode))
        if connected is None or connected.settings.get("platform") is not key.account:
            raise StripeError(
                403,
                f"The provided key '{masked(key.secret)}' does not have access to account '{named}' (or that account "
                "does not exist). Application access may have been revoked.",
                code="account_invalid",
            )
        return connected

    def _respond(
        self,
        account: Account,
        route: Route,
        path: dict[str, str],
        request: Request,
        request_id: str,
        fault: Fault | None,
        line: Json,
    ) -> Response:
        """Runs the act of a route; what is refused in front of the API is not kept under the idempotency key."""
        kind = fault.kind if fault else ""
        if kind in _IN_FRONT:
            return _refusal(_IN_FRONT[kind](), request_id)
        given = parameters.decode(request.body if request.method == "POST" else request.query)
        key = request.headers.get("idempotency-key", "") if request.method == "POST" else ""

        def run() -> Response:
            params = parameters.check(route.params, given)
            line["params"] = params
            if fault and kind == "slow":
                time.sleep(fault.delay)
            if kind == "server_error":
                return _refusal(_server_error(), request_id)
            response = _execute(account, route, path, params, RequestInfo(request_id, key or None))
            if kind == "error_after_success" and response.status < 300:
                return _refusal(_server_error(), request_id)
            return response

        response = idempotency.once(account, key, request.path, given, request_id, run)
        if key:
            response.headers.setdefault("Idempotency-Key", key)
        return response


def _execute(
    account: Account, route: Route, path: dict[str, str], params: Json, info: RequestInfo
) -> Response:
    with account.lock:
        account.catch_up()
        account.request = info
        try:
            return Response(200, route.act(account, params, **path), {})
        except parameters.InvalidParameters:
            raise
        except StripeError as error:
            return _refusal(error, info.id or "")
        finally:
            account.request = RequestInfo()
            events.release_first(account)


def _refusal(error: StripeError, request_id: str) -> Response:
    return Response(error.status, error.body(request_id), dict(error.headers))


def _server_error() -> StripeError:
    message = "Something went wrong on Stripe's end. This error was saved under the idempotency key."
    return StripeError(500, message, type="api_error", headers={"Stripe-Should-Retry": "false"})


_IN_FRONT = {
    "bad_gateway": lambda: StripeError(502, "Bad gateway", type="api_error"),
    "rate_limited": lambda: StripeError(
        429,
        "Request rate limit exceeded. Learn more about rate limits here https://stripe.com/docs/rate-limits.",
        code="rate_limit",
        headers={"Stripe-Should-Retry": "true", "Stripe-Rate-Limited-Reason": "global-rate"},
    ),
    "lock_timeout": lambda: StripeError(
        429,
        "This object cannot be accessed right now because another API request or Stripe process is currently "
        "accessing it. If you see this error intermittently, retry the request.",
        code="lock_timeout",
        headers={"Stripe-Should-Retry": "true"},
    ),
}


def _route(request: Request) -> tuple[Route, dict[str, str]]:
    found = routes.find(request.method, request.path)
    if found is None:
        message = (
            f"Unrecognized request URL ({request.method}: {request.path}). "
            "Please see https://stripe.com/docs or we can help at https://support.stripe.com/."
        )
        raise StripeError(404, message)
    return found


@cache
def _versions() -> frozenset[str]:
    """Returns the versions of the API that the SDK knows."""
    hint, _ = parameters.fields_of(WebhookEndpointCreateParams)["api_version"]
    return frozenset(get_args(hint))


def _check_version(headers: Mapping[str, str]) -> None:
    version = headers.get("stripe-version", "")
    if version and version not in _versions():
        raise StripeError(400, f"Invalid Stripe API version: {version}")


def _check_permission(key: Key, route: Route, account: Account) -> None:
    if not key.may(route.permission):
        raise StripeError(
            403,
            f"The provided key '{masked(key.secret)}' does not have the required permissions for this endpoint on "
            f"account '{account.id}'. Having the 'rak_{route.permission}' permission would allow this request to "
            "continue.",
        )


def _without(body: object, fields: list[str]) -> Json:
    """Returns a body whose fields of these names are gone, however deep they are."""
    if isinstance(body, dict):
        return {name: _without(value, fields) for name, value in body.items() if name not in fields}
    return [_without(value, fields) for value in body] if isinstance(body, list) else body  # type: ignore[return-value]
