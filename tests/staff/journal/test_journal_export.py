"""The journal as CSV, as a spreadsheet, and as the file that QuickBooks Online imports."""

from __future__ import annotations

import csv
import io
import shutil
import subprocess
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest
from django.test import Client

from partway.billing.models import Event, Invoice, LedgerAccount
from partway.lib.clock import now, today
from partway.staff.journal import export
from tests.support import personas

CSV, XLSX, QUICKBOOKS = (f"/o/alder/journal/{ending}/" for ending in ("csv", "xlsx", "quickbooks"))


def raw(client: Client, url: str, **query: str) -> bytes:
    return b"".join(client.get(url, query).streaming_content)  # type: ignore[attr-defined]


def rows(client: Client, url: str, **query: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(raw(client, url, **query).decode("utf-8-sig"))))


@pytest.fixture
def paid(invoice: Invoice) -> Invoice:
    """An invoice with a check."""
    personas.record_check(invoice, 30_000)
    return invoice


def test_journal_csv_has_a_row_for_each_line(charlie: Client, paid: Invoice) -> None:
    day = today(now(), "America/New_York").isoformat()
    found = [
        (row["Date"], row["Description"], row["Account"], row["Debit"], row["Credit"])
        for row in rows(charlie, CSV)
    ]
    assert found == [
        (day, "Invoice INV-0001", "Receivables", "1000.00", ""),
        (day, "Invoice INV-0001", "Revenue 0%", "", "1000.00"),
        (day, "Payment of INV-0001", "Received: Check", "300.00", ""),
        (day, "Payment of INV-0001", "Receivables", "", "300.00"),
    ]
    assert Event.objects.get(type="organization.journal_exported").data == {"filters": "", "format": "csv"}
    assert charlie.get(CSV, {"from": "May"}).headers["Location"] == "/o/alder/journal/?from=May"


def test_quickbooks_file_has_its_columns_and_balanced_journals(charlie: Client, paid: Invoice) -> None:
    response = charlie.get(QUICKBOOKS)
    assert "alder-journal-quickbooks-" in response.headers["Content-Disposition"]
    found = rows(charlie, QUICKBOOKS)
    assert list(found[0]) == [
        *(
            "*JournalNo",
            "*JournalDate",
            "*AccountName",
            "*Debits",
            "*Credits",
            "Description",
            "Name",
            "Currency",
        )
    ]
    # An account below another is named with a colon that has no space beside it.
    assert {row["*AccountName"] for row in found} == {"Receivables", "Revenue 0%", "Received:Check"}
    for number in {row["*JournalNo"] for row in found}:
        of_one = [row for row in found if row["*JournalNo"] == number]
        debits, credits_ = (
            sum(Decimal(row[side] or 0) for row in of_one) for side in ("*Debits", "*Credits")
        )
        assert (debits, len(number) <= 21) == (credits_, True)


def test_files_keep_long_names_of_any_script_and_of_an_empty_period_the_header(
    charlie: Client, paid: Invoice
) -> None:
    name = '売掛金："жзик" ' + "ß" * 66
    LedgerAccount.objects.create(organization=paid.organization, key="receivables", code="1200-Ж", name=name)
    assert (name, "1200-Ж") in {(row["Account"], row["Account code"]) for row in rows(charlie, CSV)}
    assert name.replace('"', "'") in {row["*AccountName"] for row in rows(charlie, QUICKBOOKS)}
    days = {"from": "2020-01-01", "until": "2020-01-31"}
    assert [len(raw(charlie, url, **days).splitlines()) for url in (CSV, QUICKBOOKS)] == [1, 1]
    sheet = openpyxl.load_workbook(io.BytesIO(raw(charlie, XLSX, **days))).active
    assert sheet.max_row == 1


def test_spreadsheet_of_journal_has_numbers_and_dates(charlie: Client, paid: Invoice) -> None:
    sheet = openpyxl.load_workbook(io.BytesIO(raw(charlie, XLSX))).active
    [_, first, *_] = sheet.iter_rows(values_only=True)
    assert (type(first[1]), first[6], first[7]) == (datetime, 1000, None)


def test_spreadsheet_of_too_many_entries_is_not_begun(
    charlie: Client, paid: Invoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "MAX_XLSX_ENTRIES", 1)
    response = charlie.get(XLSX)
    assert response.headers["Location"].startswith("/o/alder/journal/?from=")


@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
def test_libreoffice_reads_numbers_and_dates_of_the_files(
    charlie: Client, paid: Invoice, tmp_path: Path
) -> None:
    names = {"journal.xlsx": XLSX, "list.csv": CSV, "quickbooks.csv": QUICKBOOKS}
    for name, url in names.items():
        (tmp_path / name).write_bytes(raw(charlie, url))
    profile = f"-env:UserInstallation=file://{tmp_path}/profile"
    command = ["soffice", "--headless", profile, "--convert-to", "xlsx:Calc MS Excel 2007 XML"]
    files = ["--outdir", str(tmp_path / "out"), *(str(tmp_path / name) for name in names)]
    subprocess.run([*command, *files], check=True, capture_output=True, timeout=120)
    for name in names:
        sheet = openpyxl.load_workbook((tmp_path / "out" / name).with_suffix(".xlsx")).active
        cells = [cell.value for cell in list(sheet.iter_rows())[1]]
        assert 1000 in cells
        assert any(isinstance(cell, date) for cell in cells)
