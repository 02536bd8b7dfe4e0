"""Every gateway Partway knows, by the code that is stored with each gateway account."""

from __future__ import annotations

from collections.abc import Mapping

from .definition import GatewayDefinition
from .protocol import Gateway, Refused
from .sandbox import SANDBOX
from .stripe import STRIPE

GATEWAYS: dict[str, GatewayDefinition] = {
    "sandbox": SANDBOX,
    "stripe": STRIPE,
}

# The gateway that the demo, the tour and the seed connect.
DEMO_GATEWAY = "sandbox"


def available_gateways(*, live: bool) -> dict[str, GatewayDefinition]:
    """Returns the gateways that can be connected here; on a live installation only those that move money."""
    return {code: gateway for code, gateway in GATEWAYS.items() if gateway.moves_money or not live}


def open_gateway(
    code: str, credentials: Mapping[str, str], *, urls: Mapping[str, str], live: bool = False
) -> Gateway:
    """Returns the gateway `code` for one account; `urls` has the address of each gateway's API.

    Makes no network call, so a caller can open one for each use. Raises Refused for a test gateway on a `live`
    installation, KeyError for a code that is not registered.
    """
    gateway = GATEWAYS[code]
    if live and not gateway.moves_money:
        message = f"The gateway {code} moves no money, and this installation is live."
        raise Refused("test_gateway_when_live", message)
    return gateway.open(urls.get(code, ""), credentials)


def find_test_gateway(url: str, *, urls: Mapping[str, str]) -> GatewayDefinition | None:
    """Returns the gateway at this address if it is one that moves no money."""
    test_gateways = ((code, gateway) for code, gateway in GATEWAYS.items() if not gateway.moves_money)
    return next((gateway for code, gateway in test_gateways if urls.get(code) == url), None)
