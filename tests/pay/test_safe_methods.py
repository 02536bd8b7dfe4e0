"""GET and HEAD change nothing: mail scanners and link previews are harmless (DESIGN R8).

Every address of the pay door is read from its urls.py, so that new pages are included.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urljoin, urlsplit

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from partway.accounts.models import GatewayAccount, Organization
from partway.billing import links
from partway.billing.models import Invoice, Payment, PaymentRequest, Quote
from partway.billing.models.invoices import InvoiceStatus
from partway.billing.models.payment_requests import PaymentRequestStatus
from partway.billing.models.payments import PaymentStatus
from partway.billing.models.quotes import QuoteStatus
from partway.pay.urls import urlpatterns
from tests.pay import all_states
from tests.pay.dead_gateway import DeadGateway

ROUTES = [str(pattern.pattern) for pattern in urlpatterns]
SAFE_METHODS = ["GET", "HEAD", "OPTIONS"]
OTHER_METHODS = ["TRACE", "CONNECT", "PROPFIND", "PUT", "PATCH", "DELETE", "LOCK", "PURGE", "BREW"]
HEADERS = ["x-http-method-override", "x-http-method", "x-method-override", "hx-request", "purpose"]


@pytest.fixture
def dead_gateway(settings: Settings) -> Iterator[DeadGateway]:
    """A gateway that responds with 503 and counts calls."""
    with DeadGateway() as dead_gateway:
        settings.PARTWAY_GATEWAY_URLS = {"sandbox": dead_gateway.url}
        yield dead_gateway


@pytest.fixture
def tokens(organization: Organization, dead_gateway: DeadGateway) -> dict[str, list[str]]:
    """Tokens by URL prefix: every row in every state, and tokens of no row."""
    return all_states.tokens(organization)


def addresses(route: str, tokens: dict[str, list[str]]) -> list[str]:
    """Returns every address of this route; fails for a route with an unknown parameter."""
    fillings = {
        "<str:token>": lambda: tokens[route.partition("/")[0]],
        "<slug:account_id>": lambda: [*GatewayAccount.objects.values_list("pk", flat=True), "gwa_nobody"],
        "<slug:gateway>": lambda: ["stripe", "nobody"],
        "<path:_rest>": lambda: ["two/parts", "two/parts/pay/"],
    }
    [hole] = re.findall("<.*?>", route) or [""]
    return [f"/{route.replace(hole, filling)}" for filling in fillings[hole]()] if hole else [f"/{route}"]


def _request(method: str, address: str, **headers: str) -> str:
    """Requests the address once, without cookies, and returns the response."""
    form = b"amount_minor=30000&name=Dana&decision=yes"
    kind = "application/x-www-form-urlencoded"
    response = Client().generic(method, f"{address}?name=Dana", form, kind, headers=headers)
    assert response.status_code < 500, (method, address)
    assert not response.cookies, (method, address)
    return "" if "pdf" in response["content-type"] else response.text


def snapshot_of_all_tables() -> dict[str, list[str]]:
    """Returns every row of every table of the database, also of tables without a model."""
    with connection.cursor() as cursor:
        names = set(connection.introspection.table_names(cursor))
        if connection.vendor == "sqlite":
            # What a search index has is in other tables, which are read.
            cursor.execute("SELECT name FROM sqlite_master WHERE sql LIKE 'CREATE VIRTUAL TABLE%'")
            names -= {name for (name,) in cursor.fetchall()}
        tables = {}
        for table in names:
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")  # noqa: S608 - a constant name
            tables[table] = sorted(map(repr, cursor.fetchall()))
    return tables


@pytest.mark.left_to("sqlite")
@pytest.mark.long(15)
def test_safe_methods_on_every_page_in_every_state_change_nothing(
    tokens: dict[str, list[str]], dead_gateway: DeadGateway
) -> None:
    before, looks = snapshot_of_all_tables(), 0
    for route in ROUTES:
        for address in addresses(route, tokens):
            # Of the methods that do what GET does, each address gets one.
            for method in (SAFE_METHODS[0], SAFE_METHODS[1 + looks % 4 // 2]):
                _request(method, address)
                looks += 1
        assert snapshot_of_all_tables() == before, route
    assert looks >= 700
    assert dead_gateway.calls == 0


def test_all_states_fixture_covers_every_status(tokens: dict[str, list[str]]) -> None:
    for model, states in (
        (PaymentRequest, PaymentRequestStatus),
        (Invoice, InvoiceStatus),
        (Quote, QuoteStatus),
        (Payment, PaymentStatus),
    ):
        assert set(model.objects.values_list("status", flat=True)) == set(states.values)


def test_other_http_methods_change_nothing(tokens: dict[str, list[str]], dead_gateway: DeadGateway) -> None:
    before = snapshot_of_all_tables()
    for route in ROUTES:
        for method in OTHER_METHODS:
            _request(method, addresses(route, tokens)[0])
        assert snapshot_of_all_tables() == before, route
    assert dead_gateway.calls == 0


def test_method_override_headers_change_nothing(
    tokens: dict[str, list[str]], dead_gateway: DeadGateway
) -> None:
    before = snapshot_of_all_tables()
    for route in ROUTES:
        for header in HEADERS:
            _request("GET", addresses(route, tokens)[0], **{header: "POST"})
        assert snapshot_of_all_tables() == before, route
    assert dead_gateway.calls == 0


@pytest.mark.left_to("sqlite")
def test_following_every_link_of_pay_pages_changes_nothing(
    tokens: dict[str, list[str]], dead_gateway: DeadGateway
) -> None:
    before = snapshot_of_all_tables()
    seen = {address for route in ROUTES for address in addresses(route, tokens)}  # each was requested above
    ahead = [f"/{door}/{token}/" for door in tokens for token in tokens[door]]
    while ahead:
        page = ahead.pop()
        new = _linked_addresses(page, _request("GET", page)) - seen
        seen |= new
        ahead += new
    assert snapshot_of_all_tables() == before
    assert dead_gateway.calls == 0


def _linked_addresses(page: str, text: str) -> set[str]:
    """Returns our addresses that this page links to or sends a form to."""
    leads = [urlsplit(urljoin(page, lead)) for lead in re.findall(r'(?:href|action)="([^"]+)"', text)]
    ours = ("", urlsplit(settings.PARTWAY_URL).netloc)
    return {lead.path for lead in leads if lead.netloc in ours and re.match("/(?!static/)", lead.path)}


def test_table_snapshot_detects_a_change(tokens: dict[str, list[str]]) -> None:
    before = snapshot_of_all_tables()
    assert Client().post(f"/p/{tokens['p'][0]}/opened/").status_code == 204
    assert snapshot_of_all_tables() != before


def test_dead_gateway_counts_calls(tokens: dict[str, list[str]], dead_gateway: DeadGateway) -> None:
    response = Client().post(f"/p/{tokens['p'][0]}/pay/", {"amount_minor": "30000"})
    assert (response.status_code, dead_gateway.calls) == (503, 1)


def test_request_page_takes_four_queries(
    request_: PaymentRequest, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    """Few, because this page is opened most: request, gateway account, payments under way, lines."""
    url = urlsplit(links.request_url(request_)).path
    with django_assert_num_queries(4):
        assert Client().get(url).status_code == 200


def test_invoice_page_takes_seven_queries(
    invoice: Invoice, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    """The same queries, the payments and adjustments so far, and the open request: the account is read once."""
    url = urlsplit(links.invoice_url(invoice)).path
    with django_assert_num_queries(7):
        assert Client().get(url).status_code == 200
