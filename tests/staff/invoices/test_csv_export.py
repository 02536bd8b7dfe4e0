"""The CSV export of the invoice list: its cells, its order, and no cell that a spreadsheet runs."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime

import pytest
from django.db import connection
from django.http import StreamingHttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext

from partway.accounts.models import Organization
from partway.billing.documents import invoices, quotes
from partway.billing.models import Customer, Event, Invoice
from partway.lib import csv_text
from partway.lib.clock import now, today
from tests.support import personas

URL = "/o/alder/invoices/csv/"


def raw(client: Client, **query: str) -> bytes:
    response = client.get(URL, query)
    assert isinstance(response, StreamingHttpResponse)
    return b"".join(response.streaming_content)  # type: ignore[arg-type]


def exported(client: Client, **query: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(raw(client, **query).decode("utf-8-sig"))))


def test_csv_row_matches_invoice_list(charlie: Client, invoice: Invoice) -> None:
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
        "Settled": "0.00",
        "Given back": "0.00",
        "Amount due": "700.00",
        "Amount requested": "200.50",
        "Invoice id": invoice.pk,
        "Customer id": invoice.customer_id,
    }


def test_csv_shows_what_was_settled_and_given_back(charlie: Client, dana: Customer) -> None:
    invoice = personas.sent_invoice(dana)
    payment = personas.record_check(invoice, 99_200)
    personas.settle_rest(invoice)
    personas.give_back(payment, 4_200)
    [row] = exported(charlie)
    assert (row["Amount paid"], row["Settled"], row["Given back"], row["Amount due"]) == (
        "950.00",
        "8.00",
        "42.00",
        "42.00",
    )


def test_csv_shows_what_was_given_back_of_a_deposit(charlie: Client, dana: Customer) -> None:
    quote = personas.accept_quote(personas.sent_quote(dana))
    deposit = personas.record_deposit_check(quote)
    by = personas.owner_actor(dana.organization)
    invoices.send(quotes.create_invoice(quote, by=by, now=now()), by=by, now=now())
    personas.give_back(deposit, 10_000)
    [row] = exported(charlie)
    assert (row["Amount paid"], row["Given back"], row["Amount due"]) == ("200.00", "100.00", "800.00")


def test_csv_shows_customer_of_the_day_and_draft_of_today(
    charlie: Client, invoice: Invoice, dana: Customer
) -> None:
    Invoice.objects.update(sent_at=datetime(2026, 3, 1, 16, tzinfo=UTC))  # in Tokyo it is the next day
    personas.change_customer(dana)
    personas.change_organization(dana.organization)
    personas.draft_invoice(dana)
    draft, sent = exported(charlie)
    assert (sent["Customer"], sent["Email"]) == ("Dana Whitfield", "dana.whitfield@customer.example")
    assert (draft["Customer"], draft["Email"]) == ("Dana Reed", "dana@reed.example")
    assert (sent["Sent on"], sent["Customer id"]) == ("2026-03-01", draft["Customer id"])


@pytest.mark.parametrize(("currency", "total"), [("JPY", "100000"), ("KWD", "100.000"), ("EUR", "1000.00")])
def test_csv_amounts_have_decimals_of_currency(
    charlie: Client, dana: Customer, currency: str, total: str
) -> None:
    personas.sent_invoice(dana, 100_000, currency=currency)
    [row] = exported(charlie)
    assert (row["Total"], row["Amount due"]) == (total, total)


def test_csv_row_of_draft_invoice_has_zero_amount_due(charlie: Client, dana: Customer) -> None:
    personas.draft_invoice(dana)
    [row] = exported(charlie)
    assert (row["Number"], row["Status"], row["Sent on"]) == ("", "Draft", "")
    assert (row["Total"], row["Amount due"]) == ("1000.00", "0.00")


def test_csv_has_bom_and_quotes_special_characters(charlie: Client, organization: Organization) -> None:
    personas.sent_invoice(
        personas.customer(organization, 'Café "Zoë", Żółć\nand 東京', "zoe@customer.example")
    )
    assert raw(charlie).startswith(b"\xef\xbb\xbfNumber,Status,")
    assert exported(charlie)[0]["Customer"] == 'Café "Zoë", Żółć\nand 東京'


@pytest.mark.parametrize("column", ["name", "email"])
def test_csv_escapes_spreadsheet_formulas(charlie: Client, dana: Customer, column: str) -> None:
    setattr(dana, column, "=1+1")
    dana.save()
    personas.sent_invoice(dana)
    assert exported(charlie)[0][{"name": "Customer", "email": "Email"}[column]] == "'=1+1"


def test_csv_file_name_has_organization_and_date(charlie: Client, invoice: Invoice) -> None:
    headers = charlie.get(URL).headers
    day = today(now(), "America/New_York").isoformat()
    assert headers["Content-Disposition"] == f'attachment; filename="alder-invoices-{day}.csv"'
    assert headers["Content-Type"] == "text/csv; charset=utf-8"
    assert headers["Cache-Control"] == "no-store"


def test_csv_has_filtered_rows_of_all_pages_in_list_order(
    charlie: Client, dana: Customer, organization: Organization
) -> None:
    personas.sent_invoice(personas.customer(organization, "Kenji Tanaka"))
    made = [personas.sent_invoice(dana, amount).pk for amount in (30_000, 10_000, 20_000)]
    rows = exported(charlie, q="dana", sort="-total", after="x")
    assert [row["Invoice id"] for row in rows] == [made[0], made[2], made[1]]


def test_invoice_list_links_to_csv_with_same_filters(charlie: Client, invoice: Invoice) -> None:
    page = charlie.get("/o/alder/invoices/?status=sent&sort=number").content.decode()
    assert f'href="{URL}?status=sent&amp;sort=number"' in page


def test_csv_with_invalid_filter_redirects_to_list(charlie: Client, invoice: Invoice) -> None:
    response = charlie.get(URL, {"due_from": "soon"}, follow=True)
    assert response.redirect_chain[0][0] == "/o/alder/invoices/?due_from=soon"
    assert "“soon” is not a date" in response.content.decode()


def test_csv_is_streamed(charlie: Client, dana: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_text.chunks, "__kwdefaults__", {"chunk_characters": 100})
    for _ in range(5):
        personas.sent_invoice(dana)
    response = charlie.get(URL)
    assert isinstance(response, StreamingHttpResponse)
    assert len(list(response.streaming_content)) >= 5  # type: ignore[arg-type]


def test_csv_query_count_is_constant(charlie: Client, dana: Customer) -> None:
    for _ in range(6):
        personas.request_payment(personas.sent_invoice(dana))
    with CaptureQueriesContext(connection) as queries:
        assert len(exported(charlie)) == 6
    # Its session, user and member, the event, and the rows; savepoints and the snapshot differ by database.
    assert len([query for query in queries if query["sql"].startswith(("SELECT", "INSERT"))]) == 5


def test_csv_export_is_an_audit_event(charlie: Client, alice: Client, dana: Customer) -> None:
    charlie.get("/o/alder/invoices/csv/?state=overdue")
    charlie.head("/o/alder/invoices/csv/")
    event = Event.objects.get(type="organization.invoices_exported")
    assert (event.actor_label, event.data) == ("Charlie", {"filters": "state=overdue", "format": "csv"})
    assert "Charlie exported the list of invoices" in alice.get("/o/alder/settings/audit/").content.decode()


def test_csv_is_scoped_to_organization(charlie: Client, mallory: Client) -> None:
    personas.sent_invoice(personas.customer(Organization.objects.get(slug="birch"), "Secret Customer"))
    assert exported(charlie) == []
