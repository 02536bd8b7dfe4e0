"""Guessing at the production server: many addresses and many requests at once have no more tries than one."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from partway.billing.models import Event, Mail
from tests.support import personas, totp_codes
from tests.support.databases import database_url
from tests.support.personas import PASSWORD, Team
from tests.support.sandbox_server import free_port, wait_until

from .clients import NO_TLS

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.long(20)]

ALICE = "alice@alder.example"
ADDRESSES = [f"198.51.100.{number}" for number in range(30)]
NEW = "another walk by the sea"


class Browser:
    """A browser at an address, which the server's one proxy reports."""

    def __init__(self, url: str, address: str) -> None:
        self.client = httpx.Client(
            base_url=url,
            trust_env=False,
            headers={"X-Forwarded-For": address},
            transport=httpx.HTTPTransport(verify=NO_TLS, limits=httpx.Limits(max_keepalive_connections=0)),
            timeout=60,
        )

    def send(self, address: str, **fields: str) -> httpx.Response:
        """Opens a form and sends it."""
        found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', self.client.get(address).text)
        token = found[1] if found else ""
        return self.client.post(address, data={"csrfmiddlewaretoken": token, **fields})

    def sign_in(self, password: str = PASSWORD, email: str = ALICE) -> httpx.Response:
        """Types an address and a password."""
        return self.send("/signin/", email=email, password=password)


@pytest.fixture(scope="module")
def url(django_db_setup: None) -> Iterator[str]:
    """The address of `partway serve` on the test's own database, behind one proxy."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    told = {"DATABASE_URL": database_url(), "PARTWAY_URL": url, "PARTWAY_TRUSTED_PROXIES": "1"}
    command = [sys.executable, "-m", "partway", "serve", "--port", str(port)]
    with subprocess.Popen(command, env={**os.environ, **told}) as server:
        try:
            wait_until(lambda: _is_up(url))
            yield url
        finally:
            server.terminate()


def _is_up(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz", trust_env=False, verify=NO_TLS).is_success
    except httpx.HTTPError:
        return False


@pytest.fixture
def team() -> Team:
    """Alder Joinery and its members."""
    return personas.alder()


def at_once(attack: Callable[[str], int], times: int) -> Counter[int]:
    """Runs the attack from each address in turn, six at a time; returns how often each status came."""
    with ThreadPoolExecutor(6) as threads:
        return Counter(threads.map(attack, (ADDRESSES * times)[:times]))


def test_90_wrong_passwords_from_30_addresses_are_10_guesses(url: str, team: Team) -> None:
    statuses = at_once(lambda address: Browser(url, address).sign_in("wrong").status_code, 90)
    assert statuses == {422: 10, 429: 80}
    assert Event.objects.filter(type="member.sign_in_failed").count() == 10
    assert Mail.objects.filter(kind="sign_in_attempts").count() == 1


def test_60_wrong_codes_from_30_addresses_are_10_guesses(url: str, team: Team) -> None:
    totp_codes.enable_two_factor(team.alice.user)

    def guess(address: str) -> int:
        browser = Browser(url, address)
        browser.sign_in()
        return browser.send("/signin/code/", code="000000").status_code

    assert at_once(guess, 60) == {422: 10, 429: 50}
    mail = Mail.objects.get(kind="sign_in_attempts")
    assert (mail.to, mail.data["kind"]) == ([ALICE], "code")


def test_codes_sent_at_once_in_one_sign_in_are_3_guesses(url: str, team: Team) -> None:
    secret = totp_codes.enable_two_factor(team.alice.user)
    browser = Browser(url, "203.0.113.9")
    browser.sign_in()
    page = browser.client.get("/signin/code/").text
    token = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', page)[0]
    fields = {"csrfmiddlewaretoken": token, "code": "000000"}
    with ThreadPoolExecutor(6) as threads:
        list(threads.map(lambda _: browser.client.post("/signin/code/", data=fields), range(12)))
    assert Event.objects.filter(type="member.sign_in_failed").count() <= 3
    browser.client.post("/signin/code/", data={**fields, "code": totp_codes.code_for(secret)})
    assert browser.client.get("/o/alder/").status_code == 302


def test_code_sent_twice_at_once_signs_in_once(url: str, team: Team) -> None:
    secret = totp_codes.enable_two_factor(team.alice.user)
    browsers = [Browser(url, address) for address in ADDRESSES[:6]]
    for browser in browsers:
        browser.sign_in()
    code = totp_codes.code_for(secret)
    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(lambda browser: browser.send("/signin/code/", code=code), browsers))
    assert Counter(answer.status_code for answer in answers) == {302: 1, 422: 5}


def test_password_resets_of_others_do_not_free_the_victim(url: str, team: Team) -> None:
    victim = Browser(url, "203.0.113.9")
    statuses = [victim.send("/signin/forgotten/", email=ALICE).status_code for _ in range(6)]
    assert statuses == [302] * 5 + [429]
    at_once(lambda address: ask(url, address), 60)
    assert victim.send("/signin/forgotten/", email=ALICE).status_code == 429


def ask(url: str, address: str) -> int:
    """Requests a link for an address without an account."""
    return (
        Browser(url, address)
        .send("/signin/forgotten/", email=f"{os.urandom(4).hex()}@nobody.example")
        .status_code
    )


def test_owner_signs_in_during_attack(url: str, team: Team) -> None:
    at_home = Browser(url, "203.0.113.9")
    assert at_home.sign_in().status_code == 302
    at_home.client.cookies.delete("sessionid")
    at_once(lambda address: Browser(url, address).sign_in("wrong").status_code, 30)
    assert Browser(url, "203.0.113.10").sign_in().status_code == 429
    assert at_home.sign_in().status_code == 302


def test_30_resends_at_once_are_10_mails(url: str, team: Team) -> None:
    request = personas.request_payment(personas.sent_invoice(personas.customer(team.organization)))
    browser = Browser(url, "203.0.113.9")
    browser.sign_in()
    address = f"/o/alder/requests/{request.pk}/resend/"
    page = browser.client.get(address).text
    token = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', page)[0]
    with ThreadPoolExecutor(6) as threads:
        answers = list(
            threads.map(
                lambda _: browser.client.post(address, data={"csrfmiddlewaretoken": token}), range(30)
            )
        )
    assert Counter(answer.status_code for answer in answers) == {302: 9, 429: 21}
    assert Mail.objects.filter(kind="payment_request").count() == 10
    assert all("Retry-After" in answer.headers for answer in answers if answer.status_code == 429)


@pytest.mark.parametrize("address", ["/metrics", "/nothing", "/signin/"])
def test_served_responses_have_security_headers(url: str, address: str) -> None:
    answer = httpx.get(f"{url}{address}", trust_env=False, verify=NO_TLS)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert "partway_mails" not in answer.text


def test_header_with_underscores_does_not_replace_the_address(url: str, team: Team) -> None:
    """In the environment of WSGI, X_Forwarded_For has the name of X-Forwarded-For, which the proxy writes."""

    def guess(made_up: str) -> int:
        browser = Browser(url, "203.0.113.9")
        browser.client.headers["X_Forwarded_For"] = made_up
        return browser.sign_in("wrong").status_code

    assert [guess(address) for address in ADDRESSES[:6]] == [422] * 5 + [429]
