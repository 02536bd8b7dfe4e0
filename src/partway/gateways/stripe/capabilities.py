"""Payment methods, currencies and amounts that Stripe takes, as far as Partway uses them; known without a call."""

from __future__ import annotations

from dataclasses import dataclass

from . import amounts


@dataclass(frozen=True, slots=True)
class Method:
    """One payment method of Stripe: whether it holds the money first, whether a success is final, and its currencies.

    Empty `currencies` means all that Stripe presents. An entry is here only when its money can be followed to its end:
    a voucher that is paid in a shop days later is none.
    """

    authorizes: bool = True
    is_final: bool = True
    is_debit: bool = False
    currencies: frozenset[str] = frozenset()

    def takes(self, currency: str) -> bool:
        """Returns whether a checkout in this currency can offer it."""
        return currency in (self.currencies or amounts.CURRENCIES)


def _one(currencies: str, **details: bool) -> Method:
    return Method(currencies=frozenset(currencies.split()), **details)


# By Stripe's name of it. Manual capture of a method in Checkout: API 2025-09-30 and later.
METHODS: dict[str, Method] = {
    "card": Method(),  # with the wallets of Apple and Google
    "link": Method(),
    "affirm": _one("USD CAD"),
    "afterpay_clearpay": _one("AUD CAD GBP NZD USD"),
    "alma": _one("EUR"),
    "amazon_pay": _one("AUD CHF DKK EUR GBP HKD JPY NOK NZD SEK USD ZAR"),
    "billie": _one("EUR GBP SEK"),
    "cashapp": _one("USD"),
    "klarna": _one("AUD CAD CHF CZK DKK EUR GBP NOK NZD PLN RON SEK USD"),
    "mobilepay": _one("DKK EUR NOK SEK"),
    "revolut_pay": _one("EUR GBP RON HUF PLN DKK"),
    "satispay": _one("EUR"),
    # The bank moves the money as soon as the customer agrees, and may take it back for weeks.
    "au_becs_debit": _one("AUD", authorizes=False, is_final=False, is_debit=True),
    "bacs_debit": _one("GBP", authorizes=False, is_final=False, is_debit=True),
    "sepa_debit": _one("EUR", authorizes=False, is_final=False, is_debit=True),
    "us_bank_account": _one("USD", authorizes=False, is_final=False, is_debit=True),
    # A transfer that the customer confirms at the bank: taken at once, and no bank returns it.
    "bancontact": _one("EUR", authorizes=False),
    "blik": _one("PLN", authorizes=False),
    "eps": _one("EUR", authorizes=False),
    "ideal": _one("EUR", authorizes=False),
    "p24": _one("EUR PLN", authorizes=False),
    "twint": _one("CHF", authorizes=False),
}
# What our pages and books call every kind of debit.
BANK_DEBIT = "bank_debit"


def our_name(method: str) -> str:
    """Returns what a payment by this method of Stripe is called here."""
    return BANK_DEBIT if method in METHODS and METHODS[method].is_debit else method


class StripeCapabilities:
    """Fulfills `protocol.Capabilities`; a method is named as Stripe does, or as `our_name` does."""

    methods: tuple[str, ...] = tuple(METHODS)
    currencies = amounts.CURRENCIES

    def authorizes(self, method: str) -> bool:
        """Returns whether a method holds the money until it is captured."""
        return method in METHODS and METHODS[method].authorizes

    def success_is_final(self, method: str) -> bool:
        """Returns whether the customer's bank can no longer return it; not of a method that is not in the table."""
        return method in METHODS and METHODS[method].is_final

    def minimum(self, currency: str) -> int:
        """Returns the least amount, in minor units; one that cannot be charged at all has one too."""
        return amounts.minimum(currency)

    def step(self, currency: str) -> int:
        """Returns the number of minor units that an amount must be a multiple of."""
        return amounts.step(currency)
