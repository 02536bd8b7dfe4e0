"""Every gateway Partway knows, by code."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from partway.gateways.protocol import Gateway
from partway.gateways.sandbox import SandboxGateway

# A gateway is made from the address of its API and the credentials of one account.
GATEWAYS: dict[str, Callable[[str, Mapping[str, str]], Gateway]] = {
    "sandbox": SandboxGateway,
}


def open_gateway(code: str, credentials: Mapping[str, str], *, endpoints: Mapping[str, str]) -> Gateway:
    """The gateway `code` for one account; `endpoints` says where each gateway's API lives.

    Opening one is free, so do it per call. Raises KeyError for a code that is not registered.
    """
    return GATEWAYS[code](endpoints.get(code, ""), credentials)
