"""Platforms: the operator's own account at a gateway, by which organizations connect without keys of their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import NamedTuple

from partway.lib.money import EXPONENTS, MAX_AMOUNT_MINOR, Money, round_half_up

from .protocol import Gateway, VerifiedCallback

_HUNDRED = 100


@dataclass(frozen=True, slots=True)
class ApplicationFee:
    """The fee that the operator takes of each online payment: a percentage, and an amount in the payment's currency."""

    percent: Decimal = Decimal(0)
    amounts: Mapping[str, int] = field(
        default_factory=dict
    )  # minor units by currency; none where it is not named

    def of(self, amount: Money, step: int) -> Money:
        """Returns the fee of a payment: never more than its amount, and a multiple of `step` minor units."""
        share = round_half_up(self.percent * amount.amount_minor / _HUNDRED)
        wanted = min(share + self.amounts.get(amount.currency, 0), amount.amount_minor)
        # Down, because what a gateway cannot express must not cost the business more than was agreed.
        return Money(wanted - wanted % step, amount.currency)


@dataclass(frozen=True, slots=True)
class Platform:
    """The operator's account at one gateway, from the settings; `secrets` sign the callbacks of its endpoint."""

    key: str
    secrets: tuple[str, ...] = ()  # several while one replaces another
    fee: ApplicationFee = ApplicationFee()


class PlatformCallback(NamedTuple):
    """A verified callback of the platform's endpoint: the account that it is about, and whether it moves money."""

    account_ref: str  # empty for one of the operator's own account
    is_live: bool
    callback: VerifiedCallback


class Onboarding(NamedTuple):
    """A business for which an account is made at the gateway; the gateway asks for the rest. `key` is idempotent."""

    key: str
    country: str  # ISO 3166
    email: str
    name: str


@dataclass(frozen=True, slots=True)
class PlatformDefinition:
    """How organizations connect to a gateway by a platform. Each function but the readers calls the gateway.

    They are given the URL of the API and raise Refused or OutcomeUnknown.
    """

    # The credentials of a new account; they hold no secret, for the platform's key opens every account.
    create_account: Callable[[str, Platform, Onboarding], dict[str, str]]
    # A URL at the gateway that works for some minutes, where the owner answers what the gateway asks; it sends the
    # browser to the first URL at the end, and to the second where it has expired: url, platform, credentials, both.
    onboarding_url: Callable[[str, Platform, Mapping[str, str], str, str], str]
    open: Callable[[str, Platform, Mapping[str, str]], Gateway]
    # Raises BadCallback: platform, body, headers, now.
    read_callback: Callable[[Platform, bytes, Mapping[str, str], datetime], PlatformCallback]
    is_connected_by: Callable[[Mapping[str, str]], bool]  # whether these credentials are of such an account
    is_test_key: Callable[[str], bool]
    # Makes the endpoint of all accounts' callbacks and returns its signing secret: url, platform, callback URL.
    create_endpoint: Callable[[str, Platform, str], str]
    countries: tuple[str, ...]  # in which the gateway opens accounts


def read_platform(key: str, secrets: Sequence[str], percent: str, amounts: Mapping[str, str]) -> Platform:
    """Returns the platform of these settings; raises ValueError with a sentence for a fee that cannot be meant."""
    try:
        parsed = Decimal(percent or "0")
        is_percentage = 0 <= parsed < _HUNDRED  # which raises for one that is not a number
    except InvalidOperation as error:
        raise ValueError(f"{percent} is no percentage") from error
    if not is_percentage:
        raise ValueError(f"{percent} is not a percentage below 100")
    fixed = {}
    for currency, typed in amounts.items():
        if currency not in EXPONENTS:
            raise ValueError(f"{currency} is no currency")
        try:
            minor = Decimal(typed).scaleb(EXPONENTS[currency])
            is_whole = minor == minor.to_integral_value()
        except InvalidOperation as error:
            raise ValueError(f"{typed} is no amount in {currency}") from error
        if not (is_whole and 0 <= minor <= MAX_AMOUNT_MINOR):
            raise ValueError(f"{typed} is no amount in {currency}")
        fixed[currency] = int(minor)
    return Platform(key, tuple(secrets), ApplicationFee(parsed, fixed))
