"""Mails over real SMTP, to a server that accepts, refuses, delays or does not run."""

from __future__ import annotations

import email
import socket
from collections.abc import Iterator
from email import policy

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from django.conf import settings as django_settings
from environ import Env
from pytest_django import Settings

from partway.billing.models import Event, Mail
from partway.delivery.mail import sending
from partway.delivery.messages.mails import mail_error_message
from partway.lib.clock import now


class SmtpServer:
    """The replies to each recipient and to the message, and the messages that were accepted."""

    def __init__(self) -> None:
        self.refused: dict[str, str] = {}
        self.says = "250 OK"
        self.taken: list[Envelope] = []

    async def handle_RCPT(  # noqa: N802 - the server's name for it
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.says.startswith("250"):
            self.taken.append(envelope)
        return self.says


@pytest.fixture
def smtp_server(settings: Settings) -> Iterator[SmtpServer]:
    smtp_server = SmtpServer()
    server = Controller(smtp_server, hostname="127.0.0.1", port=_free_port())
    server.start()
    _point_at(settings, server.port)
    yield smtp_server
    server.stop()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _point_at(settings: Settings, port: int) -> None:
    """Configures SMTP as EMAIL_URL does in the settings."""
    for name, value in Env.email_url_config(f"smtp://127.0.0.1:{port}").items():
        if name.startswith("EMAIL_"):
            setattr(settings, name, value)
    settings.EMAIL_BACKEND = "partway.delivery.mail.backends.SmtpBackend"


def _outcome(mail: Mail) -> tuple[str, str]:
    sending.send_due(now=now())
    mail.refresh_from_db()
    attempt = mail.attempts.get()
    return mail.status, mail_error_message(attempt.error_code, attempt.error_params)


def test_smtp_mail_arrives_as_html_and_text(mail: Mail, smtp_server: SmtpServer) -> None:
    Mail.objects.update(cc=["c@customer.example"], bcc=["b@customer.example"])
    assert _outcome(mail) == ("sent", "")
    (envelope,) = smtp_server.taken
    assert set(envelope.rcpt_tos) == {
        "dana.whitfield@customer.example",
        "c@customer.example",
        "b@customer.example",
    }
    assert isinstance(envelope.content, bytes)
    message = email.message_from_bytes(envelope.content, policy=policy.default)
    assert message["Message-ID"] == f"<{mail.pk}@127.0.0.1>"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    assert b"b@customer.example" not in envelope.content


def test_smtp_refused_recipient_fails_at_once(mail: Mail, smtp_server: SmtpServer) -> None:
    smtp_server.refused = {"dana.whitfield@customer.example": "550 no such mailbox"}
    assert _outcome(mail) == ("failed", "dana.whitfield@customer.example was refused: 550 no such mailbox")
    assert Event.objects.filter(type="mail.failed").exists()


def test_smtp_full_mailbox_is_retried(mail: Mail, smtp_server: SmtpServer) -> None:
    smtp_server.refused = {"dana.whitfield@customer.example": "452 mailbox full, try later"}
    assert _outcome(mail) == (
        "queued",
        "dana.whitfield@customer.example was refused: 452 mailbox full, try later",
    )


def test_smtp_one_refused_recipient_among_others_is_not_retried(mail: Mail, smtp_server: SmtpServer) -> None:
    Mail.objects.update(cc=["gone@customer.example"])
    smtp_server.refused = {"gone@customer.example": "550 no such mailbox"}
    words = "Sent, but not to all: gone@customer.example was refused: 550 no such mailbox"
    assert _outcome(mail) == ("sent", words)
    assert len(smtp_server.taken) == 1
    attempt = mail.attempts.get()
    assert attempt.error_code == "partly_refused"
    assert attempt.error_params["refusals"] == [
        {"address": "gone@customer.example", "code": 550, "reply": "no such mailbox"}
    ]


def test_smtp_refused_message_fails_at_once(mail: Mail, smtp_server: SmtpServer) -> None:
    smtp_server.says = "554 this looks like spam"
    assert _outcome(mail) == ("failed", "The mail server did not take the message: 554 this looks like spam")


def test_smtp_busy_server_is_retried_until_accepted(mail: Mail, smtp_server: SmtpServer) -> None:
    smtp_server.says = "451 busy"
    assert _outcome(mail)[0] == "queued"
    smtp_server.says = "250 OK"
    sending.send_due(now=mail.next_attempt_at)
    mail.refresh_from_db()
    assert (mail.status, mail.attempt_count) == ("sent", 2)


def test_smtp_unreachable_server_is_retried(mail: Mail, settings: Settings) -> None:
    _point_at(settings, _free_port())
    status, words = _outcome(mail)
    assert status == "queued"
    assert words.startswith("The mail server does not answer:")


def test_smtp_timeout_is_shorter_than_mail_lease(mail: Mail) -> None:
    assert 0 < django_settings.EMAIL_TIMEOUT < sending.LEASE.total_seconds() / 2
