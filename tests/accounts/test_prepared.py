"""Prepared statements: the same rows and the same writes as the queries of Django that they stand for."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.db.transaction import TransactionManagementError
from django.forms import model_to_dict

from partway.accounts.models import Attempt
from partway.accounts.prepared import Prepared, PreparedUpdate, PreparedValues, insert, update
from partway.billing.models import Customer, Event, Invoice
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


def test_prepared_values_are_those_of_the_query(invoice: Invoice) -> None:
    def rows(pk: object, since: object) -> Any:
        found = Invoice.objects.filter(pk=pk).annotate(is_new=Q(created_at__gt=since))
        return found.values_list("created_at", "due_on", "issued_to__name", "is_new")

    prepared = PreparedValues(rows)
    for since in (invoice.created_at, invoice.created_at - timedelta(days=1)):
        assert prepared.all(invoice.pk, since) == list(rows(invoice.pk, since))
    assert prepared.all("inv_0", now()) == []


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


def test_insert_reads_what_the_database_computes(invoice: Invoice) -> None:
    uses = [Attempt(action="a", subject=subject, created_at=now(), expires_at=now()) for subject in "xy"]
    insert(*uses)
    assert [Attempt.objects.get(subject=use.subject) for use in uses] == uses
    copy = Invoice.objects.get(pk=invoice.pk)
    copy.pk, copy.number, copy.total_minor, copy.subtotal_minor = "inv_copy", "C-1", 700, 700
    insert(copy)
    assert copy.receivable_minor == Invoice.objects.get(pk="inv_copy").receivable_minor == 700


def test_insert_leaves_a_row_that_is_there(dana: Customer) -> None:
    event = Event(
        type="customer.changed", organization=dana.organization, actor_kind="clock", created_at=now()
    )
    assert insert(event) == 1
    event.type = "customer.created"
    assert insert(event, ignores_conflicts=True) == 0
    assert Event.objects.get(pk=event.pk).type == "customer.changed"


def test_prepared_update_computes_from_columns_of_the_row(invoice: Invoice) -> None:
    def sent(pk: Any, more: Any, at: Any) -> tuple[Any, dict[str, Any]]:
        rows = Invoice.objects.filter(pk=pk, version__gte=more)
        return rows, {"version": F("version") + more, "opened_at": at}

    change, at = PreparedUpdate(sent), now()
    assert (change.run(invoice.pk, 1, at), change.run(invoice.pk, 9, at)) == (1, 0)
    again = Invoice.objects.get(pk=invoice.pk)
    assert (again.version, again.opened_at) == (invoice.version + 1, at)


def test_prepared_query_takes_numbers_and_times(invoice: Invoice) -> None:
    older = Prepared(lambda version, at: Invoice.objects.filter(version__lte=version, created_at__lte=at))
    assert older.all(5, now()) == [invoice]
    assert older.all(0, now()) == older.all(5, now() - timedelta(days=99)) == []


def test_update_writes_only_from_the_expected_value(invoice: Invoice) -> None:
    open_request, at = personas.request_payment(invoice), now()
    changes = {"status": "canceled", "cancel_reason": "by_member", "ended_at": at}
    assert update(open_request, changes, expected={"status": "open"})
    assert not update(open_request, {"note": "too late"}, expected={"status": "open"})
    open_request.refresh_from_db()
    assert (open_request.cancel_reason, open_request.ended_at) == ("by_member", at)
    assert open_request.note != "too late"
