"""Failures of sending: each error of the mail server is a code with params, and each code has a sentence."""

from __future__ import annotations

import json
import smtplib

import pytest
from anymail.exceptions import AnymailInvalidAddress

from partway.delivery.mail.backends import RecipientsPartlyRefused
from partway.delivery.mail.failures import classify
from partway.delivery.mail.rendering import SenderInvalid
from partway.delivery.messages.mails import MESSAGES, mail_error_message
from partway.lib.email_addresses import InvalidAddress
from partway.lib.ids import new_id
from partway.lib.links import make_token

REFUSED = {"a@x.example": (550, b"no\x00 such\r\nmailbox")}
ERRORS: list[tuple[Exception, str, str]] = [
    (
        RecipientsPartlyRefused(REFUSED),
        "partly_refused",
        "Sent, but not to all: a@x.example was refused: 550 no such",
    ),
    (
        smtplib.SMTPRecipientsRefused(REFUSED),
        "recipients_refused",
        "a@x.example was refused: 550 no such mailbox",
    ),
    (smtplib.SMTPDataError(554, b"spam"), "message_refused", "did not take the message: 554 spam"),
    (smtplib.SMTPAuthenticationError(535, b"no"), "login_refused", "user name and password"),
    (smtplib.SMTPSenderRefused(550, b"no", "b@x.example"), "sender_refused", "the sender b@x.example: no"),
    (AnymailInvalidAddress("a@@x"), "refused_by_service", "a@@x"),
    (InvalidAddress("a@@x", "form"), "recipient_invalid", "“a@@x” is not a mail address"),
    (SenderInvalid("b@@x"), "sender_invalid", "“b@@x”, the address that mails come from"),
    (ConnectionRefusedError("refused"), "unreachable", "does not answer: refused"),
    (ValueError(), "unknown", "could not be sent: ValueError"),
]


@pytest.mark.parametrize(("error", "code", "sentence"), ERRORS)
def test_mail_error_is_stored_as_code_with_a_sentence(error: Exception, code: str, sentence: str) -> None:
    failure = classify(error)
    assert failure.code == code
    assert sentence in mail_error_message(code, json.loads(json.dumps(dict(failure.params))))


def test_every_sentence_of_a_mail_error_has_its_error() -> None:
    assert {code for _, code, _ in ERRORS} == set(MESSAGES)


def test_long_reply_of_a_mail_server_is_cut() -> None:
    many = {f"{number}@x.example": (550, b"x" * 10_000) for number in range(100)}
    assert len(json.dumps(dict(classify(smtplib.SMTPRecipientsRefused(many)).params))) < 2_000


def test_reply_that_quotes_a_payment_link_is_stored_without_its_secret() -> None:
    token = make_token(new_id("preq"), "a key")
    reply = f"spam: http://pay.example/p/{token}/ is listed".encode()
    for error in (
        smtplib.SMTPDataError(554, reply),
        smtplib.SMTPRecipientsRefused({"a@x.example": (550, reply)}),
        ValueError(reply.decode()),
    ):
        stored = json.dumps(dict(classify(error).params))
        assert "spam: http://pay.example/p/" in stored
        assert token not in stored
