"""Classifies why a mail could not be sent: permanently or for now, as a code and params for the timeline."""

from __future__ import annotations

import smtplib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from partway.lib.email_addresses import InvalidAddress, unicode_address
from partway.lib.links import mask_links

from .backends import RecipientsPartlyRefused
from .rendering import SenderInvalid

_PERMANENT = 500  # SMTP: 4xx is "not now", 5xx is "no"
# A server can say as much as it likes, and to each recipient; the rest is in its own log.
_MAX_TEXT = 200
_MAX_REFUSALS = 5


@dataclass(frozen=True, slots=True)
class SendFailure:
    """A failure as it is stored; delivery/messages/mails.py has the sentence of each `code`.

    `is_permanent`: another attempt is pointless. `partly_sent`: some have it, so it must not go out again.
    """

    code: str
    params: Mapping[str, Any] = field(default_factory=dict)
    is_permanent: bool = False
    partly_sent: bool = False


def classify(error: Exception) -> SendFailure:
    """Returns what this error means for the mail. An unknown one may pass, so the mail is tried again."""
    # Here, because it loads a client of HTTP with all that belongs to it.
    from anymail.exceptions import AnymailInvalidAddress, AnymailRecipientsRefused

    match error:
        # Of a row that was stored before addresses were checked as they are sent, as by an import.
        case InvalidAddress():
            return SendFailure("recipient_invalid", {"address": _decoded(error.text)}, is_permanent=True)
        case SenderInvalid():
            return SendFailure("sender_invalid", {"address": _decoded(error.address)})
        case RecipientsPartlyRefused():
            return SendFailure("partly_refused", _refusals(error.refused), partly_sent=True)
        case smtplib.SMTPRecipientsRefused():
            is_permanent = all(code >= _PERMANENT for code, _text in error.recipients.values())
            return SendFailure("recipients_refused", _refusals(error.recipients), is_permanent=is_permanent)
        case smtplib.SMTPDataError():
            reply = {"code": error.smtp_code, "reply": _decoded(error.smtp_error)}
            return SendFailure("message_refused", reply, is_permanent=error.smtp_code >= _PERMANENT)
        # A wrong password or sender is the operator's to correct, and then the mail may still go out.
        case smtplib.SMTPAuthenticationError():
            return SendFailure("login_refused")
        case smtplib.SMTPSenderRefused():
            refusal = {"sender": unicode_address(error.sender), "reply": _decoded(error.smtp_error)}
            return SendFailure("sender_refused", refusal)
        case AnymailRecipientsRefused() | AnymailInvalidAddress():
            return SendFailure("refused_by_service", {"error": _first_line(error)}, is_permanent=True)
        case ConnectionError() | TimeoutError() | smtplib.SMTPServerDisconnected():
            return SendFailure("unreachable", {"error": _first_line(error)})
        case _other:
            return SendFailure("unknown", {"error": _first_line(error)})


def _refusals(refused: Mapping[str, tuple[int, bytes]]) -> dict[str, Any]:
    first = list(refused.items())[:_MAX_REFUSALS]
    return {
        "refusals": [
            {"address": unicode_address(address), "code": code, "reply": _decoded(reply)}
            for address, (code, reply) in first
        ]
    }


def _decoded(reply: bytes | str) -> str:
    # PostgreSQL stores no NUL, in JSON neither.
    text = (reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply).replace("\x00", "")
    # A server that takes a message for spam may quote its link, and readers see the reply.
    return " ".join(mask_links(text).split())[:_MAX_TEXT]


def _first_line(error: Exception) -> str:
    return _decoded(next(iter(str(error).splitlines()), "")) or type(error).__name__
