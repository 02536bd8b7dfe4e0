"""The IP address of a browser, read from headers that only trusted proxies wrote."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address, ip_network


def client_ip(forwarded_for: str, remote_addr: str, proxies: int) -> str | None:
    """Returns the address of the browser behind `proxies` trusted proxies, or None if no header holds one.

    Each proxy appends the address of its caller to X-Forwarded-For, so only as many entries from the right as there are
    trusted proxies can be trusted; a browser can have sent the others.
    """
    hops = [hop.strip() for hop in forwarded_for.split(",") if hop.strip()]
    client = hops[-min(proxies, len(hops))] if proxies > 0 and hops else ""
    return _address(client) or _address(remote_addr)


def _address(text: str) -> str | None:
    """Returns the address without brackets and port: IPv4 as IPv4, IPv6 as its /64; None for anything else."""
    bare = text.partition("]")[0].removeprefix("[")
    if bare.count(":") == 1:  # 203.0.113.7:4711
        bare = bare.partition(":")[0]
    try:
        address = ip_address(bare.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and not address.ipv4_mapped:
        # One household has a whole /64 to choose addresses from, so limits count the /64.
        return str(ip_network((address, 64), strict=False).network_address)
    return str(getattr(address, "ipv4_mapped", None) or address)
