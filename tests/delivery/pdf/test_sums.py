"""The rows under the lines: they add up, and say what each tax rate is a part of."""

from __future__ import annotations

from decimal import Decimal

from partway.delivery.pdf import sums
from partway.delivery.pdf.content import Line, Row
from tests.delivery.pdf.sample_documents import usd


def _line(minor: int, percent: str) -> Line:
    return Line("Work", Decimal(1), usd(minor), Decimal(percent), usd(minor))


def _rows(lines: list[Line], total: int, discount: int = 0, percent: Decimal | None = None) -> list[Row]:
    return sums.rows(lines, discount=usd(discount), discount_percent=percent, total=usd(total))


def test_where_nothing_stands_between_the_total_stands_alone() -> None:
    assert _rows([_line(500, "0")], 500) == [Row("Total", usd(500), strong=True)]


def test_each_rate_has_a_row_with_what_it_is_a_part_of() -> None:
    rows = _rows([_line(10_000, "8.25"), _line(5_000, "0"), _line(2_000, "8.25")], 17_990)
    assert rows == [
        Row("Subtotal", usd(17_000)),
        Row("Tax 8.25% on $120.00", usd(990)),
        Row("Tax 0% on $50.00", usd(0)),
        Row("Total", usd(17_990), strong=True),
    ]


def test_the_discount_comes_off_before_the_tax() -> None:
    rows = _rows([_line(10_000, "20"), _line(10_000, "10")], 20_700, discount=2_000, percent=Decimal("10.00"))
    assert [row.words for row in rows] == [
        "Subtotal",
        "Discount (10%)",
        "Tax 20% on $90.00",
        "Tax 10% on $90.00",
        "Total",
    ]
    assert sum(row.amount.amount_minor for row in rows[:-1]) == rows[-1].amount.amount_minor
