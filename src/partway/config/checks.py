"""Refuses settings under which money or links would not be safe."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


@register("partway")
def check_secret_key(**_: Any) -> list[CheckMessage]:
    """Links and credentials are only as safe as this key."""
    if len(settings.PARTWAY_SECRET_KEY) >= 32:
        return []
    return [
        Error(
            "PARTWAY_SECRET_KEY is too short.", hint="Use at least 32 random characters.", id="partway.E001"
        )
    ]


@register("partway")
def check_live_url(**_: Any) -> list[CheckMessage]:
    """A live installation speaks HTTPS to its customers."""
    if not settings.PARTWAY_LIVE or settings.PARTWAY_URL.startswith("https://"):
        return []
    hint = "Set PARTWAY_URL to the https address customers use."
    return [Error("PARTWAY_LIVE is on, but PARTWAY_URL is not https.", hint=hint, id="partway.E002")]


@register("partway")
def check_open_url(**_: Any) -> list[CheckMessage]:
    """Plain HTTP is for the loopback addresses only."""
    url = urlsplit(settings.PARTWAY_URL)
    if url.scheme == "https" or url.hostname in _LOOPBACK:
        return []
    hint = "Put a TLS proxy in front and set PARTWAY_URL to its https address."
    return [Error("PARTWAY_URL is plain http on an address others can reach.", hint=hint, id="partway.E003")]
