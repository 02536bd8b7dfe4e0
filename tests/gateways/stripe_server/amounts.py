"""The amounts that Stripe accepts: the least by the currency of settlement, the step by the currency paid.

Source: https://docs.stripe.com/currencies (minimum and maximum charge amounts, zero-decimal and three-decimal
currencies, special cases). Kept apart from the table of the adapter, so that the tests compare two readings.
"""

from __future__ import annotations

from .company import Account
from .errors import invalid

# In the smallest unit that the API takes.
MINIMUM = {
    "aed": 200,
    "aud": 50,
    "bgn": 100,
    "brl": 50,
    "cad": 50,
    "chf": 50,
    "czk": 1500,
    "dkk": 250,
    "eur": 50,
    "gbp": 30,
    "hkd": 400,
    "huf": 17500,
    "inr": 50,
    "jpy": 50,
    "mxn": 1000,
    "myr": 200,
    "nok": 300,
    "nzd": 50,
    "pln": 200,
    "ron": 200,
    "sek": 300,
    "sgd": 50,
    "thb": 1000,
    "usd": 50,
}
MAXIMUM = 99_999_999  # eight digits

ZERO_DECIMAL = frozenset(
    {
        *("bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga"),
        *("pyg", "rwf", "vnd", "vuv", "xaf", "xof", "xpf"),
    }
)
THREE_DECIMAL = frozenset({"bhd", "jod", "kwd", "omr", "tnd"})
TWO_DECIMALS_FOR_NONE = frozenset({"isk", "ugx"})  # two decimals in the API, and both must be zero
WHOLE_PAYOUTS = frozenset({"huf", "twd"})

UNSUPPORTED = frozenset({"byr", "cup", "iqd", "irr", "kpw", "lyd", "mru", "sdg", "ssp", "syp", "tmt", "ves"})

# The currencies of methods that take only some.
CURRENCIES_OF = {"us_bank_account": {"usd"}, "sepa_debit": {"eur"}, "cashapp": {"usd"}, "alma": {"eur"}}


def step(currency: str) -> int:
    if currency in TWO_DECIMALS_FOR_NONE:
        return 100
    return 10 if currency in THREE_DECIMAL else 1


def check_amount(account: Account, amount: int, currency: str, *, param: str, what: str = "Amount") -> None:
    """Raises the error of an amount that cannot be charged; `what` names it in the message."""
    if len(currency) != 3 or not currency.isalpha() or currency in UNSUPPORTED:
        raise invalid(f"Invalid currency: {currency}.", param="currency")
    if amount > MAXIMUM:
        raise invalid(
            f"Amount must be no more than {written(MAXIMUM, currency)}", code="amount_too_large", param=param
        )
    if amount % step(currency):
        raise invalid(
            f"Invalid amount: {amount}. Amounts in {currency} must be divisible by {step(currency)}.",
            code="invalid_charge_amount",
            param=param,
        )
    settled, rate = settlement(account, currency)
    if round(amount * rate) < MINIMUM.get(settled, 50):
        least, converted = MINIMUM.get(settled, 50), round(amount * rate)
        raise invalid(
            f"{what} must convert to at least {written(least, settled)}. {written(amount, currency)} converts to "
            f"approximately {written(converted, settled)}.",
            code="amount_too_small",
        )


def settlement(account: Account, currency: str) -> tuple[str, float]:
    """Returns the currency that an amount is settled in and the rate: its own unless the account converts it."""
    settled, rate = account.settings.get("converts", {}).get(currency, (currency, 1.0))
    return str(settled), float(rate)


def written(amount: int, currency: str) -> str:
    decimals = 0 if currency in ZERO_DECIMAL else 3 if currency in THREE_DECIMAL else 2
    return f"{amount / 10**decimals:.{decimals}f} {currency.upper()}"
