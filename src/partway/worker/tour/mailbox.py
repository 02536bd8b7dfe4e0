"""Reads the mails that the installation stores as files."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from pathlib import Path

from .browser import TourFailed

_TIMEOUT_SECONDS = 20


@dataclass
class Mailbox:
    """The stored mails of one installation; each is read once."""

    home: Path
    read: set[Path] = field(default_factory=set)

    def wait_for_mail(self, address: str, *, about: str) -> str:
        """Returns the text of the next unread mail to `address` with `about` in its subject; waits for the worker."""
        deadline = time.monotonic() + _TIMEOUT_SECONDS
        while time.monotonic() < deadline:
            for path in sorted(set(self.home.glob("mail/*/*.eml")) - self.read):
                message = message_from_bytes(path.read_bytes(), policy=policy.default)
                if address in str(message["To"]) and about in str(message["Subject"]):
                    self.read.add(path)
                    body = message.get_body(("plain",))
                    if body is None:
                        raise TourFailed(f"“{message['Subject']}” has no plain text.")
                    return str(body.get_content())
            time.sleep(0.1)
        raise TourFailed(f"No mail to {address} about “{about}” arrived within {_TIMEOUT_SECONDS} seconds.")


def payment_link_in(text: str, door: str) -> str:
    """Returns the first link in a mail whose path begins with `door`: p, i, q or r."""
    match = re.search(rf"https?://\S+/{door}/\S+", text)
    if match is None:
        raise TourFailed(f"The mail has no /{door}/ link: {text}")
    return match[0]
