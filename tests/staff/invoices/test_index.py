"""The list of invoices: search, sort, sums, pages, and its empty states.

test_filters.py has the filters.
"""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from partway.accounts.models import Organization
from partway.billing.models import Customer, Invoice, Quote
from partway.lib.money import Money
from partway.staff import keyset_pages
from partway.staff.invoices import index
from partway.staff.invoices.index import CurrencyTotals
from tests.support import personas


@pytest.fixture
def invoices(organization: Organization) -> dict[str, Invoice]:
    """One invoice in each state."""
    dana, kenji = personas.customer(organization), personas.customer(organization, "Kenji Tanaka")
    made = {
        "sent": personas.sent_invoice(dana, 100_000, due_in=10),
        "overdue": personas.sent_invoice(kenji, 300_000, due_in=-3),
        "paid": personas.sent_invoice(kenji, 200_000, due_in=5),
        "draft": personas.draft_invoice(dana, 50_000),
    }
    personas.captured_payment(made["paid"], 200_000)
    Invoice.objects.filter(pk=made["paid"].pk).update(status="paid")
    return made


def listed(client: Client, query: str = "") -> list[str]:
    return [row.pk for row in client.get(f"/o/alder/invoices/{query}").context["page"].entries]


def test_invoice_list_is_newest_first(charlie: Client, invoices: dict[str, Invoice]) -> None:
    assert listed(charlie) == [invoices[key].pk for key in ("draft", "paid", "overdue", "sent")]


def test_overdue_invoices_are_listed_by_due_date(charlie: Client, dana: Customer) -> None:
    late, first, second = (personas.sent_invoice(dana, due_in=days) for days in (-1, -3, -2))
    assert listed(charlie, "?status=overdue") == [first.pk, second.pk, late.pk]
    assert listed(charlie, "?status=overdue&sort=-due_on") == [late.pk, second.pk, first.pk]


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ("?status=draft", {"draft"}),
        ("?status=sent", {"sent", "overdue"}),
        ("?status=overdue", {"overdue"}),
        ("?status=paid", {"paid"}),
        ("?status=void", set()),
        ("?q=kenji", {"overdue", "paid"}),
        ("?q=0002", {"overdue"}),
        ("?q=kenji.tanaka@customer.example", {"overdue", "paid"}),
        ("?q=kenji&status=paid", {"paid"}),
        ("?q=nobody", set()),
    ],
)
def test_invoice_list_search_and_status_filter(
    charlie: Client, invoices: dict[str, Invoice], query: str, keys: set[str]
) -> None:
    assert set(listed(charlie, query)) == {invoices[key].pk for key in keys}


@pytest.mark.parametrize(
    ("sort", "keys"),
    [
        ("due_on", ["overdue", "paid", "sent", "draft"]),
        ("-total", ["overdue", "paid", "sent", "draft"]),
        ("-amount_due", ["overdue", "sent", "draft", "paid"]),
        ("customer", ["draft", "sent", "paid", "overdue"]),
        ("-customer", ["overdue", "paid", "sent", "draft"]),
        ("number", ["sent", "overdue", "paid", "draft"]),
        ("-number", ["draft", "paid", "overdue", "sent"]),
        ("status", ["overdue", "sent", "draft", "paid"]),
    ],
)
def test_invoice_list_sort_orders(
    charlie: Client, invoices: dict[str, Invoice], sort: str, keys: list[str]
) -> None:
    assert listed(charlie, f"?sort={sort}") == [invoices[key].pk for key in keys]


def test_invoice_list_row_shows_stage_bar(charlie: Client, invoice: Invoice) -> None:
    personas.captured_payment(invoice, 30_000)
    personas.request_payment(invoice, 20_000)
    page = charlie.get("/o/alder/invoices/").content.decode()
    assert 'aria-label="Paid $300.00 of $1,000.00, $200.00 requested"' in page


def test_invoice_list_pagination_keeps_search(
    charlie: Client, dana: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyset_pages, "PAGE_ROWS", 2)
    for _ in range(3):
        personas.sent_invoice(dana)
    first = charlie.get("/o/alder/invoices/?q=dana")
    assert "1–2 of 3" in first.content.decode()
    following = first.context["page"].following
    assert f"?q=dana&amp;after={following}" in first.content.decode()
    assert len(listed(charlie, f"?q=dana&after={following}")) == 1


def test_invoice_list_query_count_is_constant(charlie: Client, dana: Customer) -> None:
    for _ in range(8):
        personas.request_payment(personas.sent_invoice(dana))
    with CaptureQueriesContext(connection) as queries:
        charlie.get("/o/alder/invoices/")
    # What begins and ends the snapshot differs by database.
    assert len([query for query in queries if query["sql"].lstrip("(").startswith("SELECT")]) <= 10


def test_empty_invoice_list_links_to_new_invoice(
    bob: Client, charlie: Client, organization: Organization
) -> None:
    assert "/o/alder/invoices/new/" in bob.get("/o/alder/invoices/").content.decode()
    page = charlie.get("/o/alder/invoices/").content.decode()
    assert "No invoices yet" in page
    assert "/new/" not in page


