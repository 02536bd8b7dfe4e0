"""Addresses that a customer is led back to: the one spelling that is compared and stored, and what a list allows.

An address of which two readers could think differently is refused, instead of being read as one of them: a browser,
the server behind it and this module must mean the same page.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

import idna

MAX_LENGTH = 1_000
_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
_DEFAULT_PORTS = {"https": "443", "http": "80"}

_URL = re.compile(r"(https?)://([^/?#]+)(/[^?#]*)?(\?[^#]*)?(#.*)?", re.IGNORECASE)
_HOST_AND_PORT = re.compile(r"(\[::1\]|[^:@\[\]%\\]+)(?::([1-9]\d{0,4}))?", re.ASCII)
# RFC 3986: everything else is written as an escape. A second # is none of these either.
_REST = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*")
# Servers and browsers resolve some of these, in one order or another.
_HIDDEN_IN_PATH = re.compile(r"%(?:2e|2f|5c|[01][0-9a-f]|7f)", re.IGNORECASE)
_DOTS = (".", "..")


class InvalidReturnUrl(ValueError):
    """The text is no address of a page that a customer can be led back to."""


def canonical(text: str, *, allows_loopback: bool) -> str:
    """Returns the address in its one spelling: scheme and host in lower case, a host in ASCII, no default port.

    allows_loopback: takes plain http, which is refused elsewhere, of this machine. Raises InvalidReturnUrl.
    """
    found = _URL.fullmatch(text)
    # A line feed at the end would pass `$`, and no character of a control code passes _REST.
    if found is None or len(text) > MAX_LENGTH:
        raise InvalidReturnUrl
    scheme, path, query, fragment = found[1].lower(), found[3] or "/", found[4] or "", found[5] or ""
    host, port = _host_and_port(found[2])
    if scheme == "http" and not (allows_loopback and host in _LOOPBACK):
        raise InvalidReturnUrl
    segments = [segment.partition(";")[0] for segment in path.split("/")]
    if _HIDDEN_IN_PATH.search(path) or "" in segments[1:-1] or any(dots in segments for dots in _DOTS):
        raise InvalidReturnUrl
    if not _REST.fullmatch(path + query + fragment[1:]):
        raise InvalidReturnUrl
    shown_port = f":{port}" if port and port != _DEFAULT_PORTS[scheme] else ""
    address = f"{scheme}://{host}{shown_port}{path}{query}{fragment}"
    if len(address) > MAX_LENGTH:
        raise InvalidReturnUrl
    return address


def _host_and_port(authority: str) -> tuple[str, str]:
    """Returns the host in ASCII and the port, empty without one; user names and passwords are refused."""
    found = _HOST_AND_PORT.fullmatch(authority)
    if found is None or int(found[2] or 1) > 65_535:
        raise InvalidReturnUrl
    host = found[1].lower()
    if host not in _LOOPBACK:
        try:
            host = idna.encode(host, uts46=True).decode("ascii")
        except UnicodeError as error:
            raise InvalidReturnUrl from error
    # With a dot at its end it is the same host by another name.
    if host.endswith("."):
        raise InvalidReturnUrl
    return host, found[2] or ""


def canonical_prefix(text: str, *, allows_loopback: bool) -> str:
    """Returns an entry of a list in its one spelling: a site, or a folder of it. Raises InvalidReturnUrl."""
    if "?" in text or "#" in text:
        raise InvalidReturnUrl
    return canonical(text, allows_loopback=allows_loopback)


def allowed(text: str, prefixes: Iterable[str], *, allows_loopback: bool) -> str:
    """Returns the one spelling of an address that is the page of an entry or one below it, else an empty text.

    prefixes: entries as `canonical_prefix` returns them.
    """
    try:
        url = canonical(text, allows_loopback=allows_loopback)
    except InvalidReturnUrl:
        return ""
    page = re.split("[?#]", url)[0]
    is_below = any(page == prefix or page.startswith(f"{prefix.rstrip('/')}/") for prefix in prefixes)
    return url if is_below else ""


def shown_host(url: str) -> str:
    """Returns host and port of a canonical address as people read them."""
    host, colon, port = urlsplit(url).netloc.partition(":")
    try:
        return f"{idna.decode(host)}{colon}{port}"
    except UnicodeError:
        return urlsplit(url).netloc
