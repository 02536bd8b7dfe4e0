"""Names of gateways within sentences, translated; billing's errors carry the gateway's code."""

from __future__ import annotations

from django.utils.translation import gettext

from partway.gateways.registry import GATEWAYS


def gateway_phrase(code: str) -> str:
    """Returns the gateway within a sentence: "the sandbox"."""
    return gettext(GATEWAYS[code].phrase)


def gateway_at_start(code: str) -> str:
    """Returns the gateway at the start of a sentence: "The sandbox"."""
    phrase = gateway_phrase(code)
    return phrase[:1].upper() + phrase[1:]


def gateway_params(code: str) -> dict[str, str]:
    """Returns what a sentence about a gateway can name."""
    return {
        "gateway": gateway_phrase(code),
        "gateway_at_start": gateway_at_start(code),
        "gateway_help": gettext(GATEWAYS[code].unreachable_help),
    }
