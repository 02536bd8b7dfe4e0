"""System checks that refuse unsafe settings; each has an id, as partway.E001."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

_ORIGIN = re.compile(r"https?://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?", re.ASCII)
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


@register("partway")
def check_secret_key(**_: Any) -> list[CheckMessage]:
    """E001: payment links and gateway credentials are only as safe as the secret keys."""
    short = [
        Error(f"{name} is too short.", hint="Use at least 32 random characters.", id="partway.E001")
        for name, keys in (
            ("PARTWAY_SECRET_KEY", [settings.PARTWAY_SECRET_KEY]),
            # A token under a fallback key is valid too.
            ("A key of PARTWAY_SECRET_KEY_FALLBACKS", settings.SECRET_KEY_FALLBACKS),
        )
        for key in keys
        if len(key) < 32
    ]
    return list(short)


@register("partway")
def check_live_url(**_: Any) -> list[CheckMessage]:
    """E002: a live installation must be reached by HTTPS."""
    if not settings.PARTWAY_LIVE or settings.PARTWAY_URL.startswith("https://"):
        return []
    hint = "Set PARTWAY_URL to the https address customers use."
    return [Error("PARTWAY_LIVE is on, but PARTWAY_URL is not https.", hint=hint, id="partway.E002")]


@register("partway")
def check_open_url(**_: Any) -> list[CheckMessage]:
    """E003: the address is an origin and nothing more; plain HTTP is allowed on loopback addresses only."""
    url = urlsplit(settings.PARTWAY_URL)
    if not _ORIGIN.fullmatch(settings.PARTWAY_URL):
        hint = "Write scheme, host and port only, like https://pay.example.com."
        return [Error("PARTWAY_URL is not the address of a web server.", hint=hint, id="partway.E003")]
    if url.scheme == "https" or url.hostname in _LOOPBACK:
        return []
    hint = "Put a TLS proxy in front and set PARTWAY_URL to its https address."
    return [Error("PARTWAY_URL is plain http on an address others can reach.", hint=hint, id="partway.E003")]


@register("partway")
def check_proxy(**_: Any) -> list[CheckMessage]:
    """E004: Partway itself serves plain HTTP, so an https address needs a trusted proxy in front."""
    if not settings.PARTWAY_URL.startswith("https://") or settings.PARTWAY_TRUSTED_PROXIES > 0:
        return []
    hint = "Set PARTWAY_TRUSTED_PROXIES to how many proxies of yours pass a request on, usually 1."
    return [Error("PARTWAY_URL is https, but no proxy is trusted.", hint=hint, id="partway.E004")]
