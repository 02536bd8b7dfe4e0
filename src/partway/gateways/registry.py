"""Every gateway Partway knows, by the code that is stored with each gateway account."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from .definition import GatewayDefinition
from .platform import Platform
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

_NO_PLATFORMS: Mapping[str, Platform] = MappingProxyType({})

# The gateway that the demo, the tour and the seed connect.
DEMO_GATEWAY = "sandbox"


def available_gateways(*, live: bool) -> dict[str, GatewayDefinition]:
    """Returns the gateways that can be connected here; on a live installation only those that move money."""
    return {code: gateway for code, gateway in GATEWAYS.items() if gateway.moves_money or not live}


def open_gateway(
    code: str,
    credentials: Mapping[str, str],
    *,
    urls: Mapping[str, str],
    platforms: Mapping[str, Platform] = _NO_PLATFORMS,
    live: bool = False,
) -> Gateway:
    """Returns the gateway `code` for one account; `urls` has the address of each gateway's API.

    `platforms` has the operator's account at each gateway, which opens the accounts that it connected.

    Makes no network call, so a caller can open one for each use. Raises Refused for an account that this installation
    must not use (`GatewayDefinition.refusal`), KeyError for a code that is not registered.
    """
    gateway = GATEWAYS[code]
    if refusal := gateway.refusal(credentials, live=live):
        raise Refused(refusal, _REFUSALS[refusal] % code)
    if gateway.platform is None or not gateway.platform.is_connected_by(credentials):
        return gateway.open(urls.get(code, ""), credentials)
    platform = platforms.get(code)
    if platform is None:
        raise Refused(
            "platform_missing", f"The operator of this installation has no platform at {code} any more."
        )
    if gateway.platform.is_test_key(platform.key) is gateway.account_moves_money(credentials):
        raise Refused(
            "platform_of_another_mode", f"The platform at {code} is of another mode than this account."
        )
    return gateway.platform.open(urls.get(code, ""), platform, credentials)
