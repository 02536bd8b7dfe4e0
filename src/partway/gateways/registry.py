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

_REFUSALS = {
    "test_gateway_when_live": "The account at %s moves no money, and this installation is live.",
    "live_account_when_not_live": "The account at %s moves real money, and this installation is not marked live.",
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

    Makes no network call, so a caller can open one for each use. Raises Refused for an account that this installation
    must not use (`GatewayDefinition.refusal`), KeyError for a code that is not registered.
    """
    gateway = GATEWAYS[code]
    if refusal := gateway.refusal(credentials, live=live):
        raise Refused(refusal, _REFUSALS[refusal] % code)
    return gateway.open(urls.get(code, ""), credentials)
