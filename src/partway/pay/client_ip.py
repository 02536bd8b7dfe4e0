"""The payer's IP address, as far as proxies can be trusted to report it (DESIGN P8)."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest

from partway.lib.ip_addresses import client_ip


def payer_ip(request: HttpRequest) -> str | None:
    """Returns the address of the browser; None when it is unknown."""
    forwarded_for = request.META.get("HTTP_X_FORWARDED_FOR", "")
    return client_ip(forwarded_for, request.META.get("REMOTE_ADDR", ""), settings.PARTWAY_TRUSTED_PROXIES)
