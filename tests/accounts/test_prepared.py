"""Prepared statements: the same rows and the same writes as the queries of Django that they stand for."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction
from django.db.transaction import TransactionManagementError
from django.forms import model_to_dict

from partway.accounts.prepared import Prepared, compare_and_set, insert
from partway.billing.models import Customer, Event, Invoice, MailAttempt
from partway.lib.clock import now
from tests.support import personas

pytestmark = pytest.mark.django_db


@pytest.fixture
def dana() -> Customer:
    return personas.customer(personas.alder().organization)


@pytest.fixture
def invoice(dana: Customer) -> Invoice:
    return personas.sent_invoice(dana)


def test_prepared_query_reads_rows_with_related_rows(
    invoice: Invoice, django_assert_num_queries: object
) -> None:
    rows = Invoice.objects.select_related("customer", "quote__customer").order_by("-created_at")
    prepared = Prepared(lambda customer, status: rows.filter(customer=customer, status=status))
    other = personas.sent_invoice(invoice.customer)
    with django_assert_num_queries(1):  # type: ignore[operator]
        found = prepared.all(invoice.customer_id, "sent")
        assert [row.customer.name for row in found] == ["Dana Whitfield"] * 2
    assert [row.pk for row in found] == [other.pk, invoice.pk]
    assert found[0].quote is None
    assert model_to_dict(found[1]) == model_to_dict(Invoice.objects.get(pk=invoice.pk))
    assert prepared.first(invoice.customer_id, "draft") is prepared.first(None, "sent") is None


def test_prepared_query_refuses_a_parameter_that_it_would_lose(invoice: Invoice) -> None:
    with pytest.raises(TypeError):
        Prepared(lambda pk, _unused: Invoice.objects.filter(pk=pk)).all(invoice.pk, "x")


@pytest.mark.django_db(transaction=True)
def test_prepared_lock_needs_a_transaction(invoice: Invoice) -> None:
    locked = Prepared(lambda pk: Invoice.objects.select_for_update().filter(pk=pk))
    with transaction.atomic():
        assert locked.first(invoice.pk) == invoice
    with pytest.raises(TransactionManagementError):
        locked.first(invoice.pk)


def test_insert_writes_what_save_writes(dana: Customer) -> None:
    about = {"organization": dana.organization, "customer": dana, "actor_kind": "clock", "created_at": now()}
    rows = [
        Event(type="customer.changed", data={"name": ["Ä\u2028"], "at": number}, **about) for number in (1, 2)
    ]
    insert(*rows)
    for row in rows:
        assert model_to_dict(Event.objects.get(pk=row.pk)) == model_to_dict(row)
        assert not row._state.adding
    with pytest.raises(IntegrityError), transaction.atomic():
        insert(rows[0])


def test_insert_refuses_a_key_that_the_database_makes() -> None:
    with pytest.raises(TypeError):
        insert(MailAttempt())


def test_compare_and_set_writes_only_from_the_expected_value(invoice: Invoice) -> None:
    open_request, at = personas.request_payment(invoice), now()
    changes = {"status": "canceled", "cancel_reason": "by_member", "ended_at": at}
    assert compare_and_set(open_request, "status", "open", changes)
    assert not compare_and_set(open_request, "status", "open", {"note": "too late"})
    open_request.refresh_from_db()
    assert (open_request.cancel_reason, open_request.ended_at) == ("by_member", at)
    assert open_request.note != "too late"
