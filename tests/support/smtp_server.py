"""An SMTP server for tests, with the replies to each recipient and to the message that a test chooses."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from environ import Env
from pytest_django import Settings


class SmtpServer:
    """The replies to each recipient and to the message, and the messages that were accepted."""

    def __init__(self) -> None:
        self.refused: dict[str, str] = {}
        self.says = "250 OK"
        self.taken: list[Envelope] = []
        self.connections: list[object] = []  # of each accepted message
        self.messages_per_connection = 100
        self.messages_begun = 0

    def messages(self) -> list[EmailMessage]:
        """Returns the accepted messages, parsed, with their headers decoded."""
        return [message_from_bytes(one.content, policy=policy.default) for one in self.taken]  # type: ignore[arg-type]

    async def handle_MAIL(  # noqa: N802 - the server's name for it
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Takes the sender, unless the connection has had its messages; smtplib closes it at this reply."""
        if self.connections.count(session.peer) >= self.messages_per_connection:
            return "421 too many messages"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(  # noqa: N802 - the server's name for it
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Takes the recipient, unless it is one of `refused`."""
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Stores the message, if it is accepted."""
        self.messages_begun += 1
        if self.says.startswith("250"):
            self.taken.append(envelope)
            self.connections.append(session.peer)
        return self.says


@contextmanager
def running_smtp_server(settings: Settings) -> Iterator[SmtpServer]:
    """Runs a server for the block, and lets the settings name it; it does not offer SMTPUTF8."""
    smtp_server = SmtpServer()
    server = Controller(smtp_server, hostname="127.0.0.1", port=free_port(), enable_SMTPUTF8=False)
    server.start()
    point_at(settings, server.port)
    try:
        yield smtp_server
    finally:
        server.stop()


def free_port() -> int:
    """Returns a port on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def point_at(settings: Settings, port: int) -> None:
    """Configures SMTP as EMAIL_URL does in the settings."""
    for name, value in Env.email_url_config(f"smtp://127.0.0.1:{port}").items():
        if name.startswith("EMAIL_"):
            setattr(settings, name, value)
    settings.EMAIL_BACKEND = "partway.delivery.mail.backends.SmtpBackend"
