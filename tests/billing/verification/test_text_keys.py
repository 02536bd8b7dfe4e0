"""Tests of the check of sort keys and search keys (M6)."""

from __future__ import annotations

import pytest
from django.db import connection

from partway.billing.models import Customer, Invoice, Party, Quote
from tests.billing.verification.corruption import differences_of, is_detected, overwrite
from tests.support import personas


@pytest.mark.parametrize("model", [Customer, Party, Invoice, Quote])
def test_verify_finds_search_key_of_another_text(invoice: Invoice, model: type[Customer]) -> None:
    personas.sent_quote(invoice.customer)
    assert is_detected(("M6", "its search_key is not that of", overwrite(model, search_key="\nother\n")))


def test_verify_finds_sort_key_of_another_text(dana: Customer) -> None:
    overwritten = overwrite(Customer, sort_key=b"zz\x00" + dana.name.encode())
    assert is_detected(("M6", "its sort_key is not that of Dana", overwritten))


@pytest.mark.parametrize("model", [Invoice, Quote])
def test_verify_finds_document_sorted_by_another_name(invoice: Invoice, model: type[Invoice]) -> None:
    personas.sent_quote(invoice.customer)
    overwritten = overwrite(model, customer_key=b"zz")
    assert is_detected(("M6", f"its customer_key is not that of {invoice.customer_id}", overwritten))


def test_bulk_create_writes_keys(dana: Customer) -> None:
    before = differences_of("M6")
    columns = {"organization": dana.organization, "created_at": dana.created_at}
    made = Customer.objects.bulk_create([Customer(name="Zoë", email="zoe@x.example", **columns)])
    assert {message for pk, message in differences_of("M6") - before if pk == made[0].pk} == {
        f"created at {dana.created_at}: no event begins it"
    }


@pytest.mark.skipif(connection.vendor == "postgresql", reason="PostgreSQL keeps its indexes itself")
@pytest.mark.parametrize(
    "damage",
    [
        "DELETE FROM customer_search_row",
        "INSERT INTO customer_search (customer_search) VALUES ('delete-all')",
    ],
)
def test_verify_finds_row_missing_from_search_index(dana: Customer, damage: str) -> None:
    assert differences_of("M6") == set()
    with connection.cursor() as cursor:
        cursor.execute(damage)
    assert (dana.pk, "its search_key is not in the search index") in differences_of("M6")
