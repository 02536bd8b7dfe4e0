"""Messages stored as files under PARTWAY_HOME where no mail server is set, and read for the inbox page."""

from __future__ import annotations

import os
import re
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.parser import BytesParser
from email.utils import getaddresses, parsedate_to_datetime
from pathlib import Path

from django.conf import settings

from partway.accounts.models import Organization
from partway.lib.email_addresses import unicode_address

# An id becomes a file name, so it must not contain anything that leads out of the folder.
_ID = re.compile(r"[a-z]{1,8}_[0-9a-hjkmnp-tv-z]{26}", re.ASCII)


@dataclass(frozen=True, slots=True)
class StoredMail:
    """One stored message; `at` is when it was sent, in UTC."""

    id: str
    subject: str
    to: str
    cc: str
    at: datetime
    html: str
    text: str
    headers: dict[str, str] = field(default_factory=dict)
    attachments: tuple[str, ...] = ()


def store(organization_id: str, mail_id: str, message: bytes) -> Path:
    """Writes one message, whole or not at all, and replaces an earlier copy. ValueError for ids that are none."""
    folder = _folder(organization_id)
    if not _ID.fullmatch(mail_id):
        raise ValueError(f"{mail_id!r} cannot be a file name")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)  # the messages contain payment links
    unfinished = folder / f".{mail_id}.{secrets.token_hex(4)}"
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(message)
        file.flush()
        os.fsync(file.fileno())
    return unfinished.replace(folder / f"{mail_id}.eml")


def message(organization: Organization, mail_id: str) -> StoredMail | None:
    """Returns one stored message, or None when this organization has no such message."""
    if not _ID.fullmatch(mail_id):
        return None
    return _read(_folder(organization.id) / f"{mail_id}.eml")


def _folder(organization_id: str) -> Path:
    if not _ID.fullmatch(organization_id):
        raise ValueError(f"{organization_id!r} cannot be a folder name")
    return Path(settings.PARTWAY_HOME) / "mail" / organization_id


def _read(path: Path) -> StoredMail | None:
    try:
        parsed = BytesParser(policy=policy.default).parsebytes(path.read_bytes())
    except FileNotFoundError:
        return None
    try:
        at = parsedate_to_datetime(str(parsed["Date"])).astimezone(UTC)
    except ValueError:
        at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    return StoredMail(
        id=path.stem,
        subject=_header(parsed, "Subject"),
        to=_addresses(parsed, "To"),
        cc=_addresses(parsed, "Cc"),
        at=at,
        html=_body(parsed, "html"),
        text=_body(parsed, "plain"),
        headers={
            **{name: _addresses(parsed, name) for name in ("From", "Reply-To") if parsed[name]},
            "Message-ID": _header(parsed, "Message-ID"),
        },
        attachments=tuple(part.get_filename() or "attachment" for part in parsed.iter_attachments()),
    )


def _header(parsed: EmailMessage, name: str) -> str:
    """Returns a header without the spaces that folding leaves."""
    return " ".join(str(parsed[name] or "").split())


def _addresses(parsed: EmailMessage, name: str) -> str:
    """Returns a header of addresses as people read it, with domains in Unicode."""
    # Not the parsed header: Python puts a space between the encoded parts of a long name.
    raw = [value for header, value in parsed.raw_items() if header.lower() == name.lower()]
    shown = []
    for encoded, address in getaddresses(raw):
        display_name = " ".join(str(make_header(decode_header(encoded))).split())
        spec = unicode_address(address)
        shown.append(f"{display_name} <{spec}>" if display_name else spec)
    return ", ".join(shown)


def _body(parsed: EmailMessage, subtype: str) -> str:
    part = parsed.get_body(preferencelist=(subtype,))
    return str(part.get_content()) if part else ""
