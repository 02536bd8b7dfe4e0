"""The filters of the invoice list: each alone, combined, as chips, in a shared address, and invalid."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.test import Client

from partway.accounts.models import Organization
from partway.billing.models import Customer, Invoice
from partway.billing.requests import payment_requests
from partway.lib.clock import now as present
from tests.support import personas

URL = "/o/alder/invoices/"


@pytest.fixture
def invoices(organization: Organization) -> dict[str, Invoice]:
    """Invoices that differ in state, customer, due date and requests."""
    dana, kenji = personas.customer(organization), personas.customer(organization, "Kenji Tanaka")
    created = {
        "requested": personas.sent_invoice(dana, due_in=10),
        "late": personas.sent_invoice(kenji, due_in=-3),
        "part": personas.sent_invoice(kenji, due_in=5),
        "draft": personas.draft_invoice(dana),
        "written_off": personas.sent_invoice(dana, due_in=-90),
    }
    personas.request_payment(created["requested"])
    personas.captured_payment(created["part"], 10_000)
    Invoice.objects.filter(pk=created["written_off"].pk).update(status="written_off")
    return created


def found(client: Client, invoices: dict[str, Invoice], **query: str) -> set[str]:
    rows = {row.pk for row in client.get(URL, query).context["page"].entries}
    return {key for key, invoice in invoices.items() if invoice.pk in rows}


def chips(client: Client, **query: str) -> list[str]:
    return [chip.message for chip in client.get(URL, query).context["chips"]]


@pytest.mark.parametrize(
    ("status", "keys"),
    [
        ("sent", {"requested", "late", "part"}),
        ("overdue", {"late"}),
        ("partially_paid", {"part"}),
        ("draft", {"draft"}),
        ("written_off", {"written_off"}),
        ("void", set()),
    ],
)
def test_invoice_filter_by_status(
    charlie: Client, invoices: dict[str, Invoice], status: str, keys: set[str]
) -> None:
    assert found(charlie, invoices, status=status) == keys


def test_invoice_filter_by_open_request(charlie: Client, invoices: dict[str, Invoice]) -> None:
    assert found(charlie, invoices, requested="yes") == {"requested"}
    open_request = invoices["requested"].payment_requests.get()
    payment_requests.cancel(open_request, by=personas.owner_actor(open_request.organization), now=present())
    assert found(charlie, invoices, requested="yes") == set()


@pytest.mark.parametrize("typed", ["Kenji Tanaka", "kenji tanaka", "kenji.tanaka@customer.example"])
def test_invoice_filter_by_typed_customer(charlie: Client, invoices: dict[str, Invoice], typed: str) -> None:
    assert found(charlie, invoices, customer=typed) == {"late", "part"}
    assert chips(charlie, customer=typed) == ["Kenji Tanaka"]


def test_invoice_filter_by_linked_customer_id(charlie: Client, invoices: dict[str, Invoice]) -> None:
    assert found(charlie, invoices, customer=invoices["late"].customer_id) == {"late", "part"}


def test_invoice_filter_by_customer_name_includes_namesakes(
    charlie: Client, invoices: dict[str, Invoice], organization: Organization
) -> None:
    personas.sent_invoice(personas.customer(organization, "Kenji Tanaka", "other@customer.example"))
    response = charlie.get(URL, {"customer": "Kenji Tanaka"})
    assert len(response.context["page"].entries) == 3
    assert chips(charlie, customer="Kenji Tanaka") == ["Kenji Tanaka (2 customers)"]


def test_invoice_filter_by_due_date_range(charlie: Client, invoices: dict[str, Invoice]) -> None:
    first, last = invoices["part"].due_on.isoformat(), invoices["requested"].due_on.isoformat()
    assert found(charlie, invoices, due_from=first, due_until=last) == {"requested", "part"}
    assert found(charlie, invoices, due_until=invoices["late"].due_on.isoformat()) == {"late", "written_off"}
    assert found(charlie, invoices, due_from=last) == {"requested", "draft"}


def test_invoice_filter_by_sent_date_uses_organization_time_zone(
    charlie: Client, invoices: dict[str, Invoice]
) -> None:
    """At three in the morning in London it is still the evening before in New York (DESIGN D7)."""
    Invoice.objects.exclude(status="draft").update(sent_at=datetime(2026, 3, 1, 3, tzinfo=UTC))
    everything = {"requested", "late", "part", "written_off"}
    assert found(charlie, invoices, sent_from="2026-02-28", sent_until="2026-02-28") == everything
    assert found(charlie, invoices, sent_from="2026-03-01") == set()


def test_invoice_filters_combine(charlie: Client, invoices: dict[str, Invoice]) -> None:
    today = date.today() + timedelta(days=60)  # noqa: DTZ011 - any day far enough will do
    query = {"status": "sent", "customer": "Kenji Tanaka", "due_until": today.isoformat(), "q": "inv-"}
    assert found(charlie, invoices, **query) == {"late", "part"}
    assert found(charlie, invoices, **query, requested="yes") == set()


# Chips and the address.


def test_invoice_filter_chip_removes_only_its_filter(charlie: Client, invoices: dict[str, Invoice]) -> None:
    query = {"q": "kenji", "status": "overdue", "due_from": "2026-01-01", "due_until": "2030-12-31"}
    response = charlie.get(URL, {**query, "sort": "total", "after": "x"})
    assert chips(charlie, **query) == ["“kenji”", "Overdue", "Due Jan 1, 2026 – Dec 31, 2030"]
    page = response.content.decode()
    assert 'href="?q=kenji&amp;status=overdue&amp;sort=total"><span class="visually-hidden">Remove' in page
    assert f'href="{URL}">Clear filters' in page


def test_empty_invoice_filters_are_removed_from_url(charlie: Client, invoices: dict[str, Invoice]) -> None:
    response = charlie.get(URL, {"customer": "", "due_from": "", "requested": "yes", "sort": ""})
    assert response.status_code == 302
    assert response.headers["Location"] == f"{URL}?requested=yes"
    assert charlie.get(URL, {"q": ""}).headers["Location"] == URL


def test_invoice_search_keeps_other_filters(charlie: Client, invoices: dict[str, Invoice]) -> None:
    page = charlie.get(URL, {"status": "overdue", "sort": "-total"}).content.decode()
    assert '<input type="hidden" name="status" value="overdue">' in page
    assert '<input type="hidden" name="sort" value="-total">' in page


def test_invoice_filters_without_result_offer_to_clear(charlie: Client, invoices: dict[str, Invoice]) -> None:
    page = charlie.get(URL, {"status": "void", "requested": "yes"}).content.decode()
    assert "No invoice matches these filters" in page
    assert "Export CSV" not in page


# Invalid filters.


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"status": "nonsense"}, "There is no invoice status “nonsense”"),
        ({"requested": "1e999"}, "is not a value of this filter"),
        ({"customer": "Nobody"}, "There is no customer “Nobody”"),
        ({"customer": "cus_00000000000000000000000000"}, "There is no customer"),
        ({"due_from": "2026-13-45"}, "“2026-13-45” is not a date"),
        ({"due_from": "9" * 30}, "is not a date"),
        ({"due_from": "20261130"}, "is not a date"),
        ({"sent_until": "2026-W48-1"}, "is not a date"),
        ({"sent_until": "30.11.26"}, "is not a date"),
        ({"due_until": "9999-12-31"}, "between 1970 and 2199"),
        ({"sent_from": "0001-01-01"}, "between 1970 and 2199"),
        ({"due_from": "2026-05-02", "due_until": "2026-05-01"}, "swap the two dates"),
        ({"q": "x" * 60_000}, "more than 200 letters"),
    ],
)
def test_invalid_invoice_filter_is_named_and_ignored(
    charlie: Client, invoices: dict[str, Invoice], query: dict[str, str], message: str
) -> None:
    response = charlie.get(URL, {**query, "sort": "total"})
    assert response.status_code == 200
    assert message in response.content.decode()
    assert len(response.context["page"].entries) == len(invoices)
    assert response.context["chips"] == []
    assert response.context["query"].urlencode() == "sort=total"


@pytest.mark.parametrize("value", ["\x00", "%", "_", "\\", "'; --", "🎉", "\ud7ff", "١", "9" * 199, "<b>"])
@pytest.mark.parametrize(
    "name",
    [
        "q",
        "status",
        "customer",
        "requested",
        "due_from",
        "due_until",
        "sent_from",
        "sent_until",
        "sort",
        "before",
        "after",
        "totals",
    ],
)
def test_invoice_list_tolerates_any_query_value(
    charlie: Client, invoice: Invoice, name: str, value: str
) -> None:
    response = charlie.get(URL, {name: value})
    assert response.status_code == 200
    assert "<b>" not in response.content.decode()


def test_invoice_filter_ignores_customer_of_another_organization(
    charlie: Client, mallory: Client, invoices: dict[str, Invoice]
) -> None:
    theirs: Customer = personas.customer(Organization.objects.get(slug="birch"), "Secret Customer")
    for typed in (theirs.pk, theirs.name, theirs.email):
        assert "There is no customer" in charlie.get(URL, {"customer": typed}).content.decode()
