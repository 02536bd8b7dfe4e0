"""A process is killed while its gateway call is in flight: no payment is lost and none is made twice.

The kills at every other moment are in tests/crashes.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import httpx
import pytest
from django.conf import settings

from partway.billing.models import GatewayCall, Payment, PaymentRequest
from partway.billing.payments.refresh import refresh_payment
from partway.billing.reconciliation import due_work
from partway.lib.clock import now as present
from tests.support.databases import database_url
from tests.support.gateway_driver import GatewayDriver
from tests.support.sandbox_server import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def process(act: str, pk: str, **environment: str) -> Iterator[None]:
    """Another process of this installation, killed without warning at the end of the block."""
    environment = {"PARTWAY_SANDBOX_URL": settings.PARTWAY_GATEWAY_URLS["sandbox"], **environment}
    with subprocess.Popen(
        [sys.executable, "-m", "tests.support.act_process", act, pk],
        env={
            **os.environ,
            **environment,
            "DATABASE_URL": database_url(),
            "PARTWAY_URL": settings.PARTWAY_URL,
        },
    ) as running:
        try:
            yield
            assert running.poll() is None, "it ended before it could be killed"
        finally:
            running.send_signal(signal.SIGKILL)


def call_under_way(act: str) -> Callable[[], bool]:
    return GatewayCall.objects.filter(operation=act, outcome="in_progress").exists


def run_worker_later() -> None:
    later = present() + timedelta(minutes=3)
    while due_work.refresh_unsettled_payments(now=later):
        pass


@pytest.fixture
def authorized(gateway_driver: GatewayDriver, open_request: PaymentRequest) -> Payment:
    """A payment that the gateway has authorized and that no process has refreshed yet."""
    payment = gateway_driver.start(open_request)
    gateway_driver.pay(payment)
    return payment


def test_process_killed_before_capture_reached_gateway_captures_once(
    gateway_driver: GatewayDriver, authorized: Payment
) -> None:
    with (
        unresponsive_proxy(gateway_driver, "/capture") as address,
        process("refresh", authorized.pk, PARTWAY_SANDBOX_URL=address),
    ):
        wait_until(call_under_way("capture"))
    assert gateway_driver.captures_of(authorized) == []
    run_worker_later()
    authorized.refresh_from_db()
    assert (authorized.status, gateway_driver.captures_of(authorized)) == ("succeeded", [30_000])


def test_no_second_capture_while_first_call_may_be_in_progress(
    gateway_driver: GatewayDriver, authorized: Payment
) -> None:
    with (
        unresponsive_proxy(gateway_driver, "/capture") as address,
        process("refresh", authorized.pk, PARTWAY_SANDBOX_URL=address),
    ):
        wait_until(call_under_way("capture"))
        assert refresh_payment(authorized, now=present()).status == "capturing"
        assert gateway_driver.captures_of(authorized) == []
    run_worker_later()
    assert gateway_driver.captures_of(authorized) == [30_000]


def test_process_killed_before_start_reached_gateway_starts_one_checkout(
    gateway_driver: GatewayDriver, open_request: PaymentRequest
) -> None:
    with (
        unresponsive_proxy(gateway_driver, "/v1/checkouts") as address,
        process("start", open_request.pk, PARTWAY_SANDBOX_URL=address),
    ):
        wait_until(call_under_way("start"))
    run_worker_later()
    payment = gateway_driver.start_and_pay(open_request)
    assert (payment.status, list(gateway_driver.ledger())) == ("succeeded", [payment.pk])


def test_process_killed_before_release_reached_gateway_charges_nothing(
    gateway_driver: GatewayDriver, authorized: Payment
) -> None:
    with (
        unresponsive_proxy(gateway_driver, "/close") as address,
        process("cancel", authorized.payment_request_id, PARTWAY_SANDBOX_URL=address),
    ):
        wait_until(call_under_way("close"))
    run_worker_later()
    authorized.refresh_from_db()
    assert (authorized.status, gateway_driver.captures_of(authorized)) == ("canceled", [])


@contextmanager
def unresponsive_proxy(gateway_driver: GatewayDriver, path: str) -> Iterator[str]:
    """A proxy to the gateway that drops every POST to an address that ends with `path` and forwards the rest."""

    class Line(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._pass_on(
                httpx.get(gateway_driver.sandbox_server.url + self.path, headers=self._key(), trust_env=False)
            )

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if self.path.endswith(path):
                self.rfile.read(1)  # until the caller has closed the connection
                return
            self._pass_on(
                httpx.post(
                    gateway_driver.sandbox_server.url + self.path,
                    headers=self._key(),
                    content=body,
                    trust_env=False,
                )
            )

        def _key(self) -> dict[str, str]:
            kept = ("authorization", "idempotency-key")
            return {name: self.headers[name] for name in kept if name in self.headers}

        def _pass_on(self, response: httpx.Response) -> None:
            self.send_response(response.status_code)
            self.send_header("content-length", str(len(response.content)))
            self.end_headers()
            self.wfile.write(response.content)

        def log_message(self, *_: Any) -> None:
            """Logs nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Line) as server:
        server.daemon_threads = True
        Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