def test_invoice_search_without_result_links_to_all(charlie: Client, invoice: Invoice) -> None:
    page = charlie.get("/o/alder/invoices/?q=zzz").content.decode()
    assert "Nothing found for “zzz”" in page
    assert "Clear filters" in page


def test_invoice_list_is_scoped_to_organization(charlie: Client, mallory: Client) -> None:
    birch = Organization.objects.get(slug="birch")
    personas.sent_invoice(personas.customer(birch, "Secret Customer"))
    for query in ("", "?q=secret"):
        assert "Secret Customer" not in charlie.get(f"/o/alder/invoices/{query}").content.decode()


def test_invoice_list_sorts_longer_number_as_later(charlie: Client, dana: Customer) -> None:
    Organization.objects.update(next_invoice_number=9999)
    older, newer = personas.sent_invoice(dana), personas.sent_invoice(dana)
    assert (older.number, newer.number) == ("INV-9999", "INV-10000")
    assert listed(charlie, "?sort=number") == [older.pk, newer.pk]
    assert listed(charlie, "?sort=-number") == [newer.pk, older.pk]


def renumber(row: Invoice | Quote, number: str) -> str:
    """Gives the document another number, as one that continues those of another system."""
    type(row)._default_manager.filter(pk=row.pk).update(number=number)
    return row.pk


def test_invoice_list_sorts_numbers_alike_on_every_database(charlie: Client, dana: Customer) -> None:
    numbers = ["2025-0099", "2025-0100", "2026-0001", "\u00c9-1", "inv-2", "INV-10", "INV-10-1", "INV-10a"]
    made = [renumber(personas.sent_invoice(dana), number) for number in numbers[::-1]][::-1]
    assert listed(charlie, "?sort=number") == made
    assert listed(charlie, "?sort=-number") == made[::-1]


@pytest.mark.parametrize("q", ["re-7", "RE-0007", "RE-00007"])
def test_invoice_search_finds_number_in_any_case_and_width(charlie: Client, dana: Customer, q: str) -> None:
    found = renumber(personas.sent_invoice(dana), "RE-007")
    renumber(personas.sent_invoice(dana), "RE-008")
    assert listed(charlie, f"?q={q}") == [found]


def test_invoice_list_sorts_and_finds_customers_without_capitals_and_accents(
    charlie: Client, organization: Organization
) -> None:
    made = {
        name: personas.sent_invoice(personas.customer(organization, name, email="x@customer.example")).pk
        for name in ("Zürcher", "zebra", "Ärzte Zentrum")
    }
    assert listed(charlie, "?sort=customer") == [made[name] for name in ("Ärzte Zentrum", "zebra", "Zürcher")]
    assert listed(charlie, "?q=ärzte") == listed(charlie, "?q=ARZTE+0003") == [made["Ärzte Zentrum"]]
    assert listed(charlie, "?customer=ARZTE+ZENTRUM") == [made["Ärzte Zentrum"]]
    assert listed(charlie, "?q=%25") == listed(charlie, "?q=%CC%81") == []
    suggestions = charlie.get("/o/alder/invoices/").context["customer_suggestions"]
    assert suggestions == ["Ärzte Zentrum", "zebra", "Zürcher"]


def test_invoice_search_of_many_words_is_bounded(charlie: Client, invoice: Invoice) -> None:
    for q in ("a+b+" * 49, "%E2%91%B3" * 200, "1" * 200, "%EF%B7%BA" * 200, "%5C" * 200):
        assert charlie.get(f"/o/alder/invoices/?q={q}").status_code == 200


def test_invoice_list_sorted_column_header_reverses_order(charlie: Client, invoice: Invoice) -> None:
    page = charlie.get("/o/alder/invoices/?sort=due_on&q=dana").content.decode()
    assert page.count("aria-sort") == 1
    assert 'aria-sort="ascending"><a class="sort" href="?q=dana&amp;sort=-due_on">Due on' in page


def test_invoice_list_sort_select_offers_every_order(charlie: Client, invoice: Invoice) -> None:
    page = charlie.get("/o/alder/invoices/?sort=-due_on").content.decode()
    assert '<option value="-due_on" selected>Due on, latest first</option>' in page
    assert {key.removeprefix("-") for key, _ in index.SORT_CHOICES} == set(index.SORT_COLUMNS)


def test_invoice_list_names_unknown_sort_column(charlie: Client, invoice: Invoice) -> None:
    response = charlie.get("/o/alder/invoices/", {"sort": "password"})
    assert "There is no column “password”" in response.content.decode()
    assert len(response.context["page"].entries) == 1


# Sums.


def test_invoice_list_sums_cover_all_pages_per_currency(
    charlie: Client, dana: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyset_pages, "PAGE_ROWS", 1)
    personas.captured_payment(personas.sent_invoice(dana, 100_000), 30_000)
    personas.draft_invoice(dana, 50_000)
    personas.sent_invoice(dana, 480_000, currency="JPY")
    dollars, yen = charlie.get("/o/alder/invoices/").context["totals"]
    assert dollars == CurrencyTotals(2, usd(150_000), usd(30_000), usd(70_000))
    assert yen == CurrencyTotals(1, Money(480_000, "JPY"), Money(0, "JPY"), Money(480_000, "JPY"))


