"""Where a request comes from, as far as anybody's word about it can be trusted."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address, ip_network


def client_ip(forwarded_for: str, remote_addr: str, proxies: int) -> str | None:
    """The address of the browser behind `proxies` proxies of our own; None when nobody told.

    Each proxy adds the address it was called from at the right of X-Forwarded-For: as many entries from the
    right as there are proxies of our own can be client_ip; what stands further left, anybody can have written.
    """
    hops = [hop.strip() for hop in forwarded_for.split(",") if hop.strip()]
    told = hops[-min(proxies, len(hops))] if proxies > 0 and hops else ""
    return _address(told) or _address(remote_addr)


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
