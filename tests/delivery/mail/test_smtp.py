"""Mails over real SMTP, to a server that accepts, refuses, delays or does not run."""

from __future__ import annotations

import email
from email import policy

import pytest
from django.conf import settings as django_settings
from pytest_django import Settings

from partway.billing.documents import invoices
from partway.billing.models import Event, Invoice, Mail, MailAttempt, PaymentRequest
from partway.billing.requests import payment_requests
from partway.delivery.mail import sending
from partway.delivery.mail.content import required
from partway.delivery.messages.mails import mail_error_message
from partway.lib.clock import now
from tests.support import personas
from tests.support.smtp_server import SmtpServer, free_port, point_at


def _resend(mail: Mail, times: int) -> None:
    request = required(mail.payment_request)
    for _ in range(times):
        payment_requests.resend(request, by=personas.owner_actor(request.organization), now=now())


def _outcome(mail: Mail) -> tuple[str, str]:
    sending.send_due(now=now())
    mail.refresh_from_db()
    attempt = mail.attempts.get()
    return mail.status, mail_error_message(attempt.error_code, attempt.error_params)


def test_smtp_mail_arrives_as_html_and_text(mail: Mail, smtp_server: SmtpServer) -> None:
    copies = {"cc": ["c@customer.example"], "bcc": ["b@customer.example"]}
    PaymentRequest.objects.update(**copies)
    Mail.objects.update(**copies)
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
    PaymentRequest.objects.update(cc=["gone@customer.example"])
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


@pytest.mark.parametrize(("messages_per_connection", "connections"), [(100, 1), (2, 2)])
def test_smtp_connection_is_kept_for_many_mails_until_server_closes_it(
    mail: Mail, smtp_server: SmtpServer, messages_per_connection: int, connections: int
) -> None:
    smtp_server.messages_per_connection = messages_per_connection
    _resend(mail, 3)
    assert sending.send_due(now=now()) == 4
    assert (len(smtp_server.taken), len(set(smtp_server.connections))) == (4, connections)
    assert [attempt.error_code for attempt in MailAttempt.objects.all()] == [""] * 4


def test_smtp_refused_mail_does_not_delay_others_of_its_connection(
    mail: Mail, invoice: Invoice, smtp_server: SmtpServer
) -> None:
    invoices.resend(invoice, by=personas.owner_actor(invoice.organization), now=now())
    for rows in (PaymentRequest.objects.all(), Mail.objects.filter(pk=mail.pk)):
        rows.update(to=["gone@customer.example"])
    smtp_server.refused = {"gone@customer.example": "550 no such mailbox"}
    assert sending.send_due(now=now()) == 2
    mail.refresh_from_db()
    assert (mail.status, len(smtp_server.taken)) == ("failed", 1)


def test_smtp_connection_that_breaks_within_a_message_does_not_repeat_it(
    mail: Mail, smtp_server: SmtpServer
) -> None:
    smtp_server.says = "421 the message may have been taken"
    assert _outcome(mail)[0] == "queued"
    assert smtp_server.messages_begun == 1


def test_smtp_unreachable_server_is_retried(mail: Mail, settings: Settings) -> None:
    point_at(settings, free_port())
    status, words = _outcome(mail)
    assert status == "queued"
    assert words.startswith("The mail server does not answer:")


def test_smtp_timeout_is_shorter_than_mail_lease(mail: Mail) -> None:
    assert 0 < django_settings.EMAIL_TIMEOUT < sending.LEASE.total_seconds() / 2
