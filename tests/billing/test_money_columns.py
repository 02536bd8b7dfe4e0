"""Columns of minor units, read as Money."""

from __future__ import annotations

import pytest

from partway.billing.models import Invoice
from partway.lib.money import Money


def test_amounts_of_an_invoice_are_money_in_its_currency():
    invoice = Invoice(currency="JPY", total_minor=50_000, amount_paid_minor=20_000)

    assert invoice.total == Money(50_000, "JPY")
    assert invoice.amount_due == invoice.amount_payable == Money(30_000, "JPY")


def test_money_of_a_column_cannot_be_assigned():
    invoice = Invoice(currency="USD", total_minor=50_000)

    with pytest.raises(AttributeError, match="total_minor"):
        invoice.total = Money(1, "USD")

    assert invoice.total == Money(50_000, "USD")
