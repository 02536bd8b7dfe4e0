"""Sentences for mails that could not be sent, by the code that is stored with each attempt."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

MESSAGES = {
    "partly_refused": _("Sent, but not to all: %(refusals)s"),
    "recipients_refused": "%(refusals)s",
    "message_refused": _("The mail server did not take the message: %(code)s %(reply)s"),
    "recipient_invalid": _("“%(address)s” is not a mail address, so nothing could be sent to it."),
    "sender_invalid": _("“%(address)s”, the address that mails come from, is not a mail address."),
    "login_refused": _("The mail server did not accept our user name and password. Check EMAIL_URL."),
    "sender_refused": _("The mail server refused the sender %(sender)s: %(reply)s"),
    "refused_by_service": _("The mail service refused the message: %(error)s"),
    "unreachable": _("The mail server does not answer: %(error)s"),
    "unknown": _("The mail could not be sent: %(error)s"),
}


def mail_error_message(code: str, params: Mapping[str, Any]) -> str:
    """Returns why a mail could not be sent, with the words of the mail server as they came; empty for no code."""
    if not code:
        return ""
    refusals = [
        gettext("%(address)s was refused: %(code)s %(reply)s") % refusal
        for refusal in params.get("refusals", ())
    ]
    return str(MESSAGES[code]) % {**params, "refusals": "; ".join(refusals)}
