"""Tells the addresses of the public internet from those inside a network, which no stranger's URL may reach.

The ranges are those of IANA's special-purpose registries. An address that stands for an IPv4 one is judged by that.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

# Python's own judgement of some of these has changed between its versions.
_NOT_PUBLIC = [
    ip_network(text)
    for text in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15"),
        *("198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
        *("::/8", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "3fff::/20", "5f00::/16"),
        *("fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8"),
    )
]
_NAT64 = ip_network("64:ff9b::/96")


def is_public(address: str) -> bool:
    """Returns whether an address, without a zone, belongs to the public internet; raises ValueError for no address."""
    return not any(one in network for one in _meanings(address) for network in _NOT_PUBLIC)


def is_in(address: str, networks: Sequence[str]) -> bool:
    """Returns whether each meaning of an address is in one of these networks, as "10.0.0.0/8" or "::1"."""
    allowed = [ip_network(text.strip(), strict=False) for text in networks]
    return all(any(one in network for network in allowed) for one in _meanings(address))


def _meanings(address: str) -> Iterator[IPv4Address | IPv6Address]:
    """Returns the IPv4 address that a mapped or translated one stands for, else the address itself."""
    given = ip_address(address)
    if isinstance(given, IPv4Address):
        yield given
    elif given.ipv4_mapped:
        yield given.ipv4_mapped
    elif given in _NAT64:
        yield IPv4Address(int(given) & 0xFFFFFFFF)
    elif given.sixtofour:  # a router of 6to4 sends it to the IPv4 address
        yield from (given, given.sixtofour)
    else:
        yield given
