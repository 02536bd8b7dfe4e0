"""Access to the API: finds the key, its organization and its permission before a route runs.

An unknown key is a 401, a scope that does not suffice a 403, and another organization's row the same 404 as one that
does not exist (DESIGN D5).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import wraps
from hashlib import sha256
from inspect import cleandoc
from math import ceil
from typing import Any, TypeVar, get_type_hints

from django.conf import settings
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag
from ninja import Router
from ninja.decorators import decorate_view
from ninja.security import HttpBearer

from partway.accounts import rate_limits
from partway.accounts.models import ApiKey, IdempotentCall, Organization
from partway.accounts.permissions import SCOPE_ROLES, Permission, permissions_of
from partway.accounts.rate_limits import Limit, LimitReached, Window
from partway.billing.events import Actor, key_actor
from partway.billing.models import Customer
from partway.billing.models.fields import OrganizationQuerySet
from partway.billing.people import api_keys
from partway.lib import clock
from partway.lib.ip_addresses import client_ip

from . import idempotency, openapi
from .problems import Refused, of_refusal, wrong_parameters
from .schemas import Parameters

RowT = TypeVar("RowT", bound=Model)
View = TypeVar("View", bound=Callable[..., object])
Run = Callable[..., HttpResponse]

_MINUTE = timedelta(minutes=1)
# Calls without a valid key, of one address and of its site.
_UNAUTHENTICATED = (
    Limit("api.unauthenticated.network", Window(60, _MINUTE)),
    Limit("api.unauthenticated.site", Window(300, _MINUTE)),
)


@dataclass(frozen=True, slots=True)
class Caller:
    """The key that a call was made with, and its time; `call` where it named an Idempotency-Key."""

    key: ApiKey
    now: datetime
    call: IdempotentCall | None = None

    @property
    def organization(self) -> Organization:
        """The organization of the key."""
        return self.key.organization

    @property
    def one_time_key(self) -> str | None:
        """The key for billing that makes a repeated act happen once (P8)."""
        return self.call.pk if self.call else None

    @property
    def actor(self) -> Actor:
        """The key as the actor of events."""
        return key_actor(self.key)

    @property
    def permissions(self) -> frozenset[Permission]:
        """The permissions of the key's scope."""
        return permissions_of(SCOPE_ROLES[self.key.scope])

    @property
    def today(self) -> date:
        """The calendar day in the organization's time zone."""
        return clock.today(self.now, self.organization.time_zone)

    @property
    def day_of_call(self) -> date:
        """The day that stands for one that a body leaves out; a call that is repeated after midnight has the same."""
        return clock.today(self.call.created_at if self.call else self.now, self.organization.time_zone)


class KeyRequest(HttpRequest):
    """A request as routes get it, with its caller."""

    caller: Caller


class Bearer(HttpBearer):
    """Says in the OpenAPI document how a key is sent; `_guard` has found its caller before this runs."""

    def __call__(self, request: HttpRequest) -> Caller | None:
        """Returns the caller that was found."""
        return getattr(request, "caller", None)

    def authenticate(self, request: HttpRequest, token: str) -> None:
        """Not called."""


def call(
    router: Router, method: str, path: str, *, permission: Permission, returns: Any, status: int = 200
) -> Callable[[View], View]:
    """Returns the decorator of the route of one call, which only keys with this permission can make."""

    def register(view: View) -> View:
        vars(view)["permission"] = permission
        hints = get_type_hints(view).values()
        kinds = [hint for hint in hints if isinstance(hint, type) and issubclass(hint, Parameters)]
        parameters = kinds[0].names() if kinds else {}
        decorate_view(lambda run: _guard(run, permission, parameters))(view)
        name = "_".join([*str((router.tags or [""])[0]).lower().split(), view.__name__])
        summary, _, description = cleandoc(view.__doc__ or "").partition("\n\n")
        operation = router.api_operation(
            [method],
            path,
            response={status: returns},
            auth=Bearer(),
            operation_id=name,
            summary=summary.rstrip("."),
            by_alias=True,
            description=f"{description}\n\nTakes a key of the scope {scope_of(permission)}.".strip(),
            openapi_extra=openapi.shared_parts(method, status),
        )
        operation(view)
        return view

    return register


def scope_of(permission: Permission) -> str:
    """Returns the least scope whose keys have a permission."""
    return next(scope for scope, role in SCOPE_ROLES.items() if permission in permissions_of(role))


