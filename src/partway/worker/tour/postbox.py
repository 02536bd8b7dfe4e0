"""Reads the mails that the house kept as files, as the people they were sent to."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from .visitor import TourFailed

_PATIENCE_SECONDS = 20


@dataclass
class Mailbox:
    """Every mail of one house, each read once."""

    home: Path
    read: set[Path] = field(default_factory=set)

    def wait_for_mail(self, address: str, *, about: str) -> str:
        """The text of the next unread mail to `address` whose subject has `about`; waits for the worker to send it."""
        give_up_at = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < give_up_at:
            for path in sorted(set(self.home.glob("mail/*/*.eml")) - self.read):
                message = message_from_bytes(path.read_bytes(), policy=policy.default)
                if address in str(message["To"]) and about in str(message["Subject"]):
                    self.read.add(path)
                    return _text(message)
            time.sleep(0.1)
        raise TourFailed(f"No mail to {address} about “{about}” arrived within {_PATIENCE_SECONDS} seconds.")


def _text(message: EmailMessage) -> str:
    body = message.get_body(("plain",))
    if body is None:
        raise TourFailed(f"“{message['Subject']}” has no plain text.")
    return str(body.get_content())


def payment_link_in(text: str, door: str) -> str:
    """The payment link in a mail that leads to `door`: p, i, q or r."""
    found = re.search(rf"https?://\S+/{door}/\S+", text)
    if found is None:
        raise TourFailed(f"The mail has no /{door}/ link: {text}")
    return found[0]
