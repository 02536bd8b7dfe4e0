"""The list of payouts, the page of one with all that is in it, and both as files."""

from __future__ import annotations

import csv
import io
import re
from datetime import date

import openpyxl
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from partway.accounts.models import Organization
from partway.billing.models import Event, Invoice, Payout
from partway.gateways.protocol import PayoutStatus
from partway.lib.money import Money
from partway.staff import keyset_pages
from tests.support import personas
from tests.support.personas import Team, payout_item

URL = "/o/alder/payouts/"


def text(client: Client, path: str) -> str:
    html = re.sub(r"</(dt|td|th)>", " ", client.get(path).content.decode())
    return " ".join(re.sub(r"<[^>]+>", "", html).split())


@pytest.fixture
def payouts(team: Team) -> dict[str, Payout]:
    """Four payouts, from the newest arrival to the oldest."""
    owner, of = team.organization, PayoutStatus
    kenji = payout_item(amount_minor=7_000, fee_minor=100, currency="JPY")
    return {
        "pending": personas.pay_out(
            owner, payout_item(), ref="po_4", status=of.PENDING, arrives_on=date(2026, 3, 5)
        ),
        "yen": personas.pay_out(owner, kenji, ref="po_3", currency="JPY", arrives_on=date(2026, 3, 4)),
        "failed": personas.pay_out(
            owner, payout_item(), ref="po_2", status=of.FAILED, arrives_on=date(2026, 3, 4)
        ),
        "paid": personas.pay_out(
            owner,
            payout_item(),
            payout_item("refund", -10_000, 0),
            payout_item("fee", 0, 900),
            ref="po_1",
            arrives_on=date(2026, 3, 2),
        ),
    }


def listed(client: Client, **query: str) -> list[str]:
    return [payout.gateway_ref for payout in client.get(URL, query).context["page"].entries]


def test_payout_list_has_the_newest_arrival_first(charlie: Client, payouts: dict[str, Payout]) -> None:
    assert listed(charlie) == ["po_4", "po_2", "po_3", "po_1"]
    page = text(charlie, URL)
    for shown in ("Mar 5, 2026", "3 entries", "On its way", "Failed", "$186.55", "¥6,900"):
        assert shown in page


def test_payout_totals_are_by_currency_and_leave_out_what_failed(
    charlie: Client, payouts: dict[str, Payout]
) -> None:
    usd, jpy = charlie.get(URL).context["totals"]
    assert (usd.count, usd.pending, usd.paid) == (3, Money(29_555, "USD"), Money(18_655, "USD"))
    assert (jpy.count, jpy.pending, jpy.paid) == (1, Money(0, "JPY"), Money(6_900, "JPY"))


@pytest.mark.parametrize(
    ("query", "refs"),
    [
        ({"state": "paid"}, ["po_3", "po_1"]),
        ({"state": "failed"}, ["po_2"]),
        ({"arrives_from": "2026-03-04", "arrives_until": "2026-03-04"}, ["po_2", "po_3"]),
        ({"arrives_until": "2026-03-03"}, ["po_1"]),
        ({"payout": "po_3"}, ["po_3"]),
        ({"payout": "po_9"}, []),
        ({"state": "x"}, ["po_4", "po_2", "po_3", "po_1"]),
        ({"arrives_from": "x"}, ["po_4", "po_2", "po_3", "po_1"]),
    ],
)
def test_payout_list_filters(
    charlie: Client, payouts: dict[str, Payout], query: dict[str, str], refs: list[str]
) -> None:
    response = charlie.get(URL, query)
    assert [payout.gateway_ref for payout in response.context["page"].entries] == refs
    assert len(response.context["filter_errors"]) == ("x" in query.values())


def test_payout_pages_follow_each_other(
    charlie: Client, payouts: dict[str, Payout], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyset_pages, "PAGE_ROWS", 3)
    following = charlie.get(URL).context["page"].following
    assert listed(charlie, after=following) == ["po_1"]
    assert listed(charlie, before="last") == ["po_2", "po_3", "po_1"]
    previous = charlie.get(URL, {"before": "last"}).context["page"].previous
    assert listed(charlie, before=previous) == ["po_4", "po_2", "po_3"]  # the first page, in full
    assert "2–4 of 4" in charlie.get(URL, {"before": "last"}).content.decode()


def test_payout_pages_start_within_an_index(organization: Organization) -> None:
    rows = Payout.objects.for_organization(organization).filter(arrives_on__lte=date(2026, 3, 2))
    if connection.vendor == "sqlite":  # PostgreSQL estimates costs, which in an empty database say nothing
        plan = rows.order_by("-arrives_on", "-pk")[:50].explain()
        assert "payout_newest" in plan
        assert "TEMP B-TREE" not in plan


