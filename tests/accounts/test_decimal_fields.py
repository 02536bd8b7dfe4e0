"""ExactDecimalField stores four places exactly and refuses a fifth."""

from __future__ import annotations

from decimal import Decimal

import pytest

from partway.accounts.fields import ExactDecimalField


@pytest.mark.parametrize(("value", "stored"), [("0.3333", 3_333), ("12", 120_000), ("-1.5", -15_000)])
def test_exact_decimal_field_keeps_four_places(value: str, stored: int) -> None:
    field: ExactDecimalField = ExactDecimalField()
    assert field.get_prep_value(Decimal(value)) == stored
    assert field.from_db_value(stored) == Decimal(value)


def test_exact_decimal_field_refuses_a_fifth_place() -> None:
    with pytest.raises(ValueError, match="more than 4"):
        ExactDecimalField().get_prep_value(Decimal("0.00001"))
