"""Computes lines, discount, tax and total of a document in exact integers and decimals (DESIGN M1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from partway.lib.money import round_half_up


@dataclass(frozen=True, slots=True)
class LineAmount:
    """The part of a line that totals need: its amount in minor units and its tax percent."""

    amount_minor: int
    tax_percent: Decimal


@dataclass(frozen=True, slots=True)
class Totals:
    """A document's totals in minor units; total = subtotal − discount + tax."""

    subtotal_minor: int
    discount_minor: int
    tax_minor: int

    @property
    def total_minor(self) -> int:
        """The amount that the customer owes for the whole document."""
        return self.subtotal_minor - self.discount_minor + self.tax_minor


@dataclass(frozen=True, slots=True)
class TaxRateAmount:
    """The tax of one rate in minor units; `taxable_minor` is after the discount."""

    tax_percent: Decimal
    taxable_minor: int
    tax_minor: int


def line_amount(quantity: Decimal, unit_amount_minor: int) -> int:
    """Returns quantity times unit amount in minor units, rounded half up once."""
    # Half up is how an invoice is checked by hand; round() would send 0.5 to the even neighbor.
    return round_half_up(quantity * unit_amount_minor)


def percent_of(amount_minor: int, percent: Decimal) -> int:
    """Returns a percentage of an amount in minor units, rounded half up."""
    return round_half_up(Decimal(amount_minor) * percent / 100)


def split_by_weight(amount_minor: int, weights: Sequence[int]) -> list[int]:
    """Splits an amount by weight without losing a unit: floors first, then one each by largest remainder."""
    whole = sum(weights)
    if whole == 0:
        return [0] * len(weights)
    shares = [amount_minor * weight // whole for weight in weights]
    # Ties go to the earlier line: the same document always splits in the same way, and verify recomputes it (M6).
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(amount_minor * weights[i] % whole), i))
    for index in by_remainder[: amount_minor - sum(shares)]:
        shares[index] += 1
    return shares


def tax_by_rate(lines: Sequence[LineAmount], discount_minor: int) -> list[TaxRateAmount]:
    """Returns the tax of each rate, in the order of the lines.

    The discount is split over the lines by their amounts; each rate is rounded once, on its sum.
    """
    amounts = [line.amount_minor for line in lines]
    # Tax is summed and rounded per rate, as it is declared; rounded per line, the errors would grow with the
    # lines.
    taxable: dict[Decimal, int] = {}
    for line, share in zip(lines, split_by_weight(min(discount_minor, sum(amounts)), amounts), strict=True):
        taxable[line.tax_percent] = taxable.get(line.tax_percent, 0) + line.amount_minor - share
    return [TaxRateAmount(rate, amount, percent_of(amount, rate)) for rate, amount in taxable.items()]


def totals(lines: Sequence[LineAmount], discount_minor: int) -> Totals:
    """Returns a document's totals; a discount is at most the subtotal."""
    subtotal = sum(line.amount_minor for line in lines)
    tax = sum(rate.tax_minor for rate in tax_by_rate(lines, discount_minor))
    return Totals(subtotal, min(discount_minor, subtotal), tax)