def test_payout_page_shows_what_is_in_it(charlie: Client, invoice: Invoice) -> None:
    payment = personas.captured_payment(invoice, 30_000, fee=Money(445, "USD"))
    refund = personas.refund_in_dashboard(payment, 10_000)
    payout = personas.pay_out(
        invoice.organization,
        payout_item(),
        payout_item("refund", -10_000, 0, source_ref="re_1"),
        payout_item("payment", 2_000, 100, checkout_ref="co_of_the_shop"),
        payout_item("fee", 0, 900, ref="be_month"),
    )
    items = payout.items.filter(position__lte=1)
    items.update(payment=payment)
    items.filter(kind="refund").update(refund=refund)
    page = text(charlie, f"{URL}{payout.pk}/")
    for shown in (
        "$205.55",
        "Payment $320.00 Refund −$100.00 Fee $0.00 Fees −$14.45",
        "Payment INV-0001 Dana Whitfield $300.00 Fee $4.45 Net $295.55",
        "Refund INV-0001 Dana Whitfield −$100.00 Fee $0.00 Net −$100.00",
        "co_of_the_shop $20.00",
        "be_month",
        "Paid out",
        "The payment service paid out $205.55",
    ):
        assert shown in page
    in_payout = text(charlie, f"/o/alder/payments/{payment.pk}/")
    assert "In payout $205.55" in in_payout


def test_payout_page_names_the_sum_of_entries_that_do_not_add_up(
    charlie: Client, organization: Organization
) -> None:
    payout = personas.pay_out(organization, payout_item())
    assert "All entries" not in text(charlie, f"{URL}{payout.pk}/")
    Payout.objects.update(amount_minor=29_556)
    assert "All entries $295.55" in text(charlie, f"{URL}{payout.pk}/")


@pytest.mark.parametrize("path", ["", "{pk}/"])
def test_payout_page_query_count_is_constant(charlie: Client, organization: Organization, path: str) -> None:
    items = [payout_item(ref=f"be_{number}") for number in range(5)]
    for number in range(3):
        payout = personas.pay_out(organization, *items, ref=f"po_{number}")
    with CaptureQueriesContext(connection) as queries:
        charlie.get(f"{URL}{path.format(pk=payout.pk)}")
    # What begins and ends the snapshot of the list differs by database.
    read = [query for query in queries if query["sql"].lstrip("(").startswith("SELECT")]
    assert len(read) == (10 if path else 8)


def test_empty_payout_list_says_what_payouts_are(charlie: Client) -> None:
    assert "No payouts yet" in charlie.get(URL).content.decode()


def test_payouts_are_scoped_to_organization(charlie: Client, mallory: Client) -> None:
    birch = Organization.objects.get(slug="birch")
    theirs = personas.pay_out(birch, payout_item(), ref="po_secret")
    for query in ({}, {"payout": theirs.pk}, {"after": theirs.pk}):
        assert "po_secret" not in charlie.get(URL, query).content.decode()
    assert charlie.get(f"{URL}{theirs.pk}/").status_code == 404


# Files


def lines(client: Client, **query: str) -> list[dict[str, str]]:
    content = b"".join(client.get(f"{URL}csv/", query).streaming_content)  # type: ignore[attr-defined]
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


def test_payout_csv_has_a_row_for_each_entry(charlie: Client, payouts: dict[str, Payout]) -> None:
    rows = lines(charlie, state="paid", arrives_until="2026-03-03")
    assert [(row["Kind"], row["Amount"], row["Fee"], row["Net"], row["Payout"]) for row in rows] == [
        ("Payment", "300.00", "4.45", "295.55", "186.55"),
        ("Refund", "-100.00", "0.00", "-100.00", "186.55"),
        ("Fee", "0.00", "9.00", "-9.00", "186.55"),
    ]
    assert [row["Payout id of the payment service"] for row in lines(charlie)][:2] == ["po_4", "po_2"]
    event = Event.objects.filter(type="organization.payouts_exported").latest("created_at", "pk")
    assert (event.actor_label, event.data) == ("Charlie", {"filters": "", "format": "csv"})


def test_payout_xlsx_has_numbers_and_dates(charlie: Client, payouts: dict[str, Payout]) -> None:
    response = charlie.get(f"{URL}xlsx/", {"payout": payouts["paid"].pk})
    content = b"".join(response.streaming_content)  # type: ignore[attr-defined]
    header, first, *others = openpyxl.load_workbook(io.BytesIO(content)).active.iter_rows(values_only=True)
    row = dict(zip(header, first, strict=True))
    assert len(others) == 2
    assert (row["Arrives on"].date(), row["Net"]) == (date(2026, 3, 2), 295.55)
