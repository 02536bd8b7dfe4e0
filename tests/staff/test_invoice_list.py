"""The list of invoices: search, filter, sort, pages, and what it shows while there is nothing."""

from __future__ import annotations

import pytest
from django.test import Client

from partway.accounts.models import Organization
from partway.billing.models import Customer, Invoice
from partway.staff import invoices
from tests import personas


@pytest.fixture
def some(organization: Organization) -> dict[str, Invoice]:
    """One invoice in each state."""
    dana, kenji = personas.customer(organization), personas.customer(organization, "Kenji Tanaka")
    made = {
        "sent": personas.sent(dana, 100_000, due_in=10),
        "overdue": personas.sent(kenji, 300_000, due_in=-3),
        "paid": personas.sent(kenji, 200_000, due_in=5),
        "draft": personas.draft(dana, 50_000),
    }
    personas.paid_part(made["paid"], 200_000)
    Invoice.objects.filter(pk=made["paid"].pk).update(status="paid")
    return made


def listed(client: Client, query: str = "") -> list[str]:
    return [row.pk for row in client.get(f"/o/alder/invoices/{query}").context["page"].object_list]


def test_newest_first(charlie: Client, some: dict[str, Invoice]) -> None:
    assert listed(charlie) == [some[key].pk for key in ("draft", "paid", "overdue", "sent")]


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ("?status=draft", {"draft"}),
        ("?status=sent", {"sent", "overdue"}),
        ("?status=overdue", {"overdue"}),
        ("?status=paid", {"paid"}),
        ("?status=void", set()),
        ("?status=nonsense", {"draft", "paid", "overdue", "sent"}),
        ("?q=kenji", {"overdue", "paid"}),
        ("?q=0002", {"overdue"}),
        ("?q=kenji.tanaka@customer.example", {"overdue", "paid"}),
        ("?q=kenji&status=paid", {"paid"}),
        ("?q=nobody", set()),
    ],
)
def test_search_and_filter(charlie: Client, some: dict[str, Invoice], query: str, keys: set[str]) -> None:
    assert set(listed(charlie, query)) == {some[key].pk for key in keys}


@pytest.mark.parametrize(
    ("sort", "keys"),
    [
        ("due_on", ["overdue", "paid", "sent", "draft"]),
        ("-total", ["overdue", "paid", "sent", "draft"]),
        ("-amount_due", ["overdue", "sent", "draft", "paid"]),
        ("customer", ["sent", "draft", "overdue", "paid"]),
    ],
)
def test_sort(charlie: Client, some: dict[str, Invoice], sort: str, keys: list[str]) -> None:
    assert listed(charlie, f"?sort={sort}") == [some[key].pk for key in keys]


def test_a_row_shows_its_stages(charlie: Client, invoice: Invoice) -> None:
    personas.paid_part(invoice, 30_000)
    personas.ask(invoice, 20_000)
    page = charlie.get("/o/alder/invoices/").content.decode()
    assert 'aria-label="Paid $300.00 of $1,000.00, $200.00 requested"' in page


def test_pages_keep_what_was_searched(
    charlie: Client, dana: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(invoices, "PAGE_ROWS", 2)
    for _ in range(3):
        personas.sent(dana)
    first = charlie.get("/o/alder/invoices/?q=dana")
    assert "1–2 of 3" in first.content.decode()
    assert "?q=dana&amp;page=2" in first.content.decode()
    assert len(listed(charlie, "?q=dana&page=2")) == 1
    assert len(listed(charlie, "?page=999999999999999999999")) == 1


def test_the_list_needs_the_same_few_queries_however_long_it_is(
    charlie: Client, dana: Customer, django_assert_max_num_queries: object
) -> None:
    for _ in range(8):
        personas.ask(personas.sent(dana))
    with django_assert_max_num_queries(9):  # type: ignore[operator]
        charlie.get("/o/alder/invoices/")


def test_nothing_yet_invites_who_may_write(bob: Client, charlie: Client) -> None:
    assert "/o/alder/invoices/new/" in bob.get("/o/alder/invoices/").content.decode()
    page = charlie.get("/o/alder/invoices/").content.decode()
    assert "No invoices yet" in page
    assert "/o/alder/invoices/new/" not in page


def test_nothing_found_leads_back_to_all(charlie: Client, invoice: Invoice) -> None:
    page = charlie.get("/o/alder/invoices/?q=zzz").content.decode()
    assert "Nothing found for “zzz”" in page
    assert "Show all invoices" in page


def test_another_organizations_invoices_are_not_listed(charlie: Client, mallory: Client) -> None:
    birch = Organization.objects.get(slug="birch")
    personas.sent(personas.customer(birch, "Secret Customer"))
    assert "Secret Customer" not in charlie.get("/o/alder/invoices/?q=secret").content.decode()
