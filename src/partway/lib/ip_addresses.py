"""The IP address of a browser, read from headers that only trusted proxies wrote."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network


def client_ip(forwarded_for: str, remote_addr: str, proxies: int) -> str | None:
    """Returns the address of the browser behind `proxies` trusted proxies, or None if no header holds one.

    Each proxy appends the address of its caller to X-Forwarded-For, so only as many entries from the right as there are
    trusted proxies can be trusted; a browser can have sent the others.
    """
    hops = [hop.strip() for hop in forwarded_for.split(",") if hop.strip()]
    client = hops[-min(proxies, len(hops))] if proxies > 0 and hops else ""
    return _address(client) or _address(remote_addr)


def is_in_networks(address: str, networks: Sequence[str]) -> bool:
    """Returns whether an address from `client_ip` is in one of the networks, as "10.0.0.0/8" or "2001:db8::1".

    Of IPv6 the /64 decides, since `client_ip` knows no more. Raises ValueError for a text that is no network.
    """
    return any(ip_address(address) in network for network in map(_network, networks))


def _network(text: str) -> IPv4Network | IPv6Network:
    network = ip_network(text.strip(), strict=False)
    is_narrow = network.version == 6 and network.prefixlen > 64
    return network.supernet(new_prefix=64) if is_narrow else network


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