def usd(amount_minor: int) -> Money:
    return Money(amount_minor, "USD")


def test_invoice_list_sums_follow_filters(charlie: Client, invoices: dict[str, Invoice]) -> None:
    [overdue] = charlie.get("/o/alder/invoices/?status=overdue").context["totals"]
    assert overdue == CurrencyTotals(1, usd(300_000), usd(0), usd(300_000))


# Pages.


def walk(client: Client, query: str, link: str = "following") -> list[list[str]]:
    """Follows the links of all pages in one direction, from the first or from the last; returns the rows of each."""
    position, pages = "before=last" if link == "previous" else "", []
    while True:
        page = client.get(f"/o/alder/invoices/?{query}&{position}").context["page"]
        pages.append([row.pk for row in page.entries])
        if not (text := getattr(page, link)):
            return pages
        position = f"{'before' if link == 'previous' else 'after'}={text}"


def test_invoice_list_pages_show_each_invoice_once_in_both_directions(
    charlie: Client, invoices: dict[str, Invoice], dana: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In every order; most of these have the same customer, status, due date and amounts."""
    for _ in range(4):
        personas.sent_invoice(dana, 100_000, due_in=10)
    for query in ("totals=all", *(f"sort={key}" for key, _label in index.SORT_CHOICES)):
        monkeypatch.setattr(keyset_pages, "PAGE_ROWS", 50)
        [expected] = walk(charlie, query)
        assert len(expected) == 8
        monkeypatch.setattr(keyset_pages, "PAGE_ROWS", 3)
        forward, backward = walk(charlie, query), walk(charlie, query, "previous")
        assert [pk for page in forward for pk in page] == expected, query
        assert backward.pop() == expected[:3]  # the first page is full in both directions
        assert [pk for page in backward[::-1] for pk in page] == expected[-6:], query


def test_invoice_list_links_to_first_and_last_page(
    charlie: Client, dana: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyset_pages, "PAGE_ROWS", 2)
    for _ in range(5):
        personas.sent_invoice(dana)
    assert "?before=last" in charlie.get("/o/alder/invoices/").content.decode()
    last = charlie.get("/o/alder/invoices/?before=last")
    page = last.content.decode()
    assert 'href="/o/alder/invoices/">First' in page
    assert ">Next<" not in page
    assert "4–5 of 5" in page
    previous = charlie.get(f"/o/alder/invoices/?before={last.context['page'].previous}")
    assert "2–3 of 5" in previous.content.decode()


def test_invoice_list_page_neither_skips_nor_repeats_when_rows_change(
    charlie: Client, dana: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The position is not that of the row, which is paid, and another one deleted, while the member reads."""
    monkeypatch.setattr(keyset_pages, "PAGE_ROWS", 2)
    made = [personas.sent_invoice(dana, 10_000 * amount) for amount in (6, 5, 4, 3, 2)]
    url = "/o/alder/invoices/?sort=-amount_due"
    first = charlie.get(url).context["page"]
    Invoice.objects.filter(pk=made[1].pk).update(status="paid", amount_paid_minor=50_000)
    personas.sent_invoice(dana, 70_000)
    second = charlie.get(f"{url}&after={first.following}").context["page"]
    assert [row.pk for row in second.entries] == [made[2].pk, made[3].pk]
    third = charlie.get(f"{url}&after={second.following}").context["page"]
    assert [row.pk for row in third.entries] == [made[4].pk, made[1].pk]


def test_invoice_list_position_of_another_order_or_organization_is_first_page(
    charlie: Client, dana: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyset_pages, "PAGE_ROWS", 1)
    older, newer = personas.sent_invoice(dana), personas.sent_invoice(dana)
    position = charlie.get("/o/alder/invoices/").context["page"].following
    assert listed(charlie, f"?after={position}") == [older.pk]
    assert listed(charlie, f"?after={position}x") == [newer.pk]
    assert listed(charlie, f"?sort=due_on&after={position}") == [older.pk]


def test_invoice_list_of_many_adds_up_when_asked(
    charlie: Client, dana: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index, "MAX_COUNTED", 2)
    monkeypatch.setattr(keyset_pages, "PAGE_ROWS", 2)
    for _ in range(3):
        personas.sent_invoice(dana, 100_000)
    page = charlie.get("/o/alder/invoices/").content.decode()
    assert "More than 2 invoices." in page
    assert "1–2 of more than 2" in page
    assert "2 of more than 2" in charlie.get("/o/alder/invoices/?before=last").content.decode()
    assert "?totals=all" in page
    added_up = charlie.get("/o/alder/invoices/?totals=all")
    assert f"?totals=all&amp;after={added_up.context['page'].following}" in added_up.content.decode()
    [dollars] = added_up.context["totals"]
    assert dollars == CurrencyTotals(3, usd(300_000), usd(0), usd(300_000))
