"""Where a payer comes from, as far as we can trust anybody's word about it (DESIGN P8)."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest


def payer_address(http: HttpRequest) -> str | None:
    """The address of the browser; None when nobody told.

    Each proxy adds the address it was called from at the right of X-Forwarded-For: as many entries from the
    right as there are proxies of our own can be believed; what stands further left, anybody can have written.
    """
    proxies: int = settings.PARTWAY_TRUSTED_PROXIES
    hops = [hop.strip() for hop in http.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if hop.strip()]
    believed = hops[-min(proxies, len(hops))] if proxies > 0 and hops else ""
    return _address(believed) or _address(http.META.get("REMOTE_ADDR", ""))


def _address(text: str) -> str | None:
    """`text` as one spelling of an address: without brackets or port, IPv4 as IPv4, IPv6 as its /64."""
    bare = text.partition("]")[0].removeprefix("[")
    if bare.count(":") == 1:  # 203.0.113.7:4711
        bare = bare.partition(":")[0]
    try:
        address = ip_address(bare.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and not address.ipv4_mapped:
        # A household has a whole /64 to choose addresses from, so that is what is counted.
        return str(ip_network((address, 64), strict=False).network_address)
    return str(getattr(address, "ipv4_mapped", None) or address)
