"""A silent mail server and a silent gateway each delay only their own kind of job, and not the end of the worker."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db.models import F

from partway.accounts.models import GatewayAccount, Organization
from partway.billing.models import Callback, Customer, Mail, Payment, PaymentRequest
from partway.billing.payments.start import start_payment
from partway.lib.clock import now as present
from partway.worker.models import Heartbeat
from partway.worker.supervisor import Supervisor
from tests.support import personas
from tests.support.sandbox_server import wait_until

from .clients import stopped


@pytest.fixture(scope="module")
def silent_mail_server() -> Iterator[str]:
    """The URL of a mail server that accepts connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"smtp://127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture
def worker(supervisor: Supervisor, silent_mail_server: str) -> Supervisor:
    """A worker that sends its mails there."""
    supervisor.extra_environment["EMAIL_URL"] = silent_mail_server
    if "worker" not in supervisor.processes:
        supervisor.start_worker()
        wait_until(Heartbeat.objects.exists)
    return supervisor


@pytest.fixture
def dana(organization: Organization) -> Customer:
    return personas.customer(organization)


def stored_callback(account: GatewayAccount) -> Callback:
    """Returns a callback that is due, of an unknown checkout; the worker processes it by counting an attempt."""
    return Callback.objects.create(
        gateway_account=account,
        event_id=f"evt_{Callback.objects.count()}",
        event_type="checkout.captured",
        checkout_ref="co_unknown",
        body="{}",
        received_at=present(),
        next_attempt_at=present(),
    )


def expiring_request(dana: Customer) -> PaymentRequest:
    """Returns an open request whose time is over."""
    request = personas.request_payment(personas.sent_invoice(dana), expires_at=present() + timedelta(hours=1))
    PaymentRequest.objects.filter(pk=request.pk).update(expires_at=present() - timedelta(hours=1))
    return request


def has_expired(request: PaymentRequest) -> bool:
    return PaymentRequest.objects.get(pk=request.pk).status == "expired"


def wait_for_heartbeat() -> None:
    """Waits until the worker has written another heartbeat."""
    seen = Heartbeat.objects.get().last_seen_at
    wait_until(lambda: Heartbeat.objects.get().last_seen_at > seen, within=20)


def test_silent_mail_server_delays_only_mails(worker: Supervisor, dana: Customer) -> None:
    request = expiring_request(dana)
    mails = Mail.objects.filter(status="queued")
    wait_until(lambda: mails.filter(attempt_count=1).exists())  # the worker waits for the mail server now
    callback = stored_callback(GatewayAccount.objects.get())
    wait_until(lambda: has_expired(request), within=15)
    wait_until(lambda: Callback.objects.get(pk=callback.pk).attempt_count, within=15)
    wait_for_heartbeat()
    assert mails.filter(attempts=None).exists(), "the mail server had answered meanwhile"


def test_silent_gateway_delays_only_payments(worker: Supervisor, dana: Customer) -> None:
    abandoned = expiring_request(dana)
    PaymentRequest.objects.filter(pk=abandoned.pk).update(expires_at=present() + timedelta(hours=1))
    payment = start_payment(
        abandoned, expected_amount=abandoned.amount_requested, payer_ip=None, now=present()
    )
    unsettled = personas.request_payment(personas.sent_invoice(dana))
    waiting = start_payment(
        unsettled, expected_amount=unsettled.amount_requested, payer_ip=None, now=present()
    )
    with stopped(worker.processes["sandbox"]):
        Payment.objects.filter(pk=waiting.pk).update(next_refresh_at=present())
        wait_until(lambda: Payment.objects.get(pk=waiting.pk).refresh_count, within=15)  # it waits now
        PaymentRequest.objects.filter(pk=abandoned.pk).update(expires_at=F("expires_at") - timedelta(days=1))
        other = expiring_request(dana)
        wait_until(lambda: has_expired(abandoned) and has_expired(other), within=10)
        assert Payment.objects.get(pk=payment.pk).status == "closing"
        wait_for_heartbeat()
    Payment.objects.filter(pk=payment.pk).update(next_refresh_at=present())
    wait_until(lambda: Payment.objects.get(pk=payment.pk).status == "canceled")


def test_worker_ends_soon_and_loses_nothing_while_servers_are_silent(
    worker: Supervisor, dana: Customer
) -> None:
    personas.sent_invoice(dana)
    process = worker.processes.pop("worker")
    process.terminate()
    assert process.wait(9) == 0
    assert not Heartbeat.objects.exists()
    assert Mail.objects.filter(status="queued").exists()
    assert not Mail.objects.filter(status__in=("sent", "failed")).exists()
