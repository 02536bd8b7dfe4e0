"""An organization with a row of each kind, clients, and every page, query parameter and form that they see."""

from __future__ import annotations

import copy
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from urllib.parse import parse_qsl, quote, urlsplit

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.core.signals import got_request_exception
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, resolve
from django.urls.exceptions import Resolver404

from partway.accounts import passwords
from partway.accounts.models import GatewayAccount
from partway.api.middleware import URLS as API_URLS
from partway.billing import alerts, links
from partway.billing.events import OPERATOR
from partway.billing.models import Alert, Customer, Invoice, Payment, PaymentRequest, Quote
from partway.billing.people import api_keys, members
from partway.billing.people.api_keys import NewKey
from partway.lib.clock import now
from partway.worker.tour.browser import Page
from tests.pay import all_states
from tests.support import personas, totp_codes

_PARAMETER = re.compile(r"<(?:\w+:)?(?P<name>\w+)>")
_HOST = "http://testserver"
# The same form on the pages of rows in the same state is tried once.
_SAME_FORMS = 2


def routes(patterns: list[URLPattern | URLResolver], prefix: str = "") -> Iterator[str]:
    """Yields the path of every route of the installation, with its parameters as `<kind:name>`."""
    for pattern in patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, path)
        else:
            yield path


_URLS = (None, API_URLS)  # of settings, and those that the middleware names
ROUTES = sorted({route for urls in _URLS for route in routes(get_resolver(urls).url_patterns)})


@dataclass(frozen=True)
class FormOfPage:
    """A form that a page shows to a client: its address, and the names and values of its fields."""

    client: str
    path: str
    method: str
    fields: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Failure:
    """A response of 500, with the exception behind it where there is one."""

    attempt: str
    status: int
    exception: str


