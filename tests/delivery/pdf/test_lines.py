"""The rows under the lines: they add up, and name the taxable amount of each tax rate."""

from __future__ import annotations

from decimal import Decimal

from partway.delivery.pdf.content import Line, Row
from partway.delivery.pdf.lines import totals
from tests.delivery.pdf.sample_documents import usd


def _line(minor: int, percent: str) -> Line:
    return Line("Work", Decimal(1), usd(minor), Decimal(percent), usd(minor))


def _rows(lines: list[Line], total: int, discount: int = 0, percent: Decimal | None = None) -> list[Row]:
    return list(totals(lines, discount=usd(discount), discount_percent=percent, total=usd(total)))


def test_totals_without_tax_and_discount_are_one_row() -> None:
    assert _rows([_line(500, "0")], 500) == [Row("Total", usd(500), strong=True)]


def test_totals_have_one_row_per_tax_rate_with_its_base() -> None:
    rows = _rows([_line(10_000, "8.25"), _line(5_000, "0"), _line(2_000, "8.25")], 17_990)
    assert rows == [
        Row("Subtotal", usd(17_000)),
        Row("Tax 8.25% on $120.00", usd(990)),
        Row("Tax 0% on $50.00", usd(0)),
        Row("Total", usd(17_990), strong=True),
    ]


def test_totals_subtract_discount_before_tax() -> None:
    rows = _rows([_line(10_000, "20"), _line(10_000, "10")], 20_700, discount=2_000, percent=Decimal("10.00"))
    assert [row.label for row in rows] == [
        "Subtotal",
        "Discount (10%)",
        "Tax 20% on $90.00",
        "Tax 10% on $90.00",
        "Total",
    ]
    assert sum(row.amount.amount_minor for row in rows[:-1]) == rows[-1].amount.amount_minor
