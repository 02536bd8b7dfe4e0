"""Reads what a mail server or service said against a mail: for good or for now, and in which words."""

from __future__ import annotations

import smtplib
from collections.abc import Mapping
from dataclasses import dataclass

from anymail.exceptions import AnymailInvalidAddress, AnymailRecipientsRefused

from .backends import RecipientsPartlyRefused

_PERMANENT = 500  # SMTP: 4xx is "not now", 5xx is "no"


@dataclass(frozen=True, slots=True)
class SendFailure:
    """`for_good`: trying again is pointless. `partly_sent`: some have it, so it must not go out again."""

    words: str
    is_permanent: bool = False
    partly_sent: bool = False


def classify(error: Exception) -> SendFailure:
    """What this error means for the mail. What nobody knows may pass, so it is tried again."""
    match error:
        case RecipientsPartlyRefused():
            return SendFailure("Sent, but not to all: " + _each(error.refused), partly_sent=True)
        case smtplib.SMTPRecipientsRefused():
            refused = error.recipients.values()
            return SendFailure(
                _each(error.recipients), is_permanent=all(code >= _PERMANENT for code, _ in refused)
            )
        case smtplib.SMTPDataError():
            words = f"The mail server did not take the message: {error.smtp_code} {_text(error.smtp_error)}"
            return SendFailure(words, is_permanent=error.smtp_code >= _PERMANENT)
        # A wrong password or sender is the operator's to mend, and then the mail may still go out.
        case smtplib.SMTPAuthenticationError():
            return SendFailure("The mail server did not accept our user name and password. Check EMAIL_URL.")
        case smtplib.SMTPSenderRefused():
            return SendFailure(
                f"The mail server refused the sender {error.sender}: {_text(error.smtp_error)}"
            )
        case AnymailRecipientsRefused() | AnymailInvalidAddress():
            return SendFailure(_first_line(error), is_permanent=True)
        case ConnectionError() | TimeoutError() | smtplib.SMTPServerDisconnected():
            return SendFailure(f"The mail server does not answer: {_first_line(error)}")
        case _:
            return SendFailure(_first_line(error))


def _each(refused: Mapping[str, tuple[int, bytes]]) -> str:
    refusals = (f"{address} was refused: {code} {_text(words)}" for address, (code, words) in refused.items())
    return "; ".join(refusals)


def _text(words: bytes | str) -> str:
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    return " ".join(text.split())


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), "") or type(error).__name__
