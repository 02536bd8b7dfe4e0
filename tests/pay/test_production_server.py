"""The pages through the production server, whose behavior differs from the test client."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest

from partway.accounts.models import Organization
from partway.billing.models import Callback, Payment
from tests.pay import all_states
from tests.pay.dead_gateway import DeadGateway
from tests.pay.test_safe_methods import OTHER_METHODS, ROUTES, SAFE_METHODS, addresses, snapshot_of_all_tables
from tests.support.databases import database_url
from tests.support.sandbox_server import free_port, wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def dead_gateway() -> Iterator[DeadGateway]:
    """A gateway that responds with 503 and counts calls."""
    with DeadGateway() as dead_gateway:
        yield dead_gateway


@pytest.fixture(scope="module")
def visitor(django_db_setup: None, dead_gateway: DeadGateway) -> Iterator[httpx.Client]:
    """A client of `partway serve`, which runs behind one proxy on the test's own database."""
    port = free_port()
    environment = {
        "DATABASE_URL": database_url(),
        "PARTWAY_URL": f"http://127.0.0.1:{port}",
        "PARTWAY_SANDBOX_URL": dead_gateway.url,
        "PARTWAY_TRUSTED_PROXIES": "1",
    }
    command = [sys.executable, "-m", "partway", "serve", "--port", str(port)]
    with (
        subprocess.Popen(command, env={**os.environ, **environment}) as server,
        httpx.Client(base_url=environment["PARTWAY_URL"], trust_env=False, timeout=30) as visitor,
    ):
        try:
            wait_until(lambda: _is_up(visitor))
            yield visitor
        finally:
            server.terminate()


def _is_up(visitor: httpx.Client) -> bool:
    try:
        return visitor.get("/healthz").is_success
    except httpx.HTTPError:
        return False


@pytest.fixture
def tokens(organization: Organization) -> dict[str, list[str]]:
    """Tokens by URL prefix: every row in every state, and tokens of no row."""
    return all_states.tokens(organization)


def test_safe_and_other_methods_change_nothing_on_production_server(
    visitor: httpx.Client, dead_gateway: DeadGateway, tokens: dict[str, list[str]]
) -> None:
    before, rung = snapshot_of_all_tables(), dead_gateway.calls
    for route in ROUTES:
        for address in addresses(route, tokens)[:3]:
            for method in (*SAFE_METHODS, *OTHER_METHODS):
                response = visitor.request(method, address)
                assert response.status_code < 500, (method, address)
                assert "set-cookie" not in response.headers, (method, address)
        assert snapshot_of_all_tables() == before, route
    assert dead_gateway.calls == rung


def test_forged_forwarded_for_in_separate_header_line_is_ignored(
    visitor: httpx.Client, tokens: dict[str, list[str]]
) -> None:
    """Some proxies add a line of X-Forwarded-For instead of an entry to the line that came."""
    lines = [("X-Forwarded-For", "6.6.6.6"), ("X-Forwarded-For", "203.0.113.9")]
    response = visitor.post(f"/p/{tokens['p'][0]}/pay/", data={"amount_minor": "30000"}, headers=lines)
    assert response.status_code == 503  # no gateway is running
    assert Payment.objects.latest("created_at").payer_ip == "203.0.113.9"


@pytest.mark.parametrize(
    ("body", "status"), [(b"x" * 70_000, 413), (b"x" * 10_000_000, 413), (iter([b"x" * 70_000]), 413)]
)
def test_oversized_callback_is_refused_by_production_server(
    visitor: httpx.Client, organization: Organization, body: bytes | Iterator[bytes], status: int
) -> None:
    account = organization.gateway_accounts.get()
    assert visitor.post(f"/callbacks/{account.pk}/", content=body).status_code == status
    assert not Callback.objects.exists()
