"""An owner uploads a file, chooses its columns and formats, follows the check, and imports it; others do not."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from partway.accounts.models import Organization
from partway.billing.imports import runs
from partway.billing.models import Customer, Import, Invoice
from partway.lib.clock import now

URL = "/o/alder/imports/"
PEOPLE = b"Kundennummer;Firma;E-Mail\n7;Ann Reed;ann@reed.example\n"
BILLS = b"Rechnungsnummer;E-Mail;Betrag;F\xe4llig am\nR-1;dana@reed.example;1.250,00;31.12.2026\n"


def upload(client: Client, content: bytes, **typed: str) -> Any:
    data = {"kind": "customers", "encoding": "", **typed, "file": SimpleUploadedFile("file.csv", content)}
    return client.post(f"{URL}new/", data)


def columns_of(page: Any) -> dict[str, str]:
    form = page.context["form"]
    return {name: form[name].value() or "" for name in form.fields}


def finish(client: Client, path: str) -> Any:
    page = client.get(path)
    assert page.headers["Refresh"] == "2"
    runs.run_due(now=now())
    page = client.get(path)
    assert "Refresh" not in page.headers
    return page


def test_customers_are_imported_by_pages(alice: Client, organization: Organization) -> None:
    page = client_page = alice.get(upload(alice, PEOPLE).url)
    chosen = columns_of(client_page)
    assert chosen["columns.external_reference"] == "Kundennummer"
    assert chosen["columns.name"] == "Firma"
    checked = alice.post(page.request["PATH_INFO"], chosen)
    assert "1 row is right and new" in finish(alice, checked.url).content.decode()
    alice.post(f"{checked.url}run/")
    done = finish(alice, checked.url).content.decode()
    ann = Customer.objects.get(external_reference="7")
    assert f'<a href="/o/alder/customers/{ann.pk}/">7</a>' in done


def test_wrong_cells_are_named_with_what_to_do(alice: Client, organization: Organization) -> None:
    page = alice.get(upload(alice, b"id,name,email\n7,,x\n8,Bo,nowhere\n").url)
    checked = alice.post(page.request["PATH_INFO"], columns_of(page))
    shown = finish(alice, checked.url).content.decode()
    assert "3 cells are wrong, so nothing was imported." in shown
    assert "“nowhere”" in shown
    assert "This cell is empty. Fill it in." in shown


def test_encoding_and_formats_are_asked(alice: Client, organization: Organization) -> None:
    refused = upload(alice, BILLS, kind="invoices")
    assert (refused.status_code, "choose Windows-1252" in refused.content.decode()) == (422, True)
    page = alice.get(upload(alice, BILLS, kind="invoices", encoding="windows-1252").url)
    path, chosen = page.request["PATH_INFO"], columns_of(page)
    assert chosen["columns.due_on"] == "Fällig am"
    asked = alice.post(path, chosen)
    assert asked.status_code == 422
    assert set(asked.context["form"].errors) == {"decimal_mark", "date_format"}
    alice.post(path, {**chosen, "decimal_mark": ",", "date_format": "DD.MM.YYYY"})
    assert Import.objects.get().status == "checking"
    assert not Invoice.objects.exists()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(b"", "empty"), (b"a\n", "no row below"), (b"a,b\n\x00,1\n", "NUL"), (b"PK\x03\x04", "damaged")],
)
def test_file_that_is_no_table_is_refused(alice: Client, content: bytes, sentence: str) -> None:
    refused = upload(alice, content)
    assert refused.status_code == 422
    assert sentence in refused.content.decode()


def test_file_is_missing_or_discarded(alice: Client, organization: Organization) -> None:
    assert "Choose a file." in alice.post(f"{URL}new/", {"kind": "customers"}).content.decode()
    path = upload(alice, PEOPLE).url.removesuffix("columns/")
    assert alice.post(f"{path}discard/").url == URL
    assert not Import.objects.exists()


def test_names_of_a_file_are_text_on_its_pages(alice: Client, organization: Organization) -> None:
    page = alice.get(upload(alice, b"id,<b>name,email\n=1+1,<i>Ann,ann@reed.example\n").url).content.decode()
    assert "&lt;b&gt;name" in page
    assert "<i>Ann" not in page