class Site:
    """An organization, and clients: a visitor, an owner, and a member who has not given the second factor yet."""

    def __init__(self) -> None:
        self.team = personas.alder()
        organization = self.team.organization
        invitation = members.invite(
            organization, email="ivy@post.example", role="reader", by=OPERATOR, now=now()
        )
        new_key = NewKey(name="Job management", scope="admin")
        key, self.secret = api_keys.create(organization, new_key=new_key, by=OPERATOR, now=now())
        alerts.raise_for_organization(
            "unmatched_callback", organization.pk, subject="x", now=now(), event_type="checkout.captured"
        )
        endpoint = personas.webhook_endpoint(organization, "https://jobs.alder.example/hooks")
        self.tokens = all_states.tokens(organization)
        self.tokens["join"] = [urlsplit(links.invitation_url(invitation)).path.split("/")[2]]
        by_kind = {
            "invoice_id": Invoice,
            "quote_id": Quote,
            "request_id": PaymentRequest,
            "payment_id": Payment,
            "customer_id": Customer,
            "account_id": GatewayAccount,
            "alert_id": Alert,
        }
        self.ids: dict[str, list[str]] = {
            name: [
                str(key)
                for key in model.objects.filter(organization=organization).values_list("pk", flat=True)
            ]
            for name, model in by_kind.items()
        }
        uid, welcome_token = passwords.welcome_link_parts(self.team.bob.user)
        self.ids |= {
            "slug": ["alder"],
            "gateway": ["stripe"],
            "member_id": [member.pk for member in organization.members.all()],
            "invitation_id": [invitation.pk],
            "key_id": [key.pk],
            "endpoint_id": [endpoint.pk],
            "delivery_id": [personas.webhook_delivery(endpoint).pk],
            "version": ["1"],
            "uid": [uid],
            "uidb36": [user_pk_to_url_str(self.team.bob.user)],
            "key": [default_token_generator.make_token(self.team.bob.user)],
        }
        self.tokens["welcome"] = [welcome_token]
        self.clients = {
            name: Client(raise_request_exception=False) for name in ("visitor", "owner", "halfway")
        }
        self.clients["owner"].force_login(self.team.alice.user)
        # As after a password that was typed just now, so that the pages of the profile open.
        session = self.clients["owner"].session
        session["account_authentication_methods"] = [
            {"method": "password", "at": time.time(), "email": self.team.alice.user.email}
        ]
        session.save()
        self.team.bob.user.set_password(personas.PASSWORD)
        self.team.bob.user.save()
        totp_codes.enable_two_factor(self.team.bob.user)
        self.clients["halfway"].post(
            "/signin/", {"login": self.team.bob.user.email, "password": personas.PASSWORD}
        )
        self._exceptions: list[BaseException] = []
        got_request_exception.connect(self._keep_exception, weak=False, dispatch_uid="fuzz")

    def _keep_exception(self, **_: object) -> None:
        if error := sys.exc_info()[1]:
            self._exceptions.append(error)

    def stored(self, route: str, name: str) -> list[str]:
        """Returns the stored values of a parameter of a route."""
        return self.tokens.get(route.partition("/")[0], []) if name == "token" else self.ids.get(name, [])

    def path(self, route: str, values: dict[str, str]) -> str:
        """Returns the route with these values for its parameters, and the first stored value for each other."""

        def value(match: re.Match[str]) -> str:
            name = match["name"]
            return values[name] if name in values else next(iter(self.stored(route, name)), "x")

        return "/" + _PARAMETER.sub(value, route)

    def parameters(self, route: str) -> list[str]:
        """Returns the names of the parameters of a route."""
        return _PARAMETER.findall(route)

    def pages(self, rows: int) -> Iterator[tuple[str, str]]:
        """Yields a client and a path for each route, and for the first rows of its last parameter."""
        for route in ROUTES:
            if "pdf/" in route:  # has no forms, and takes long
                continue
            names = self.parameters(route)
            client = "owner" if route.startswith(("o/", "profile/")) or not route else "visitor"
            for value in self.stored(route, names[-1])[:rows] if names else [""]:
                yield client, self.path(route, {names[-1]: value} if names else {})
        yield "halfway", "/signin/code/"

    def forms(self, rows: int) -> list[FormOfPage]:
        """Returns the forms and links with a query on the pages of the first rows of each kind.

        A form occurs once more for each submit button with a value; a link is a form with the method `get`.
        """
        found: dict[tuple[object, ...], FormOfPage] = {}
        seen: dict[tuple[object, ...], int] = {}
        for client, path in self.pages(rows):
            for form in self._forms_of(client, path):
                try:
                    route = resolve(form.path).route
                except Resolver404:
                    continue
                key = (route, form.method, tuple(name for name, _ in form.fields))
                seen[key] = seen.get(key, 0) + 1
                if seen[key] <= _SAME_FORMS:
                    found[key, seen[key]] = form
        return list(found.values())

    def _forms_of(self, client: str, path: str) -> Iterator[FormOfPage]:
        response = self.clients[client].get(path)
        if response.status_code != 200 or not response.headers["content-type"].startswith("text/html"):
            return
        html = response.content.decode()
        page = Page.read(f"{_HOST}{path}", 200, html)
        buttons = _Buttons.read(html)
        for form in page.forms:
            action = urlsplit(form.action)
            for button in [(), *buttons]:
                fields = {**dict(parse_qsl(action.query)), **form.fields, **dict([button] if button else [])}
                yield FormOfPage(client, action.path, form.method.lower(), tuple(fields.items()))
        for link in page.links:
            parts = urlsplit(link)
            if parts.netloc == "testserver" and parts.query:
                query = parse_qsl(parts.query, keep_blank_values=True)
                yield FormOfPage(client, parts.path, "get", tuple(query))

    def send(
        self,
        client: str,
        method: str,
        path: str,
        *,
        query: str = "",
        body: bytes = b"",
        content_type: str = "application/x-www-form-urlencoded",
        headers: dict[str, str] | None = None,
    ) -> Failure | None:
        """Sends a request, undoes its changes, and returns a failure for a 500."""
        self._exceptions.clear()
        cookies = copy.deepcopy(self.clients[client].cookies)
        began = time.thread_time()
        block = transaction.atomic()
        block._from_testcase = (
            True  # acts that must commit by themselves may run in it, as in Django's TestCase
        )
        with block:
            request = {"QUERY_STRING": query, "HTTP_HOST": "testserver"} | {
                f"HTTP_{name.upper().replace('-', '_')}": value for name, value in (headers or {}).items()
            }
            response = self.clients[client].generic(method.upper(), path, body, content_type, **request)
            if response.streaming:
                b"".join(response)
            transaction.set_rollback(True)
        # A sign-out is undone in the database alone; without its cookie, all later attempts would be a visitor's.
        self.clients[client].cookies = cookies
        took = time.thread_time() - began
        attempt = (
            f"{client} {method} {path[:150]}?{query[:150]} {content_type[:60]} {body[:200]!r} {headers}"[:900]
        )
        if response.status_code >= 500 and response.status_code != 503:
            return Failure(attempt, response.status_code, _described(self._exceptions))
        if client == "owner" and response.headers.get("Location", "").startswith("/signin/?next="):
            return Failure(attempt, response.status_code, "the owner is signed out")
        if took > MAX_SECONDS:
            return Failure(attempt, response.status_code, f"took {took:.1f} s")
        return None


MAX_SECONDS = 2.0  # of processor time


def _described(exceptions: list[BaseException]) -> str:
    """Returns the type of the exception, its text and the innermost line of the product behind it."""
    if not exceptions:
        return "no exception"
    error, line = exceptions[0], ""
    trace = error.__traceback__
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if "/src/partway/" in file:
            line = f"{file.rpartition('/src/')[2]}:{trace.tb_lineno}"
        trace = trace.tb_next
    return f"{type(error).__name__} at {line}: {str(error)[:200]}"


class _Buttons(HTMLParser):
    """Collects the names and values of submit buttons."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []

    @classmethod
    def read(cls, html: str) -> list[tuple[str, str]]:
        reader = cls()
        reader.feed(html)
        return sorted(set(reader.found))

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        values = dict(attributes)
        if tag == "button" and values.get("name"):
            self.found.append((values["name"] or "", values.get("value") or ""))


def encoded(text: str) -> str:
    """Returns the text as a part of an address; half a surrogate pair as a program would send it."""
    return quote(text.encode("utf-8", "surrogatepass"), safe="")


def form_body(fields: list[tuple[str, str]]) -> bytes:
    """Returns the fields as a browser encodes them."""
    return "&".join(f"{encoded(name)}={encoded(value)}" for name, value in fields).encode()
