"""The list as a file for a spreadsheet: what stands in it, in which order, and that nothing in it runs."""

from __future__ import annotations

import csv
import io

import pytest
from django.http import StreamingHttpResponse
from django.test import Client

from partway.accounts.models import Organization
from partway.billing.models import Customer, Invoice
from partway.lib.clock import now, today
from partway.staff.invoices import csv_export
from tests.support import personas

URL = "/o/alder/invoices/csv/"


def raw(client: Client, **query: str) -> bytes:
    answer = client.get(URL, query)
    assert isinstance(answer, StreamingHttpResponse)
    return b"".join(answer.streaming_content)  # type: ignore[arg-type]


def exported(client: Client, **query: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(raw(client, **query).decode("utf-8-sig"))))


def test_a_row_says_what_the_list_says(charlie: Client, invoice: Invoice) -> None:
    personas.captured_payment(invoice, 30_000)
    personas.request_payment(invoice, 20_050)
    [row] = exported(charlie)
    day = today(now(), "America/New_York").isoformat()
    assert row == {
        "Number": "INV-0001",
        "Status": "Partially paid",
        "Customer": "Dana Whitfield",
        "Email": "dana.whitfield@customer.example",
        "Sent on": day,
        "Due on": invoice.due_on.isoformat(),
        "Currency": "USD",
        "Total": "1000.00",
        "Amount paid": "300.00",
        "Amount due": "700.00",
        "Amount requested": "200.50",
        "Invoice id": invoice.pk,
    }


@pytest.mark.parametrize(("currency", "total"), [("JPY", "100000"), ("KWD", "100.000"), ("EUR", "1000.00")])
def test_amounts_have_the_decimals_of_their_currency(
    charlie: Client, dana: Customer, currency: str, total: str
) -> None:
    personas.sent_invoice(dana, 100_000, currency=currency)
    [row] = exported(charlie)
    assert (row["Total"], row["Amount due"]) == (total, total)


def test_nothing_is_due_on_a_draft(charlie: Client, dana: Customer) -> None:
    personas.draft_invoice(dana)
    [row] = exported(charlie)
    assert (row["Number"], row["Status"], row["Sent on"]) == ("", "InvoiceDraft", "")
    assert (row["Total"], row["Amount due"]) == ("1000.00", "0.00")


def test_spreadsheets_open_it(charlie: Client, organization: Organization) -> None:
    personas.sent_invoice(
        personas.customer(organization, 'Café "Zoë", Żółć\nand 東京', "zoe@customer.example")
    )
    assert raw(charlie).startswith(b"\xef\xbb\xbfNumber,Status,")
    assert exported(charlie)[0]["Customer"] == 'Café "Zoë", Żółć\nand 東京'


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", '=HYPERLINK("x")', "＝1"])
def test_no_name_is_run_as_a_formula(charlie: Client, dana: Customer, name: str) -> None:
    personas.sent_invoice(dana)
    Customer.objects.update(name=name)
    assert exported(charlie)[0]["Customer"] == f"'{name}"


def test_the_file_is_named_for_the_organization_and_the_day(charlie: Client, invoice: Invoice) -> None:
    headers = charlie.get(URL).headers
    day = today(now(), "America/New_York").isoformat()
    assert headers["Content-Disposition"] == f'attachment; filename="alder-invoices-{day}.csv"'
    assert headers["Content-Type"] == "text/csv; charset=utf-8"
    assert headers["Cache-Control"] == "no-store"


def test_it_has_what_the_list_shows_in_the_same_order_and_all_pages(
    charlie: Client, dana: Customer, organization: Organization
) -> None:
    personas.sent_invoice(personas.customer(organization, "Kenji Tanaka"))
    made = [personas.sent_invoice(dana, amount).pk for amount in (30_000, 10_000, 20_000)]
    rows = exported(charlie, q="dana", sort="-total", page="2")
    assert [row["Invoice id"] for row in rows] == [made[0], made[2], made[1]]


def test_the_list_links_to_its_own_file(charlie: Client, invoice: Invoice) -> None:
    page = charlie.get("/o/alder/invoices/?status=sent&sort=number&page=1").content.decode()
    assert f'href="{URL}?status=sent&amp;sort=number"' in page


def test_a_filter_that_cannot_be_read_gives_no_wrong_file(charlie: Client, invoice: Invoice) -> None:
    answer = charlie.get(URL, {"due_from": "soon"}, follow=True)
    assert answer.redirect_chain[0][0] == "/o/alder/invoices/?due_from=soon"
    assert "“soon” is not a date" in answer.content.decode()


def test_it_comes_in_pieces(charlie: Client, dana: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_export, "_CHUNK_LETTERS", 100)
    for _ in range(5):
        personas.sent_invoice(dana)
    answer = charlie.get(URL)
    assert isinstance(answer, StreamingHttpResponse)
    assert len(list(answer.streaming_content)) >= 5  # type: ignore[arg-type]


def test_it_needs_the_same_queries_however_long_it_is(
    charlie: Client, dana: Customer, django_assert_max_num_queries: object
) -> None:
    for _ in range(6):
        personas.request_payment(personas.sent_invoice(dana))
    with django_assert_max_num_queries(4):  # type: ignore[operator]
        assert len(exported(charlie)) == 6


def test_another_organizations_invoices_are_not_in_it(charlie: Client, mallory: Client) -> None:
    personas.sent_invoice(personas.customer(Organization.objects.get(slug="birch"), "Secret Customer"))
    assert exported(charlie) == []
