"""Receivers that hang, redirect and lie delay no others, and no address inside a network is reached."""

from __future__ import annotations

import datetime
import socket
import ssl
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread
from time import sleep
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pytest_django.fixtures import Settings
from structlog.testing import capture_logs

from partway.accounts.models import Organization
from partway.delivery.webhooks import client, sending
from partway.delivery.webhooks.sending import SLOTS_OF_ORGANIZATION
from partway.lib.clock import now
from tests.delivery.webhooks.conftest import Subscription
from tests.delivery.webhooks.test_sending import queue
from tests.support import personas, webhook_receiver
from tests.support.sandbox_server import wait_until
from tests.support.webhook_receiver import Respond, WebhookReceiver, status


@pytest.fixture
def _short_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "DEADLINE_SECONDS", 0.6)
    monkeypatch.setattr(client, "BODY_SECONDS", 0.5)


@pytest.mark.usefixtures("_short_deadline")
@pytest.mark.parametrize(
    ("respond", "code"),
    [
        (status(302, Location="http://127.0.0.1:9/elsewhere"), "redirect"),
        (status(404), "status"),
        (webhook_receiver.close, "unreachable"),
        (webhook_receiver.hang, "timeout"),
        (webhook_receiver.drip_headers, "timeout"),
        (webhook_receiver.drip_body, ""),
        (webhook_receiver.flood, ""),
    ],
    ids=["redirects", "refuses", "closes", "hangs", "drips headers", "drips its body", "floods"],
)
def test_attempt_ends_in_time_whatever_the_receiver_does(
    subscription: Subscription, receiver: WebhookReceiver, respond: Respond, code: str
) -> None:
    [delivery] = queue(subscription, 0)
    receiver.respond = respond
    subscription.send()
    attempt = delivery.attempts.get()
    wait_until(lambda: receiver.heard)  # a deadline may pass before its thread has read what was sent
    assert (attempt.error_code, len(receiver.heard)) == (code, 1)
    assert (attempt.duration_ms < 5_000, len(attempt.response_body) <= client.MAX_BODY) == (True, True)
    assert receiver.flooded < 20_000_000  # what the buffers of the connection hold, and no more


@pytest.mark.usefixtures("_short_deadline")
def test_slow_endpoint_delays_no_other(
    organization: Organization, subscription: Subscription, receiver: WebhookReceiver
) -> None:
    with WebhookReceiver(webhook_receiver.hang) as silent:
        slow = Subscription.at(organization, silent.url)
        queue(slow, 60, 50, 40, 30)
        queue(subscription, 3, 2, 1)
        subscription.send()
        wait_until(lambda: silent.heard)
        # The others arrived while the first attempt was waited for; then the whole endpoint rests.
        assert (len(receiver.heard), len(silent.heard)) == (3, 1)
        slow.endpoint.refresh_from_db()
        assert slow.endpoint.paused_until is not None
        assert slow.deliveries[0].attempts.get().attempted_at <= slow.endpoint.paused_until


@pytest.mark.parametrize("allowed", [[], ["10.0.0.0/8"]])
def test_address_inside_a_network_is_refused_at_each_attempt(
    subscription: Subscription, receiver: WebhookReceiver, settings: Settings, allowed: list[str]
) -> None:
    [delivery] = queue(subscription, 0)
    settings.PARTWAY_WEBHOOK_ALLOW_NETWORKS = allowed
    subscription.send()
    assert (delivery.attempts.get().error_code, receiver.heard) == ("address_refused", [])


def test_refused_address_is_logged_and_not_shown(subscription: Subscription, settings: Settings) -> None:
    [delivery] = queue(subscription, 0)
    settings.PARTWAY_WEBHOOK_ALLOW_NETWORKS = []
    with capture_logs() as logged:
        subscription.send()
    assert delivery.attempts.get().error_message == ""
    assert {"host": "127.0.0.1", "addresses": ["127.0.0.1"]}.items() <= logged[0].items()


def test_silent_name_server_holds_no_place_beyond_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    answered = Event()
    monkeypatch.setattr(client, "DEADLINE_SECONDS", 0.2)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answered.wait(20) and [])
    assert client.post("https://jobs.alder.example/", b"", {}, ()).error_code == "timeout"
    answered.set()


@pytest.mark.usefixtures("_short_deadline")
def test_slow_endpoints_of_an_organization_take_a_part_of_the_places(
    organization: Organization, receiver: WebhookReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "SLOTS", SLOTS_OF_ORGANIZATION + 1)
    with WebhookReceiver(webhook_receiver.hang) as silent:
        slow = [Subscription.at(organization, silent.url) for _ in range(SLOTS_OF_ORGANIZATION + 1)]
        for one in slow:
            queue(one, 60)
        other = Subscription.at(personas.mallory().organization, receiver.url)
        queue(other, 0)
        other.sender._start_due(now())
        under_way = [one.endpoint.organization_id for one in other.sender._under_way.values()]
        other.send()
    assert sorted(under_way.count(pk) for pk in set(under_way)) == [1, SLOTS_OF_ORGANIZATION]


def test_connection_goes_to_the_address_that_was_checked(
    organization: Organization, receiver: WebhookReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name has another address at each look-up, as that of an attacker who answers the check and then the call."""
    addresses = iter(["127.0.0.1", "169.254.169.254", "169.254.169.254"])
    looked_up: list[str] = []

    def rebinding(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        if host[0].isdigit():
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, port))]
        looked_up.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(addresses), port))]

    subscription = Subscription.at(organization, f"http://jobs.alder.example:{receiver.port}/hooks")
    first, second = queue(subscription, 1, 0)
    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    subscription.send()
    assert [one.headers["host"] for one in receiver.heard] == [f"jobs.alder.example:{receiver.port}"]
    assert (first.attempts.get().error_code, second.attempts.get().error_code) == ("", "address_refused")
    assert len(looked_up) == 2


@pytest.fixture
def tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """A certificate for the name localhost, which the client trusts."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1)
    builder = builder.not_valid_before(now() - datetime.timedelta(days=1))
    builder = builder.not_valid_after(now() + datetime.timedelta(days=1))
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=True)
    certificate = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = tmp_path / "certificate.pem"
    file.write_bytes(certificate + private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    client._tls.cache_clear()
    return context


@pytest.mark.parametrize(("host", "code"), [("localhost", ""), ("127.0.0.1", "tls")])
def test_certificate_is_verified_for_the_host_name(
    organization: Organization, tls: ssl.SSLContext, host: str, code: str
) -> None:
    with WebhookReceiver(tls=tls) as receiver:
        subscription = Subscription.at(organization, f"https://{host}:{receiver.port}/hooks")
        [delivery] = queue(subscription, 0)
        subscription.send()
    client._tls.cache_clear()
    assert (delivery.attempts.get().error_code, len(receiver.heard)) == (code, 0 if code else 1)


@pytest.mark.usefixtures("_short_deadline")
def test_body_that_is_read_by_drips_ends_with_the_deadline() -> None:
    received: list[int] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        reading = Thread(target=read_by_drips, args=(server, received))
        reading.start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        outcome = client.post(url, b"x" * 40_000_000, {}, ("127.0.0.0/8",))
        reading.join()
    assert (outcome.error_code, sum(received) < 40_000_000) == ("timeout", True)


def read_by_drips(server: socket.socket, received: list[int]) -> None:
    """Reads a little at a time, until the other side ends."""
    connection, _address = server.accept()
    with connection, suppress(OSError):
        while part := connection.recv(1_000_000):
            received.append(len(part))
            sleep(0.05)
