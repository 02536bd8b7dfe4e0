"""Where messages go: into files when no mail server is set, or to an SMTP server that is heard out."""

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

# Messages of no organization (about signing in, or a test from the command line) are kept under this name,
# which no inbox shows: whoever reads a mail of sign-in could come in as its recipient.
_NO_ORGANIZATION = "org_" + "0" * 26


class FileBackend(BaseEmailBackend):
    """Keeps each message as PARTWAY_HOME/mail/<organization id>/<mail id>.eml."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Write them all; returns how many."""
        for message in email_messages:
            organization_id = getattr(message, "organization_id", "") or _NO_ORGANIZATION
            mail_id = getattr(message, "mail_id", "") or new_id("mail")
            kept_files.store(organization_id, mail_id, message.message().as_bytes())
        return len(email_messages)


class RecipientsPartlyRefused(smtplib.SMTPException):
    """The message is on its way to some of its recipients; `refused` says who will not get it, and why."""

    def __init__(self, refused: dict[str, tuple[int, bytes]]) -> None:
        super().__init__(refused)
        self.refused = refused


class _RaiseOnRefusedRecipient:
    """Makes `sendmail` raise when some recipients are refused; smtplib returns that, and Django drops it."""

    def sendmail(self, *args: Any, **kwargs: Any) -> dict[str, tuple[int, bytes]]:
        refused: dict[str, tuple[int, bytes]] = super().sendmail(*args, **kwargs)  # type: ignore[misc]
        if refused:
            raise RecipientsPartlyRefused(refused)
        return refused


class _Smtp(_RaiseOnRefusedRecipient, smtplib.SMTP):
    """Plain, or with STARTTLS."""


class _SmtpTls(_RaiseOnRefusedRecipient, smtplib.SMTP_SSL):
    """TLS from the first byte."""


class SmtpBackend(EmailBackend):
    """Django's SMTP, but a recipient refused among others is heard of, and a bad goodbye is no failure."""

    @property
    def connection_class(self) -> type[smtplib.SMTP]:
        """What `open` makes its connection of."""
        return _SmtpTls if self.use_ssl else _Smtp

    def close(self) -> None:
        """Hang up. The message is taken or refused by now: an error here must not send it twice."""
        with suppress(smtplib.SMTPException, OSError):
            super().close()
