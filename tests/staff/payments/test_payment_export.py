"""The list of payments as a CSV file and as a spreadsheet: cells, order, types, and no cell that is run."""

from __future__ import annotations

import csv
import io
from datetime import date
from decimal import Decimal

import openpyxl
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from partway.accounts.models import Organization
from partway.billing.models import Customer, Event, Invoice
from partway.lib import bulkheads
from partway.lib.clock import now, today
from partway.lib.money import Money
from partway.staff.payments import export
from tests.support import personas

CSV, XLSX = "/o/alder/payments/csv/", "/o/alder/payments/xlsx/"


def raw(client: Client, url: str, **query: str) -> bytes:
    return b"".join(client.get(url, query).streaming_content)  # type: ignore[attr-defined]


def exported(client: Client, **query: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(raw(client, CSV, **query).decode("utf-8-sig"))))


def sheet(client: Client, **query: str) -> list[dict[str, object]]:
    """The rows of the spreadsheet by the titles of its columns."""
    found = openpyxl.load_workbook(io.BytesIO(raw(client, XLSX, **query))).active
    header, *rows = found.iter_rows(values_only=True)
    return [dict(zip(header, row, strict=True)) for row in rows]


@pytest.fixture
def of_each_kind(invoice: Invoice) -> Invoice:
    """A check of which a part was given back, and a settled rest."""
    check = personas.record_check(invoice, 99_000, paid_on=date(2026, 3, 2), reference="No. 118")
    personas.give_back(check, 12_345)
    personas.settle_rest(invoice)
    return invoice


def test_spreadsheet_beyond_its_bulkhead_is_refused_and_leaves_no_event(
    charlie: Client, of_each_kind: Invoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulkheads.SPREADSHEETS, "limit", 0)
    assert charlie.get(XLSX).status_code == 503
    assert not Event.objects.filter(type="organization.payments_exported").exists()
    assert charlie.get(CSV).status_code == 200


def test_payment_csv_has_fee_and_net(charlie: Client, invoice: Invoice) -> None:
    payment = personas.captured_payment(invoice, 30_000, fee=Money(445, "USD"))
    personas.refund_in_dashboard(payment, 10_000, fee=Money(0, "USD"))
    personas.record_check(invoice, 1_000)
    cells = sorted((row["Fee currency"], row["Fee"], row["Net"]) for row in exported(charlie))
    assert cells == [("", "", "10.00"), ("USD", "0.00", "-100.00"), ("USD", "4.45", "295.55")]


def test_refund_in_cash_went_through_no_payment_service(charlie: Client, invoice: Invoice) -> None:
    payment = personas.captured_payment(invoice, 30_000)
    sent, cash = personas.refund_in_dashboard(payment, 100), personas.give_back(payment, 10_000)
    found = {name: exported(charlie, gateway=name) for name in ("sandbox", "offline")}
    ids = {name: {row["Id"] for row in rows} for name, rows in found.items()}
    assert ids == {"sandbox": {payment.pk, sent.pk}, "offline": {cash.pk}}
    assert [row["Payment service"] for row in found["offline"]] == [""]


def test_payment_csv_has_every_kind_newest_first(charlie: Client, of_each_kind: Invoice) -> None:
    rows = exported(charlie)
    today_iso = today(now(), "America/New_York").isoformat()
    assert [(row["Date"], row["Kind"], row["Status"], row["Method"]) for row in rows] == [
        (today_iso, "Adjustment", "Settled", "Bank fee"),
        (today_iso, "Refund", "Succeeded", "Cash"),
        ("2026-03-02", "Payment", "Partly refunded", "Check"),
    ]
    amounts = [(row["Amount"], row["Money in"], row["Money out"], row["Currency"]) for row in rows]
    assert amounts == [
        ("133.45", "0.00", "0.00", "USD"),
        ("-123.45", "0.00", "123.45", "USD"),
        ("990.00", "990.00", "0.00", "USD"),
    ]
    last = rows[-1]
    assert (last["Number"], last["Reference"]) == ("INV-0001", "No. 118")
    assert (last["Invoice or quote id"], last["Customer id"]) == (of_each_kind.pk, of_each_kind.customer_id)
    assert rows[1]["Payment id"] == last["Id"]


