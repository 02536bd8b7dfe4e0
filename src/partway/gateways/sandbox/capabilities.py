"""Payment methods, currencies and amounts that the sandbox takes."""

from __future__ import annotations

from partway.lib.money import EXPONENTS

# Least amount and step in minor units, by the currency's number of decimals. The last digit of a three-decimal amount
# must be 0: card networks carry two decimals, and real gateways demand the same.
_MINIMUM = {0: 50, 2: 50, 3: 100}
_STEP = {0: 1, 2: 1, 3: 10}


class SandboxCapabilities:
    """Fulfills `protocol.Capabilities`."""

    methods: tuple[str, ...] = ("card", "bank_debit")
    currencies = frozenset(EXPONENTS)

    def authorizes(self, method: str) -> bool:
        """A card is authorized first; a bank debit is taken as soon as the customer agrees."""
        return method == "card"

    def success_is_final(self, method: str) -> bool:
        """A card's bank has paid when it is captured; the bank of a debit may return it for weeks."""
        return method == "card"

    def minimum(self, currency: str) -> int:
        """Returns the least amount, in minor units."""
        return _MINIMUM[EXPONENTS[currency]]

    def step(self, currency: str) -> int:
        """Returns the number of minor units that an amount must be a multiple of."""
        return _STEP[EXPONENTS[currency]]
