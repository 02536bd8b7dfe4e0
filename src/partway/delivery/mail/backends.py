"""Mail backends: files when no mail server is set, or an SMTP server whose refusals are all reported."""

from __future__ import annotations

import smtplib
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.backends.smtp import EmailBackend

from partway.lib.ids import new_id

from . import kept_files

# Messages of no organization (about signing in, or a test from the command line) are stored under this name,
# which no inbox shows: a reader of a sign-in mail could sign in as its recipient.
_NO_ORGANIZATION = "org_" + "0" * 26


class FileBackend(BaseEmailBackend):
    """Stores each message as PARTWAY_HOME/mail/<organization id>/<mail id>.eml."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Stores all of them; returns how many."""
        for message in email_messages:
            organization_id = getattr(message, "organization_id", "") or _NO_ORGANIZATION
            mail_id = getattr(message, "mail_id", "") or new_id("mail")
            kept_files.store(organization_id, mail_id, message.message().as_bytes())
        return len(email_messages)


class RecipientsPartlyRefused(smtplib.SMTPException):
    """The server took the message for some recipients; `refused` has the others with the server's replies."""

    def __init__(self, refused: dict[str, tuple[int, bytes]]) -> None:
        super().__init__(refused)
        self.refused = refused


class _Smtp(smtplib.SMTP):
    """SMTP without TLS, or with STARTTLS; raises when some recipients are refused, and knows how far a message is."""

    is_transmitting = False

    def sendmail(self, *args: Any, **kwargs: Any) -> dict[str, tuple[int, bytes]]:
        """Sends a message; raises RecipientsPartlyRefused, where smtplib returns them and Django drops that."""
        if refused := super().sendmail(*args, **kwargs):
            raise RecipientsPartlyRefused(refused)
        return refused

    def mail(self, sender: str, options: Sequence[str] = ()) -> tuple[int, bytes]:
        """Begins a message with its sender."""
        self.is_transmitting = False
        return super().mail(sender, options)

    def data(self, msg: Any) -> tuple[int, bytes]:
        """Transmits the message itself."""
        self.is_transmitting = True
        return super().data(msg)


class _SmtpTls(_Smtp, smtplib.SMTP_SSL):
    """SMTP over TLS from the first byte."""


class SmtpBackend(EmailBackend):
    """Django's SMTP backend, which reports each refused recipient and ignores errors of QUIT."""

    @property
    def connection_class(self) -> type[smtplib.SMTP]:
        """The class of which `open` makes its connection."""
        return _SmtpTls if self.use_ssl else _Smtp

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Sends them; one more time each where the server had closed an open connection before the message began."""
        sent = 0
        for message in email_messages:
            try:
                sent += super().send_messages([message]) or 0
            except (smtplib.SMTPException, OSError):
                # Servers close connections after some messages or minutes, and smtplib then has no socket any more.
                open_one = self.connection
                if not isinstance(open_one, _Smtp) or open_one.sock is not None or open_one.is_transmitting:
                    raise
                self.close()
                self.open()
                sent += super().send_messages([message]) or 0
        return sent

    def close(self) -> None:
        """Closes the connection. The message is taken or refused by now: an error here must not send it twice."""
        with suppress(smtplib.SMTPException, OSError):
            super().close()


class MailConnection:
    """One connection to the mail server for many messages: opened with the first, and anew after an error."""

    def __init__(self) -> None:
        self._backend: BaseEmailBackend | None = None

    def send(self, message: EmailMessage) -> None:
        """Sends a message; when this returns the server has taken it. Raises what the backend raises."""
        try:
            if self._backend is None:
                self._backend = get_connection()
                self._backend.open()
            message.connection = self._backend
            message.send()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Closes the connection, if there is one."""
        if self._backend is not None:
            backend, self._backend = self._backend, None
            backend.close()
