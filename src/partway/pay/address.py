"""Where a payer comes from, as far as we can trust anybody's word about it (DESIGN P8)."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest

from partway.lib.ip_addresses import client_ip


def payer_ip(http: HttpRequest) -> str | None:
    """The address of the browser; None when nobody told."""
    forwarded_for = http.META.get("HTTP_X_FORWARDED_FOR", "")
    return client_ip(forwarded_for, http.META.get("REMOTE_ADDR", ""), settings.PARTWAY_TRUSTED_PROXIES)