def lacking(*permissions: Permission) -> Refused:
    """Returns the refusal of a key without one of these permissions, with the scope that has all of them."""
    scopes = list(SCOPE_ROLES)
    needed = max((scope_of(permission) for permission in permissions), key=scopes.index)
    return Refused(403, "forbidden", detail=f"This takes a key of the scope {needed}.")


def get_customer(caller: Caller, customer_id: str) -> Customer:
    """Returns this organization's customer, or raises Http404."""
    return get_own_or_404(caller, Customer.objects.all(), customer_id)


def get_own_or_404(caller: Caller, rows: OrganizationQuerySet[RowT], row_id: str) -> RowT:
    """Returns this organization's row of that id; the same 404 for another organization's and for an unknown one.

    Its Http404 has the id, since a call may name several.
    """
    found = rows.for_organization(caller.organization).filter(pk=row_id.replace("\0", "")).first()
    if found is None:
        raise Http404(row_id)
    return found


def _guard(run: Run, permission: Permission, parameters: Mapping[str, bool]) -> Run:
    """Returns `run` of a route, for keys that may make this call and have not made too many."""

    @wraps(run)
    def guarded(request: KeyRequest, **ids: Any) -> HttpResponse:
        now = clock.now()
        headers: dict[str, str] = {}
        try:
            key = _authenticated(request, now)
            headers = _count(key, now)
            if permission not in permissions_of(SCOPE_ROLES[key.scope]):
                raise lacking(permission)
            if request.body and request.content_type != "application/json":
                raise Refused(415, "unsupported_media_type")

            def act(call: IdempotentCall | None) -> HttpResponse:
                request.caller = Caller(key, now, call)
                return wrong_parameters(request.GET, parameters) or run(request, **ids)

            if request.method == "POST":
                response = idempotency.run(request, key.organization, act, now=now)
            else:
                response = _unless_known(request, act(None))
            if response.status_code == 204:
                del response.headers["Content-Type"]  # there is no content to have a type
        except Refused as error:
            response = of_refusal(error)
        for name, value in headers.items():
            response.headers.setdefault(name, value)
        return response

    return guarded


def _unless_known(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """Returns 304 without a body where the program has the answer to a GET already, by its ETag."""
    if request.method != "GET" or response.status_code != 200:
        return response
    response.headers["ETag"] = quote_etag(sha256(response.content).hexdigest()[:32])
    known = get_conditional_response(request, etag=response.headers["ETag"], response=response)
    return known or response


def _authenticated(request: HttpRequest, now: datetime) -> ApiKey:
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    forwarded_for, remote = (request.META.get(name, "") for name in ("HTTP_X_FORWARDED_FOR", "REMOTE_ADDR"))
    address = client_ip(forwarded_for, remote, settings.PARTWAY_TRUSTED_PROXIES)
    if scheme.lower() == "bearer" and (
        key := api_keys.authenticate(secret.strip(), ip_address=address, now=now)
    ):
        return key
    # Counted once it has failed: a program with a good key may share its address with one that has a revoked key.
    networks = rate_limits.networks(address) or ["unknown"]
    try:
        rate_limits.consume(dict(zip(_UNAUTHENTICATED, networks, strict=False)), now=now)
    except LimitReached as reached:
        wait = max(ceil(reached.retry_after.total_seconds()), 1)
        raise Refused(429, "rate_limited", headers={"Retry-After": str(wait)}) from None
    raise Refused(401, "unauthenticated", headers={"WWW-Authenticate": "Bearer"})


def _count(key: ApiKey, now: datetime) -> dict[str, str]:
    """Counts the call, and returns the headers that say how many more may be made; raises Refused."""
    quota = settings.PARTWAY_API_CALLS_PER_MINUTE
    limit = Limit("api.key", Window(quota, _MINUTE))
    policy = {"RateLimit-Policy": f'"key";q={quota};w={ceil(_MINUTE.total_seconds())}'}
    try:
        rate_limits.consume({limit: key.pk}, now=now)
    except LimitReached as reached:
        wait = max(ceil(reached.retry_after.total_seconds()), 1)
        headers = {**policy, "RateLimit": f'"key";r=0;t={wait}', "Retry-After": str(wait)}
        raise Refused(429, "rate_limited", headers=headers) from None
    left, until_unused = rate_limits.remaining(limit, key.pk, now=now)
    return {**policy, "RateLimit": f'"key";r={left};t={ceil(until_unused.total_seconds())}'}
