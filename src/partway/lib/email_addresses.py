"""Mail addresses: the one spelling that is stored and shown, and the one that is sent.

A domain is stored in Unicode (`müller.example`) and sent in ASCII (`xn--mller-kva.example`), by IDNA 2008 with the
mapping of UTS 46, as browsers do. The part before the @ is ASCII: another one needs SMTPUTF8 (RFC 6531) at every mail
server on the way, and one without it returns the mail after we have seen it accepted.
"""

from __future__ import annotations

import re
from functools import lru_cache
from operator import gt

import idna

MAX_LENGTH = 254  # RFC 5321 allows 256 octets for a path, its angle brackets included
_MAX_LOCAL_PART = 64  # RFC 5321, section 4.5.3.1.1
_MAX_DOMAIN = 253
_LOCAL_PART = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*", re.ASCII)

# Each booking compares the addresses of its mails, and most are of few domains.
_encode = lru_cache(maxsize=4096)(idna.encode)
_decode = lru_cache(maxsize=4096)(idna.decode)

# A name without a dot is one of the local network, and one whose last part is a number is an IP address.
_PUBLIC_DOMAIN = re.compile(r"localhost|.+\.(?!\d+\Z)[^.]{2,}")


class InvalidAddress(ValueError):
    """The text is no mail address that every mail server takes; `reason` says what is wrong with it.

    One of missing, form (no name, @ and domain), local_part (letters other than ASCII before the @), domain, length.
    """

    def __init__(self, text: str, reason: str) -> None:
        super().__init__(f"{text[:80]!r} is no mail address ({reason})")
        self.text = text
        self.reason = reason


def normalize_address(text: str) -> str:
    """Returns the address as it is stored and shown: the domain in Unicode and lower case. Raises InvalidAddress.

    Two spellings of one domain have one result. The part before the @ stays as typed: only its own server may say
    that case makes no difference. Quoted local parts and domains in brackets are refused, since services refuse them.
    """
    local_part, domain = _split(text)
    return f"{local_part}@{_decode(domain)}"


def ascii_address(text: str) -> str:
    """Returns the address as it is sent, for the envelope and for headers. Raises InvalidAddress."""
    return "@".join(_split(text))


def unicode_address(text: str) -> str:
    """Returns the address as people read it; text that is no valid address, as of a mail server's reply, unchanged."""
    try:
        return normalize_address(text)
    except InvalidAddress:
        return text


def same_address(one: str, other: str) -> bool:
    """Whether both are one mailbox at every server in use, none of which distinguishes case."""
    return unicode_address(one).casefold() == unicode_address(other).casefold()


def distinct_addresses(*addresses: str) -> list[str]:
    """Returns the addresses without repeats and without empty ones, each in its first spelling."""
    by_mailbox: dict[str, str] = {}
    for address in filter(None, addresses):
        by_mailbox.setdefault(unicode_address(address).casefold(), address)
    return list(by_mailbox.values())


def _split(text: str) -> tuple[str, str]:
    """Returns the local part and the domain in ASCII."""
    text = text.strip()
    # Before anything is encoded, which takes longer the longer a label is.
    if len(text) > MAX_LENGTH:
        raise InvalidAddress(text, "length")
    local_part, _at, domain = text.rpartition("@")
    if not local_part or not domain:
        raise InvalidAddress(text, "form" if text else "missing")
    if not _LOCAL_PART.fullmatch(local_part):
        raise InvalidAddress(text, "form" if local_part.isascii() else "local_part")
    try:
        encoded = _encode(domain, uts46=True).decode("ascii")
    except UnicodeError as error:
        raise InvalidAddress(text, "domain") from error
    if not _PUBLIC_DOMAIN.fullmatch(encoded):
        raise InvalidAddress(text, "domain")
    lengths = (len(local_part), len(encoded), len(local_part) + 1 + len(encoded))
    if any(map(gt, lengths, (_MAX_LOCAL_PART, _MAX_DOMAIN, MAX_LENGTH))):
        raise InvalidAddress(text, "length")
    return local_part, encoded
