"""Classifies why a mail could not be sent: permanently or for now, with a message for the timeline."""

from __future__ import annotations

import smtplib
from collections.abc import Mapping
from dataclasses import dataclass

from anymail.exceptions import AnymailInvalidAddress, AnymailRecipientsRefused
from django.utils.translation import gettext as _

from .backends import RecipientsPartlyRefused

_PERMANENT = 500  # SMTP: 4xx is "not now", 5xx is "no"


@dataclass(frozen=True, slots=True)
class SendFailure:
    """`is_permanent`: another attempt is pointless. `partly_sent`: some have it, so it must not go out again."""

    message: str
    is_permanent: bool = False
    partly_sent: bool = False


def classify(error: Exception) -> SendFailure:
    """Returns what this error means for the mail. An unknown one may pass, so the mail is tried again."""
    match error:
        case RecipientsPartlyRefused():
            refusals = {"refusals": _refusals(error.refused)}
            return SendFailure(_("Sent, but not to all: %(refusals)s") % refusals, partly_sent=True)
        case smtplib.SMTPRecipientsRefused():
            codes = [code for code, _text in error.recipients.values()]
            is_permanent = all(code >= _PERMANENT for code in codes)
            return SendFailure(_refusals(error.recipients), is_permanent=is_permanent)
        case smtplib.SMTPDataError():
            reply = {"code": error.smtp_code, "reply": _decoded(error.smtp_error)}
            message = _("The mail server did not take the message: %(code)s %(reply)s") % reply
            return SendFailure(message, is_permanent=error.smtp_code >= _PERMANENT)
        # A wrong password or sender is the operator's to correct, and then the mail may still go out.
        case smtplib.SMTPAuthenticationError():
            return SendFailure(
                _("The mail server did not accept our user name and password. Check EMAIL_URL.")
            )
        case smtplib.SMTPSenderRefused():
            refusal = {"sender": error.sender, "reply": _decoded(error.smtp_error)}
            return SendFailure(_("The mail server refused the sender %(sender)s: %(reply)s") % refusal)
        case AnymailRecipientsRefused() | AnymailInvalidAddress():
            return SendFailure(_first_line(error), is_permanent=True)
        case ConnectionError() | TimeoutError() | smtplib.SMTPServerDisconnected():
            return SendFailure(
                _("The mail server does not answer: %(error)s") % {"error": _first_line(error)}
            )
        case _other:
            return SendFailure(_first_line(error))


def _refusals(refused: Mapping[str, tuple[int, bytes]]) -> str:
    return "; ".join(
        _("%(address)s was refused: %(code)s %(reply)s")
        % {"address": address, "code": code, "reply": _decoded(reply)}
        for address, (code, reply) in refused.items()
    )


def _decoded(reply: bytes | str) -> str:
    text = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply
    return " ".join(text.split())


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), "") or type(error).__name__
