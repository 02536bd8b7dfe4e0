"""Amounts in the units of Stripe's API, which are not ISO's for each currency; the least and the step of each.

Source: docs.stripe.com/currencies as of November 2026, the sections on presentment currencies, zero-decimal currencies,
special cases (payouts too), three-decimal currencies, and minimum charge amounts.
"""

from __future__ import annotations

from partway.lib.money import EXPONENTS, MAX_AMOUNT_MINOR, Money

from ..protocol import Refused

# Currencies that Stripe does not present, of those that Partway knows.
_NOT_PRESENTED = "BTN CUP ERN GHS IQD IRR KPW LYD MRU SDG SSP STN SVC SYP TMT VES ZWG"
CURRENCIES = frozenset(EXPONENTS) - frozenset(_NOT_PRESENTED.split())

# Without decimals there and with two in ISO 4217: an ariary has five iraimbilanja, which no amount uses.
_WHOLE_UNITS = frozenset({"MGA"})
# Without decimals in ISO 4217, and sent with two zeros that Stripe keeps for backward compatibility.
_PADDED = frozenset({"ISK", "UGX"})
_HUNDRED = 100
# Paid with two decimals, and paid out in whole units: what is left of a unit waits in the balance.
_PAID_OUT_WHOLE = frozenset({"HUF", "TWD"})
# Card networks carry two decimals, so the third one of a dinar must be 0.
_THREE_DECIMALS = 3
_STEP_OF_THREE_DECIMALS = 10

# In minor units of ISO 4217. Stripe documents the least amount by the currency in which an account settles; another
# currency has to be worth as much after the exchange, which only Stripe knows, and then it refuses the start.
_MINIMUM = {
    "AED": 200,
    "AUD": 50,
    "BRL": 50,
    "CAD": 50,
    "CHF": 50,
    "CZK": 1500,
    "DKK": 250,
    "EUR": 50,
    "GBP": 30,
    "HKD": 400,
    "HUF": 17_500,
    "INR": 50,
    "JPY": 50,
    "MXN": 1000,
    "MYR": 200,
    "NOK": 300,
    "NZD": 50,
    "PLN": 200,
    "RON": 200,
    "SEK": 300,
    "SGD": 50,
    "THB": 1000,
    "USD": 50,
}
# Not documented, for no account settles in them: our estimate of about fifty cents of a dollar, so that a member is
# told before a customer is refused. Only their step is Stripe's (0066).
_ESTIMATED_MINIMUM = {
    "BHD": 200,
    "JOD": 400,
    "KWD": 200,
    "OMR": 250,
    "TND": 2000,
}


def minimum(currency: str) -> int:
    """Returns the least amount in minor units; one step where Stripe documents none and we know of none."""
    return {**_ESTIMATED_MINIMUM, **_MINIMUM}.get(currency, step(currency))


def step(currency: str) -> int:
    """Returns the number of minor units that an amount must be a multiple of."""
    if currency in _WHOLE_UNITS:
        return _HUNDRED
    return _STEP_OF_THREE_DECIMALS if EXPONENTS[currency] == _THREE_DECIMALS else 1


def payout_step(currency: str) -> int:
    """Returns the number of minor units that a payout is a multiple of; 1 where Stripe documents no rule for them."""
    return _HUNDRED if currency in _PAID_OUT_WHOLE else 1


def to_stripe(amount: Money) -> int:
    """Returns the integer that Stripe's API takes for this amount.

    Raises Refused, without a call, for what the API cannot express or refuses by its documented limits.
    """
    currency = amount.currency
    if currency not in CURRENCIES:
        raise Refused("currency_not_supported", f"Stripe takes no {currency}.")
    if amount.amount_minor < minimum(currency):
        least = Money(minimum(currency), currency)
        raise Refused("amount_too_small", f"Stripe takes no less than {least} at once.")
    return _units(amount)


def part_to_stripe(amount: Money) -> int:
    """Returns the integer for a part of a payment, as of a refund: it may be below the minimum. Raises Refused."""
    return _units(amount)


def _units(amount: Money) -> int:
    currency = amount.currency
    if amount.amount_minor % step(currency):
        raise Refused("amount_not_divisible", f"Stripe takes multiples of {Money(step(currency), currency)}.")
    if currency in _WHOLE_UNITS:
        return amount.amount_minor // _HUNDRED
    return amount.amount_minor * _HUNDRED if currency in _PADDED else amount.amount_minor


def from_stripe(units: object, currency: object) -> Money:
    """Returns the amount that Stripe means by `units` of its lower-case `currency`; it may be below zero.

    Raises ValueError for what is no amount, or is one that our minor units cannot hold: it is never rounded (M4).
    """
    if type(units) is not int or not isinstance(currency, str):
        raise ValueError(f"{units!r} of {currency!r} is not an amount")
    code = currency.upper()
    if code in _PADDED:
        units, rest = divmod(units, _HUNDRED)
        if rest:
            raise ValueError(f"{code} has no decimals")
    elif code in _WHOLE_UNITS:
        units *= _HUNDRED
    if abs(units) > MAX_AMOUNT_MINOR:
        raise ValueError(f"{units} is not an amount")
    return Money(units, code)
