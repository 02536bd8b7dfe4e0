"""Slow clients, crowds and a silent gateway: the web server goes on, and /healthz responds within a second."""

from __future__ import annotations

import re
import resource
import socket
import time

import httpx
import pytest

from partway.accounts.models import Organization
from partway.billing import links
from partway.worker.supervisor import Supervisor
from tests.support import personas
from tests.support.sandbox_server import wait_until

from .clients import CROWD, NO_TLS, assert_healthy, crowd, open_sockets, stopped
from .conftest import BODY_SECONDS

HEAD = "POST /signin/ HTTP/1.1\r\nHost: 127.0.0.1\r\n"
SLOW = {
    "headers": "POST /signin/ HTTP/1.1\r\nHost: 127.",
    "body": f"{HEAD}Content-Length: 1000\r\n\r\n12345678",
    "body in chunks that never end": f"{HEAD}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
    "large response that is not read": "GET {static} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" * 20,
    "pipelined requests": "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" * 5,
}


@pytest.fixture
def url(supervisor: Supervisor) -> str:
    """The address of the web server that all tests here share."""
    if "web" not in supervisor.processes:
        supervisor.start_web()
    return supervisor.config.url


@pytest.mark.parametrize("what", SLOW)
def test_slow_clients_hold_no_thread(url: str, what: str) -> None:
    page = httpx.get(f"{url}/signin/", trust_env=False, verify=NO_TLS).text
    largest = re.search(r'href="(\S+InterVariable.woff2)"', page)
    assert largest
    with open_sockets(url, SLOW[what].replace("{static}", largest[1])):
        assert_healthy(url)


@pytest.mark.parametrize("what", ["body", "body in chunks that never end"])
def test_body_that_does_not_arrive_is_refused_and_connection_closed(url: str, what: str) -> None:
    with open_sockets(url, SLOW[what], count=1) as (client,):
        began, received = time.monotonic(), b""
        while piece := client.recv(4096):
            received += piece
    assert received.startswith(b"HTTP/1.1 408 ")
    assert time.monotonic() - began < 5 * BODY_SECONDS


@pytest.mark.parametrize("chunk", ["zz", "-5", "F" * 17, "5\r\nhelloXX0"])
def test_body_in_unreadable_chunks_is_refused_and_causes_no_server_error(url: str, chunk: str) -> None:
    with open_sockets(url, f"{HEAD}Transfer-Encoding: chunked\r\n\r\n{chunk}\r\n\r\n", count=1) as (client,):
        refusal = client.recv(4096).lower()
    assert refusal.startswith(b"http/1.1 400 ")
    assert b"x-content-type-options: nosniff" in refusal


def test_body_is_refused_by_its_length_before_it_is_sent(url: str) -> None:
    with open_sockets(url, f"{HEAD}Content-Length: 999999999\r\n\r\n", count=1) as (client,):
        refusal = client.recv(4096).lower()
    assert refusal.startswith(b"http/1.1 413 ")
    for header in (
        b"x-content-type-options: nosniff",
        b"x-frame-options: deny",
        b"content-security-policy: ",
    ):
        assert header in refusal


def test_body_in_chunks_that_ends_is_read(url: str) -> None:
    with httpx.Client(trust_env=False, verify=NO_TLS) as browser:
        response = browser.post(f"{url}/callbacks/gwa_0/", content=iter([b"{", b"}"]))
    assert response.status_code == 404  # of an account that does not exist, and not 411


def test_a_thousand_idle_connections_do_not_stop_server(url: str) -> None:
    wanted = 1100
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4 * wanted), hard))
    with open_sockets(url, "", count=wanted):
        assert_healthy(url)


def test_crowd_at_sign_in_is_refused_for_now(url: str) -> None:
    page = httpx.get(f"{url}/signin/", trust_env=False, verify=NO_TLS)
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
    assert token

    def sign_in(number: int) -> httpx.Response:
        form = {"csrfmiddlewaretoken": token[1], "email": f"{number}@x.example", "password": "0123456789abc"}
        return httpx.post(
            f"{url}/signin/",
            data=form,
            cookies=page.cookies,
            headers={"Origin": url},
            trust_env=False,
            verify=NO_TLS,
            timeout=60,
        )

    with crowd() as signing_in:
        signing_in.send(sign_in)
        assert_healthy(url)
        assert set(signing_in.statuses()) == {422, 503}  # the wrong password of an unknown account
        assert signing_in.refused()


def test_crowd_at_one_pdf_is_refused_for_now(url: str, organization: Organization) -> None:
    invoice = personas.sent_invoice(personas.customer(organization))
    address = f"{links.invoice_url(invoice)}pdf/"
    with crowd() as downloading:
        downloading.send(lambda _number: httpx.get(address, trust_env=False, verify=NO_TLS, timeout=60))
        assert_healthy(url)
        assert set(downloading.statuses()) == {200, 503}
        assert downloading.refused()


def test_silent_gateway_leaves_threads_for_others(
    url: str, supervisor: Supervisor, organization: Organization
) -> None:
    request = personas.request_payment(personas.sent_invoice(personas.customer(organization)))
    address, form = f"{links.payment_url(request)}pay/", {"amount_minor": str(request.amount_requested_minor)}

    def pay(_number: int) -> httpx.Response:
        return httpx.post(address, data=form, trust_env=False, verify=NO_TLS, timeout=60)

    with crowd() as paying:
        with stopped(supervisor.processes["sandbox"]):
            paying.send(pay)
            # Those that were let in wait for the gateway; on a slow machine some of them give up before all have come.
            wait_until(lambda: paying.refused() >= CROWD // 2)
            assert_healthy(url)
            metrics = httpx.get(f"{url}/metrics", trust_env=False, verify=NO_TLS).text
        assert set(paying.statuses()) == {303, 503}
    assert re.search(r'partway_bulkhead_refused_total\{bulkhead="gateway_calls"\} [1-9]', metrics)
    assert request.payments.get().status == "pending"


def test_customers_who_pay_at_once_wait_for_the_gateway_and_are_not_refused(
    url: str, supervisor: Supervisor, organization: Organization
) -> None:
    customer = personas.customer(organization)
    requests = [personas.request_payment(personas.sent_invoice(customer)) for _ in range(8)]

    def pay(number: int) -> httpx.Response:
        form = {"amount_minor": str(requests[number].amount_requested_minor)}
        address = f"{links.payment_url(requests[number])}pay/"
        return httpx.post(address, data=form, trust_env=False, verify=NO_TLS, timeout=60)

    with crowd(len(requests)) as paying:
        with stopped(supervisor.processes["sandbox"]):
            paying.send(pay)
            time.sleep(1)  # as a gateway may take
        assert paying.statuses() == {303: len(requests)}


def test_slow_clients_hold_no_thread_of_sandbox(supervisor: Supervisor) -> None:
    data = "POST /v1/accounts HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\n{"
    with open_sockets(supervisor.config.sandbox_url, data):
        assert_healthy(supervisor.config.sandbox_url)


def test_server_ends_soon_while_clients_are_slow(url: str, supervisor: Supervisor) -> None:
    with open_sockets(url, SLOW["body"]):
        process = supervisor.processes.pop("web")
        process.terminate()
        assert process.wait(10) == 0
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", supervisor.config.port))
