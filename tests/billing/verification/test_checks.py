"""Tests of reading tables in slices and of reporting rule, row and message."""

from __future__ import annotations

import pytest
from django.db import transaction
from django.db.models import F, Q

from partway.billing.documents import invoices
from partway.billing.events import Actor
from partway.billing.models import Customer, Invoice, InvoiceLine, Payment, PaymentRequest
from partway.billing.receivables import write_offs
from partway.billing.requests import payment_requests
from partway.billing.verification import CHECKS, checks, verify
from partway.billing.verification.checks import TableCheck, check, no_rows_where
from partway.lib.clock import now
from tests.billing.receivables.test_offline_payments import record
from tests.billing.verification.corruption import differences_of
from tests.support import personas
from tests.support.gateway_driver import GatewayDriver


@pytest.fixture
def five_invoices(dana: Customer) -> list[Invoice]:
    """Five invoices, in the order in which they were written."""
    return [personas.sent_invoice(dana) for _ in range(5)]


def test_verify_difference_names_rule_row_and_values(paid: Payment) -> None:
    Invoice.objects.update(amount_paid_minor=29_999)
    [difference, *_] = (one for one in verify() if one.rule == "M2")
    assert str(difference) == f"M2: {paid.invoice_id}: amount paid 29999, allocations 30000"


@pytest.mark.parametrize("size", [1, 2, 5, 6])
def test_check_reads_every_row_once_for_any_slice_size(
    five_invoices: list[Invoice], size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "CHUNK_SIZE", size)
    nothing_sent = check("X1", "nothing is sent", no_rows_where(Invoice, Q(status="sent"), "{status}"))
    assert sorted(one.row for one in nothing_sent.differences()) == [invoice.pk for invoice in five_invoices]


def test_check_reports_progress_in_rows(
    five_invoices: list[Invoice], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "CHUNK_SIZE", 2)
    looked_at: list[int] = []
    one = check("X1", "all is well", no_rows_where(Invoice, Q(status="lost"), ""))
    assert list(one.differences(looked_at.append)) == []
    assert (sum(looked_at), one.size()) == (4, 5)  # the last slice is not full


def test_check_counts_table_once_for_several_parts(five_invoices: list[Invoice]) -> None:
    part = no_rows_where(Invoice, Q(status="lost"), "")
    assert check("X1", "all is well", part, part).size() == 5


def test_check_finds_differences_in_every_slice(
    five_invoices: list[Invoice], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "CHUNK_SIZE", 2)
    Invoice.objects.update(amount_paid_minor=1)
    assert {row for row, _ in differences_of("M2")} == {invoice.pk for invoice in five_invoices}


def test_check_names_unreadable_row_and_still_reports_others(
    five_invoices: list[Invoice], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "CHUNK_SIZE", 2)
    InvoiceLine.objects.filter(invoice=five_invoices[2]).update(
        quantity=9 * 10**14, unit_amount_minor=9 * 10**18
    )
    InvoiceLine.objects.exclude(invoice=five_invoices[2]).update(amount_minor=1)
    message = dict(differences_of("M1"))
    assert "cannot be read" in message[five_invoices[2].pk]
    assert message.keys() >= {invoice.pk for invoice in five_invoices}


def test_transaction_survives_check_with_database_error(five_invoices: list[Invoice]) -> None:
    by_nothing = TableCheck(
        Invoice, lambda rows: rows.annotate(x=1 / F("amount_paid_minor")).values_list("pk", "x")
    )
    with transaction.atomic():
        named = [one.row for one in check("X1", "all can be divided", by_nothing).differences()]
        assert Invoice.objects.count() == 5
    assert sorted(named) == [invoice.pk for invoice in five_invoices]


def test_consistent_books_in_every_state_have_no_difference(
    gateway_driver: GatewayDriver, dana: Customer, alice: Actor, second: PaymentRequest
) -> None:
    personas.draft_invoice(dana)
    invoices.void(personas.draft_invoice(dana), by=alice, now=now())
    invoices.delete_draft(personas.draft_invoice(dana), by=alice, now=now())
    invoices.void(personas.request_payment(personas.sent_invoice(dana)).invoice, by=alice, now=now())
    write_offs.write_off(personas.sent_invoice(dana), by=alice, now=now())
    payment_requests.cancel(second, by=alice, now=now())
    record(personas.sent_invoice(dana), 120_000, alice, keep_rest_as_credit=True)
    for how in ("good", "debit", "lapsing"):
        gateway_driver.start_and_pay(personas.sent_invoice(dana), how)
    assert list(verify()) == []


def test_every_check_has_design_rule_and_unique_title() -> None:
    assert {one.rule[0] for one in CHECKS} == set("MRPD")
    assert len({str(one) for one in CHECKS}) == len(CHECKS)
