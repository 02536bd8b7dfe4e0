"""Pages of a filter without few rows in an index: each looks through a limited number of rows, and none is left out."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from partway.billing.models import Customer
from partway.billing.models import search as searches
from partway.staff import keyset_pages
from partway.staff.invoices import index as invoice_index
from partway.staff.payments import pages as payment_pages
from tests.support import personas
from tests.support.personas import Team

_LISTS = {
    "invoices/": ["q=dana", "q=dana&sort=-customer", "status=overdue&q=inv", "requested=yes&sort=due_on"],
    "quotes/": ["q=dana", "q=dana&status=sent&sort=total"],
    "customers/": ["q=dana"],
    "payments/": ["q=dana", "state=succeeded", "method=card", "amount_from=100", "customer={dana}"],
}


@pytest.fixture
def team(team: Team, dana: Customer) -> Team:
    """With rows of which every other one is Dana's."""
    for person in (dana, personas.customer(team.organization, "Kenji Tanaka"), dana):
        invoice = personas.sent_invoice(person)
        personas.sent_quote(person)
        payment = personas.record_check(invoice, 20_000)
        personas.give_back(payment, 10_000)
        personas.captured_payment(invoice, 20_000)
        personas.request_payment(invoice, 5_000)
    personas.customer(team.organization, "Dana Wu")
    return team


def walk(client: Client, url: str, link: str) -> tuple[list[str], int]:
    """Returns the ids of all pages, and how many of them ended before they were full.

    The first page is full, also where it repeats rows of the one after it.
    """
    found, examined = [], 0
    position = {"previous": "last", "following": "first"}[link]
    name = {"previous": "before", "following": "after"}[link]
    for _ in range(40):
        page = client.get(f"{url}&{name}={position}").context["page"]
        ids = [entry.pk for entry in page.entries]
        found += ids[::-1] if link == "previous" else ids
        examined += bool(page.examined)
        position = getattr(page, link)
        if not position:
            return list(dict.fromkeys(found)) if link == "previous" else found, examined
    raise AssertionError(f"{url} has no end")


def limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """No filter selects few rows, and a page looks through two."""
    for module, name in (
        *((module, "MAX_COUNTED") for module in (keyset_pages, invoice_index, payment_pages)),
        *((module, "MAX_FOUND") for module in (searches, keyset_pages)),
    ):
        monkeypatch.setattr(module, name, 0)
    monkeypatch.setattr(keyset_pages, "MAX_EXAMINED", 2)
    monkeypatch.setattr(keyset_pages, "PAGE_ROWS", 2)


@pytest.mark.parametrize("page", _LISTS)
@pytest.mark.usefixtures("team")
def test_list_looks_through_limited_rows_and_leaves_none_out(
    charlie: Client, dana: Customer, monkeypatch: pytest.MonkeyPatch, page: str
) -> None:
    urls = [f"/o/alder/{page}?{query}".format(dana=dana.pk) for query in _LISTS[page]]
    whole = {url: [entry.pk for entry in charlie.get(url).context["page"].entries] for url in urls}
    limit(monkeypatch)
    ended_early = 0
    for url, ids in whole.items():
        assert ids or "overdue" in url
        onwards, examined = walk(charlie, url, "following")
        ended_early += examined
        assert onwards == ids, url
        assert walk(charlie, url, "previous")[0] == ids[::-1]
    assert ended_early


@pytest.mark.parametrize("query", ["due_from=2000-01-01", "sent_from=2000-01-01", "customer={dana}"])
@pytest.mark.usefixtures("team")
def test_filter_of_many_invoices_without_an_index_in_their_order_is_not_counted(
    charlie: Client, dana: Customer, monkeypatch: pytest.MonkeyPatch, query: str
) -> None:
    limit(monkeypatch)
    with CaptureQueriesContext(connection) as asked:
        context = charlie.get(f"/o/alder/invoices/?{query}".format(dana=dana.pk)).context
    assert context["max_counted"] is None
    assert not [each for each in asked if "AS counted" in each["sql"]]


def test_list_that_looked_through_its_limit_says_so(
    charlie: Client, team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit(monkeypatch)
    content = charlie.get("/o/alder/invoices/?q=dana").content.decode()
    assert "2 entries were looked through" in content
    assert "Look further" in content
    assert "Not counted." in content


@pytest.mark.usefixtures("team")
def test_looking_further_for_no_more_rows_says_so(charlie: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    limit(monkeypatch)
    first = charlie.get("/o/alder/invoices/?q=kenji").context["page"]
    further = charlie.get(f"/o/alder/invoices/?q=kenji&after={first.following}")
    assert (len(first.entries), list(further.context["page"].entries)) == (1, [])
    assert "Nothing more found" in further.content.decode()
