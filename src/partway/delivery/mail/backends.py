"""Mail backends: files when no mail server is set, or an SMTP server whose refusals are all reported."""

from __future__ import annotations

import smtplib
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from django.core.mail import EmailMessage
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


class _RaiseOnRefusedRecipient:
    """Makes `sendmail` raise when some recipients are refused: smtplib returns them, and Django drops that."""

    def sendmail(self, *args: Any, **kwargs: Any) -> dict[str, tuple[int, bytes]]:
        refused: dict[str, tuple[int, bytes]] = super().sendmail(*args, **kwargs)  # type: ignore[misc]
        if refused:
            raise RecipientsPartlyRefused(refused)
        return refused


class _Smtp(_RaiseOnRefusedRecipient, smtplib.SMTP):
    """SMTP without TLS, or with STARTTLS."""


class _SmtpTls(_RaiseOnRefusedRecipient, smtplib.SMTP_SSL):
    """SMTP over TLS from the first byte."""


class SmtpBackend(EmailBackend):
    """Django's SMTP backend, which reports each refused recipient and ignores errors of QUIT."""

    @property
    def connection_class(self) -> type[smtplib.SMTP]:
        """The class of which `open` makes its connection."""
        return _SmtpTls if self.use_ssl else _Smtp

    def close(self) -> None:
        """Closes the connection. The message is taken or refused by now: an error here must not send it twice."""
        with suppress(smtplib.SMTPException, OSError):
            super().close()