def test_spreadsheet_has_numbers_and_dates(charlie: Client, of_each_kind: Invoice, dana: Customer) -> None:
    personas.record_check(personas.sent_invoice(dana, 1_234, currency="KWD"), 1_234, paid_on=date(2026, 3, 1))
    personas.record_check(personas.sent_invoice(dana, 70, currency="JPY"), 70, paid_on=date(2026, 2, 28))
    yen, dinar = sheet(charlie)[:-3:-1]
    assert (yen["Amount"], dinar["Amount"], str(dinar["Date"])) == (70, 1.234, "2026-03-01 00:00:00")
    found = openpyxl.load_workbook(io.BytesIO(raw(charlie, XLSX))).active
    formats = {
        row[10].value: (row[11].data_type, row[11].number_format) for row in found.iter_rows(min_row=2)
    }
    assert formats == {"USD": ("n", "#,##0.00"), "KWD": ("n", "#,##0.000"), "JPY": ("n", "#,##0")}
    assert {row[0].number_format for row in found.iter_rows(min_row=2)} == {"yyyy-mm-dd"}
    net = sum(
        Decimal(str(row["Money in"])) - Decimal(str(row["Money out"]))
        for row in sheet(charlie, currency="USD")
    )
    assert net == Decimal("866.55")


def test_exports_run_no_text_as_a_formula(charlie: Client, invoice: Invoice) -> None:
    personas.record_check(invoice, 1_000, reference="=1+1", note="http://x.example")
    [row] = exported(charlie)
    assert row["Reference"] == "'=1+1"
    [cells] = sheet(charlie)
    assert (cells["Reference"], cells["Note"]) == ("=1+1", "http://x.example")
    [found] = openpyxl.load_workbook(io.BytesIO(raw(charlie, XLSX))).active.iter_rows(min_row=2)
    assert {found[8].data_type, found[9].data_type} == {"s"}
    assert (found[8].hyperlink, found[9].hyperlink) == (None, None)


def test_exports_have_the_rows_that_are_filtered(charlie: Client, of_each_kind: Invoice) -> None:
    assert [row["Kind"] for row in exported(charlie, kind="refund")] == ["Refund"]
    assert [row["Kind"] for row in sheet(charlie, q="118", state="partly_refunded")] == ["Payment"]
    assert sheet(charlie, state="failed") == []
    for url in (CSV, XLSX):
        response = charlie.get(url, {"kind": "x"})
        assert response.headers["Location"] == "/o/alder/payments/?kind=x"


def test_exports_show_the_customer_of_the_receipt(
    charlie: Client, of_each_kind: Invoice, dana: Customer
) -> None:
    personas.change_customer(dana)
    waiting = personas.sent_invoice(dana, 500)
    personas.pending_payment(waiting, 500)
    names = {row["Kind"] + row["Status"]: row["Customer"] for row in exported(charlie)}
    assert names.pop("PaymentWaiting for the customer") == "Dana Reed"
    assert set(names.values()) == {"Dana Whitfield"}


def test_export_of_payments_is_an_audit_event(charlie: Client, alice: Client, of_each_kind: Invoice) -> None:
    raw(charlie, XLSX, kind="refund")
    charlie.head(CSV)
    event = Event.objects.get(type="organization.payments_exported")
    assert (event.actor_label, event.data) == ("Charlie", {"filters": "kind=refund", "format": "xlsx"})
    assert "Charlie exported the list of payments" in alice.get("/o/alder/settings/audit/").content.decode()


def test_too_long_list_is_no_spreadsheet(
    charlie: Client, of_each_kind: Invoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "MAX_XLSX_ROWS", 2)
    page = charlie.get(XLSX, follow=True).content.decode()
    assert "3 rows are too many for a spreadsheet" in page
    assert len(sheet(charlie, kind="payment")) == 1
    assert not Event.objects.filter(type="organization.payments_exported", data__filters="").exists()


def test_export_query_count_is_constant(charlie: Client, dana: Customer) -> None:
    for _ in range(3):
        invoice = personas.sent_invoice(dana)
        personas.give_back(personas.record_check(invoice, 40_000), 100)
        personas.captured_payment(invoice, 10_000)
    with CaptureQueriesContext(connection) as queries:
        assert len(exported(charlie)) == 9
    # Its session, user and member, the event, and the rows; savepoints and the snapshot differ by database.
    assert len([query for query in queries if query["sql"].startswith(("SELECT", "INSERT"))]) == 9


def test_exports_are_scoped_to_organization(charlie: Client, mallory: Client) -> None:
    birch = Organization.objects.get(slug="birch")
    personas.record_check(personas.sent_invoice(personas.customer(birch, "Secret Customer")), 100)
    assert (exported(charlie), sheet(charlie)) == ([], [])
