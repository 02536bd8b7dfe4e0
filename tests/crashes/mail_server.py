"""A mail server that accepts every mail, so that a test can count what arrived."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from partway.worker.supervisor import free_port


class MailServer:
    """Stores every message, also repeated ones."""

    def __init__(self) -> None:
        self.messages: list[tuple[list[str], EmailMessage]] = []
        self.url = ""

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Stores one message."""
        message = message_from_bytes(envelope.content, policy=policy.default)
        self.messages.append((envelope.rcpt_tos, message))
        return "250 OK"

    def to(self, address: str, *, about: str) -> list[EmailMessage]:
        """Returns the messages to this address with `about` in the subject, in order of arrival."""
        return [one for to, one in list(self.messages) if address in to and about in str(one["Subject"])]


@contextmanager
def running_mail_server() -> Iterator[MailServer]:
    """Runs a mail server for the block."""
    mail_server = MailServer()
    server = Controller(mail_server, hostname="127.0.0.1", port=free_port())
    server.start()
    mail_server.url = f"smtp://127.0.0.1:{server.port}"
    try:
        yield mail_server
    finally:
        server.stop()
