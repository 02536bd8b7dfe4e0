"""Every route and every field takes any text without a server error: the URL table and the forms say what to try."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote, urlsplit

import pytest
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pytest_django.fixtures import Settings

from partway.accounts.models import GatewayAccount
from partway.billing.events import OPERATOR
from partway.billing.models import Customer, Invoice, Payment, PaymentRequest, Quote
from partway.billing.people import members
from partway.lib.clock import now
from partway.worker.tour.browser import Form, Page
from tests.pay import all_states
from tests.support import personas

EXAMPLES = int(os.environ.get("PARTWAY_FUZZ_EXAMPLES", "250"))

DEEP = 100_000
NASTY = (
    "",
    " ",
    "\x00",
    "a\x00b",
    "\r\nBcc: mallory@post.example",
    "\ud800",  # half a surrogate pair
    "\udfff\ud800",
    "￾﻿‮‍",
    "é" * 300,
    "x" * 70_000,
    "9" * 400,
    "-9" * 30,
    "1e999999",
    "1e-999999",
    "NaN",
    "Infinity",
    "٣٤٥",
    "²",
    "½",
    "0",
    "-1",
    "9223372036854775808",
    "170141183460469231731687303715884105728",
    "0001-01-01",
    "9999-12-31",
    "10000-01-01",
    "2026-02-30",
    "2026-11-29T99:99",
    "[" * DEEP,
    "[" * DEEP + "]" * DEEP,
    '{"a":' * DEEP,
    '{"lines": 1}',
    "null",
    "1" * 5_000,
    "../../../etc/passwd",
    "%",
    "%s%n%(x)s{0.__class__}{{ 7 }}",
    "' OR 1=1 --",
    "_%\\",
    "<script>alert(1)</script>",
    "=1+1",
    "http://[::1",
    "http://[::1]:99999/",
    "a@b@c",
    "a@" + "b" * 300,
    "dana@münchen.example",
    '"quoted name"@x.example',
    "a@[127.0.0.1]",
    "xn--",
    "a@xn--a",
    "en_US.UTF-8",
    "Europe/../Berlin",
    "∞",
)
TEXTS = st.sampled_from(NASTY) | st.text(max_size=40)
PARAMETERS = (
    "q",
    "status",
    "page",
    "sort",
    "order",
    "next",
    "from",
    "to",
    "customer",
    "kind",
    "member",
    "cursor",
)
HEADERS = ("accept-language", "referer", "cookie", "x-forwarded-for", "host", "if-modified-since", "range")
CONTENT_TYPES = (
    *["application/x-www-form-urlencoded"] * 6,
    "application/json",
    "text/xml",
    "",
    "multipart/form-data; boundary=x",
)


def routes(patterns: list[URLPattern | URLResolver], prefix: str = "") -> Iterator[str]:
    """Yields the path of every route of the installation, with its parameters as `<kind:name>`."""
    for pattern in patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, path)
        else:
            yield path


ROUTES = sorted(set(routes(get_resolver().url_patterns)))


class Site:
    """An organization with a row of each kind, and signed-in clients."""

    def __init__(self) -> None:
        self.team = personas.alder()
        organization = self.team.organization
        self.tokens = all_states.tokens(organization)
        by_kind = {
            "invoice_id": Invoice,
            "quote_id": Quote,
            "request_id": PaymentRequest,
            "payment_id": Payment,
            "customer_id": Customer,
            "account_id": GatewayAccount,
        }
        self.ids = {
            name: list(model.objects.filter(organization=organization).values_list("pk", flat=True)[:12])
            for name, model in by_kind.items()
        }
        invitation = members.invite(
            organization, email="ivy@post.example", role="reader", by=OPERATOR, now=now()
        )
        self.ids |= {
            "slug": ["alder"],
            "member_id": [member.pk for member in organization.members.all()],
            "invitation_id": [invitation.pk],
            "version": ["1"],
        }
        self.clients = {"visitor": Client(raise_request_exception=False)}
        for role, member in (("owner", self.team.alice), ("reader", self.team.charlie)):
            self.clients[role] = Client(raise_request_exception=False)
            self.clients[role].force_login(member.user)

    def path(self, route: str, draw: st.DrawFn) -> str:
        """Returns the route with each parameter replaced by a stored value, or by any text."""

        def value(match: re.Match[str]) -> str:
            name = match["name"]
            stored = (
                self.tokens.get(route.partition("/")[0], []) if name == "token" else self.ids.get(name, [])
            )
            chosen = draw(st.sampled_from(stored)) if stored and draw(st.integers(0, 9)) else draw(TEXTS)
            return chosen if "%" in chosen else encoded(str(chosen)[:3000])

        return "/" + re.sub(r"<(?:\w+:)?(?P<name>\w+)>", value, route)

    def form(self, client: Client, path: str) -> Form:
        """Returns the form that is sent to this path, or an empty one; pages show it at the path or at its parent."""
        for page in (path, path.rsplit("/", 2)[0] + "/"):
            response = client.get(page)
            if response.status_code == 200 and response["content-type"].startswith("text/html"):
                read = Page.read(f"http://testserver{page}", 200, response.text)
                for form in read.forms:
                    if urlsplit(form.action).path == path:
                        return form
        return Form(path, "post")


def encoded(text: str) -> str:
    return quote(text.encode("utf-8", "surrogatepass"), safe="")


def form_body(fields: list[tuple[str, str]]) -> bytes:
    """Returns the fields as a browser encodes them; half a surrogate pair as a program would."""
    return "&".join(f"{encoded(name)}={encoded(value)}" for name, value in fields).encode()


@contextmanager
def rolled_back() -> Iterator[None]:
    """Undoes what the block writes, like the transaction around the test."""
    block = transaction.atomic()
    block._from_testcase = True  # acts that must commit by themselves may run in it, as in Django's TestCase
    with block:
        yield
        transaction.set_rollback(True)


@pytest.fixture
def site(db: None, settings: Settings) -> Site:
    """The site; its gateway refuses connections at once."""
    settings.PARTWAY_GATEWAY_URLS = {"sandbox": "http://127.0.0.1:9"}
    return Site()


@pytest.mark.long(15)
def test_no_route_or_field_causes_server_error(site: Site) -> None:
    @hypothesis_settings(max_examples=EXAMPLES, database=None, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def fuzz(data: st.DataObject) -> None:
        client = site.clients[data.draw(st.sampled_from(sorted(site.clients)), "role")]
        path = site.path(data.draw(st.sampled_from(ROUTES), "route"), data.draw)
        names = data.draw(st.lists(st.sampled_from(PARAMETERS), max_size=3, unique=True), "parameters")
        query = form_body([(name, data.draw(TEXTS)[:5_000]) for name in names]).decode()
        headers = dict.fromkeys(data.draw(st.lists(st.sampled_from(HEADERS), max_size=1)), "x" * 3000)
        with rolled_back():
            if data.draw(st.booleans(), "post"):
                fields = dict(site.form(client, path).fields)
                changed = data.draw(
                    st.lists(st.sampled_from(sorted(fields) or ["name"]), max_size=3, unique=True)
                )
                fields |= {name: data.draw(TEXTS) for name in changed}
                kind = data.draw(st.sampled_from(CONTENT_TYPES), "content type")
                body = form_body(list(fields.items()))
                if "form" not in kind:
                    body = data.draw(TEXTS).encode("utf-8", "surrogatepass")
                response = client.post(f"{path}?{query}", body, content_type=kind, headers=headers)
            else:
                response = client.get(f"{path}?{query}", headers=headers)
        assert response.status_code < 500 or response.status_code == 503, (path, query, response.status_code)

    fuzz()
