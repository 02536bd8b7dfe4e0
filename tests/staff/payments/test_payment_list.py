"""The list of payments: its order over all kinds, its filters, its totals, and its pages."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from partway.accounts.models import Organization
from partway.billing.models import Adjustment, Customer, Invoice, Payment, Refund
from partway.lib.clock import now, today
from partway.lib.money import Money
from partway.staff import keyset_pages
from partway.staff.payments import index as payment_index
from partway.staff.payments import pages, sources
from partway.staff.payments.pages import CurrencyTotals
from partway.staff.payments.sources import Position, Source
from tests.support import personas
from tests.support.concurrency import meanwhile
from tests.support.personas import Team

URL = "/o/alder/payments/"


@pytest.fixture
def rows(team: Team) -> dict[str, str]:
    """The ids of one row of each kind, from the oldest payment date to the newest."""
    dana = personas.customer(team.organization)
    kenji = personas.customer(team.organization, "Kenji Tanaka")
    first, second = personas.sent_invoice(dana), personas.sent_invoice(kenji, 50_000)
    day = today(now(), team.organization.time_zone)
    check = personas.record_check(first, 40_000, paid_on=day - timedelta(days=3), reference="Rück 118")
    refund = personas.give_back(check, 10_000)
    refund.refunded_on, refund.reference = day - timedelta(days=2), "Überweisung 9"
    refund.save(update_fields=["refunded_on", "reference"])
    fee = personas.settle_rest(first)
    Adjustment.objects.update(created_at=now() - timedelta(days=1))
    card = personas.captured_payment(second, 20_000, request=personas.request_payment(second, 20_000))
    waiting = personas.pending_payment(second, 5_000)
    return {
        "check": check.pk,
        "refund": refund.pk,
        "fee": fee.pk,
        "card": card.pk,
        "waiting": waiting.pk,
    }


def listed(client: Client, **query: str) -> list[str]:
    return [entry.pk for entry in client.get(URL, query).context["page"].entries]


def test_payment_list_has_all_kinds_by_payment_date(charlie: Client, rows: dict[str, str]) -> None:
    assert listed(charlie) == list(rows.values())[::-1]
    assert "Rück 118" in charlie.get(URL).content.decode()


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ({"kind": "payment"}, {"check", "card", "waiting"}),
        ({"kind": "refund"}, {"refund"}),
        ({"kind": "adjustment"}, {"fee"}),
        ({"state": "succeeded"}, {"check", "refund", "card"}),
        ({"state": "in_progress"}, {"waiting"}),
        ({"state": "partly_refunded"}, {"check"}),
        ({"state": "refunded"}, set()),
        ({"state": "settled"}, {"fee"}),
        ({"state": "failed"}, set()),
        ({"method": "Check"}, {"check"}),
        ({"method": "Cash"}, {"refund"}),
        ({"method": "card"}, {"card"}),
        ({"gateway": "sandbox"}, {"card", "waiting"}),
        ({"gateway": "offline"}, {"check", "refund"}),
        ({"customer": "Kenji Tanaka"}, {"card", "waiting"}),
        ({"amount_from": "100", "amount_until": "250"}, {"refund", "card"}),
        ({"amount_from": "400", "amount_until": "400"}, {"check"}),
        ({"amount_from": "400.01"}, {"fee"}),
        ({"amount_until": "99"}, {"waiting"}),
        ({"amount_from": "1", "currency": "eur"}, set()),
        ({"currency": "USD"}, {"check", "refund", "fee", "card", "waiting"}),
        ({"q": "ruck"}, {"check", "refund"}),
        ({"q": "UEBERWEISUNG ruck dana"}, {"refund"}),
        ({"q": "kenji"}, {"card", "waiting"}),
        ({"q": "0001"}, {"check", "refund", "fee"}),
        ({"q": "kenji 0001"}, set()),
        ({"q": "dana", "kind": "refund"}, {"refund"}),
        ({"q": "%"}, set()),
    ],
)
def test_payment_list_filters(
    charlie: Client, rows: dict[str, str], query: dict[str, str], keys: set[str]
) -> None:
    assert set(listed(charlie, **query)) == {rows[key] for key in keys}


def test_payment_list_filters_by_id_and_member(charlie: Client, rows: dict[str, str], team: Team) -> None:
    assert listed(charlie, q=rows["refund"]) == [rows["refund"]]
    asked_or_recorded = {rows[key] for key in ("check", "refund", "fee", "card")}
    assert set(listed(charlie, member=team.alice.pk)) == asked_or_recorded
    assert listed(charlie, member=team.bob.pk) == []


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"kind": "x"}, "There is no kind “x”."),
        ({"state": "x"}, "There is no state “x”."),
        ({"gateway": "x"}, "There is no payment service “x”."),
        ({"member": "x"}, "There is no member “x”."),
        ({"customer": "x"}, "There is no customer “x”."),
        ({"paid_from": "x"}, "“x” is not a date."),
        ({"paid_from": "2026-11-02", "paid_until": "2026-11-01"}, "swap the two dates"),
        ({"amount_from": "2", "amount_until": "1"}, "swap the two amounts"),
        ({"amount_from": "1,23"}, "1.23"),
        ({"amount_from": "1", "currency": "XXX"}, "“XXX” is not a currency."),
        ({"q": "x" * 201}, "more than 200 letters"),
    ],
)
def test_payment_list_leaves_out_filter_that_cannot_be_read(
    charlie: Client, rows: dict[str, str], query: dict[str, str], message: str
) -> None:
    response = charlie.get(URL, query)
    assert len(response.context["page"].entries) == len(rows)
    assert message in response.content.decode()


@pytest.mark.parametrize(
    ("query", "label"),
    [
        ({"amount_from": "100", "amount_until": "100"}, "$100.00"),
        ({"amount_from": "0", "amount_until": "100"}, "$0.00 – $100.00"),
        ({"amount_from": "100"}, "at least $100.00"),
        ({"amount_until": "7", "currency": "jpy"}, "at most ¥7"),
        ({"currency": "KWD"}, "in KWD"),
    ],
)
def test_amount_filter_is_named_with_its_currency(charlie: Client, query: dict[str, str], label: str) -> None:
    assert [chip.message for chip in charlie.get(URL, query).context["chips"]] == [label]


def test_payment_list_days_are_those_of_the_organization(charlie: Client, invoice: Invoice) -> None:
    late = personas.captured_payment(invoice, 10_000)
    Payment.objects.update(settled_at=datetime(2026, 3, 2, 4, 30, tzinfo=UTC))  # 23:30 in New York
    check = personas.record_check(invoice, 10_000, paid_on=date(2026, 3, 2))
    assert listed(charlie) == [check.pk, late.pk]
    assert listed(charlie, paid_from="2026-03-01", paid_until="2026-03-01") == [late.pk]
    assert listed(charlie, paid_from="2026-03-02") == [check.pk]


def test_payment_totals_count_money_that_moved(charlie: Client, rows: dict[str, str], dana: Customer) -> None:
    personas.record_check(personas.sent_invoice(dana, 7_000, currency="JPY"), 7_000)
    bounced = personas.record_check(personas.sent_invoice(dana, 9_000), 9_000)
    personas.reverse_check(bounced)
    usd, jpy = (Money(0, currency) for currency in ("USD", "JPY"))
    in_dollars = CurrencyTotals(6, Money(60_000, "USD"), Money(10_000, "USD"), Money(70_000, "USD"), usd)
    in_yen = CurrencyTotals(1, Money(7_000, "JPY"), jpy, jpy, jpy)
    totals = charlie.get(URL).context["totals"]
    assert totals == [in_dollars, in_yen]
    assert totals[0].net == Money(50_000, "USD")
    refunds = charlie.get(URL, {"kind": "refund"}).context["totals"]
    assert refunds == [CurrencyTotals(1, usd, Money(10_000, "USD"), usd, usd)]


def test_payment_list_shows_fees_and_adds_them_up_by_their_own_currency(
    charlie: Client, invoice: Invoice
) -> None:
    dollars = personas.captured_payment(invoice, 30_000, fee=Money(445, "USD"))
    personas.refund_in_dashboard(dollars, 10_000, fee=Money(-30, "USD"))
    dispute = personas.dispute(dollars, 5_000, "lost", fee=Money(1_500, "USD"))
    euros = personas.captured_payment(invoice, 10_000, fee=Money(120, "EUR"))
    unsaid = personas.captured_payment(invoice, 5_000)
    check = personas.record_check(invoice, 1_000)
    response = charlie.get(URL)
    by_id = {entry.pk: (entry.fee, entry.net) for entry in response.context["page"].entries}
    assert by_id[dollars.pk] == (Money(445, "USD"), Money(29_555, "USD"))
    assert by_id[dollars.refunds.get().pk] == (Money(-30, "USD"), Money(-9_970, "USD"))
    assert by_id[dispute.pk] == (Money(1_500, "USD"), Money(-6_500, "USD"))
    assert by_id[euros.pk] == (Money(120, "EUR"), None)
    assert (by_id[unsaid.pk], by_id[check.pk]) == ((None, None), (None, Money(1_000, "USD")))
    usd, eur = response.context["totals"]
    assert (usd.fees, usd.net) == (Money(1_915, "USD"), Money(46_000 - 10_000 - 5_000 - 1_915, "USD"))
    assert (eur.count, eur.money_in, eur.fees) == (0, Money(0, "EUR"), Money(120, "EUR"))


def test_payment_list_has_refunds_through_the_gateway(charlie: Client, invoice: Invoice) -> None:
    payment = personas.captured_payment(invoice, 30_000)
    refund = personas.refund_in_dashboard(payment, 10_000)
    assert listed(charlie, kind="refund", state="succeeded", method="card") == [refund.pk]
    assert listed(charlie, q=refund.gateway_ref) == [refund.pk]
    assert charlie.get(URL).context["totals"][0].money_out == Money(10_000, "USD")
    personas.fail_refund(refund)
    assert listed(charlie, state="failed") == [refund.pk]
    [totals] = charlie.get(URL).context["totals"]
    assert (totals.money_in, totals.money_out) == (Money(30_000, "USD"), Money(0, "USD"))
    Refund.objects.update(status="pending", next_refresh_at=now())
    assert listed(charlie, state="in_progress") == [refund.pk]
    assert "On its way" in charlie.get(URL, {"kind": "refund"}).content.decode()


def walk(client: Client, link: str, query: str = "") -> list[list[str]]:
    """The ids of each page from `query` on, by its link to the next or the previous one."""
    found = []
    while True:
        page = client.get(f"{URL}{query}").context["page"]
        found.append([entry.pk for entry in page.entries])
        if link == "next" and page.following:
            query = f"?after={page.following}"
        elif link == "prev" and page.previous:
            query = f"?before={page.previous}"
        else:
            return found


def test_payment_pages_follow_each_other(
    charlie: Client, rows: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyset_pages, "PAGE_ROWS", 2)
    newest_first = list(rows.values())[::-1]
    assert walk(charlie, "next") == [newest_first[:2], newest_first[2:4], newest_first[4:]]
    assert walk(charlie, "prev", "?before=last") == [newest_first[3:], newest_first[1:3], newest_first[:2]]
    first = charlie.get(URL).context["page"]
    assert "3–4 of 5" in charlie.get(URL, {"after": first.following}).content.decode()
    second = charlie.get(URL, {"after": first.following}).context["page"]
    assert "1–2 of 5" in charlie.get(URL, {"before": second.previous}).content.decode()
    # A position with other filters, and one of no list.
    assert listed(charlie, after=second.following, kind="payment") == [rows["check"]]
    assert listed(charlie, after="pay_0") == newest_first[:2]


def test_payment_list_of_many_adds_up_when_asked(
    charlie: Client, rows: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (payment_index, keyset_pages, pages):
        monkeypatch.setattr(module, "MAX_COUNTED", 3)
    monkeypatch.setattr(keyset_pages, "PAGE_ROWS", 2)
    page = charlie.get(URL).content.decode()
    assert "More than 3 entries." in page
    assert "1–2 of more than 3" in page
    added_up = charlie.get(URL, {"totals": "all"})
    assert [each.count for each in added_up.context["totals"]] == [5]
    following = added_up.context["page"].following
    assert f"?totals=all&amp;after={following}" in added_up.content.decode()


def test_payment_pages_keep_rows_of_one_moment_apart(
    charlie: Client, invoice: Invoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyset_pages, "PAGE_ROWS", 1)
    at = datetime(2026, 3, 2, 12, tzinfo=UTC)
    made = [personas.captured_payment(invoice, 1_000).pk for _ in range(2)]
    made += [personas.record_check(invoice, 1_000, paid_on=date(2026, 3, 2)).pk for _ in range(2)]
    made += [personas.give_back(Payment.objects.get(pk=made[0]), 100).pk]
    Payment.objects.update(created_at=at)
    Payment.objects.filter(paid_on=None).update(settled_at=at)
    Refund.objects.update(created_at=at, refunded_on=date(2026, 3, 2))
    newest_first = [[pk] for pk in sorted(made, reverse=True)]
    assert walk(charlie, "next") == newest_first
    assert walk(charlie, "prev", "?before=last") == newest_first[::-1]


def test_payment_list_has_disputes_and_counts_lost_ones_as_money_out(charlie: Client, dana: Customer) -> None:
    payments = [personas.captured_payment(personas.sent_invoice(dana), 10_000) for _ in range(3)]
    opened, lost, won = (
        personas.dispute(payment, 4_000, status)
        for payment, status in zip(payments, ("open", "lost", "won"), strict=True)
    )
    for query, found in (
        ({"kind": "dispute"}, [won, lost, opened]),
        ({"state": "disputed"}, [opened, payments[0]]),
        ({"state": "lost"}, [lost, payments[1]]),
        ({"state": "won"}, [won]),
        ({"q": "dp_1"}, [won, lost, opened]),
        ({"kind": "dispute", "method": "card", "gateway": "sandbox"}, [won, lost, opened]),
    ):
        assert listed(charlie, **query) == [row.pk for row in found]
    [totals] = charlie.get(URL).context["totals"]
    assert (totals.money_in, totals.money_out) == (Money(30_000, "USD"), Money(4_000, "USD"))


def test_payment_list_query_count_is_constant(charlie: Client, dana: Customer) -> None:
    for _ in range(3):
        invoice = personas.sent_invoice(dana)
        payment = personas.record_check(invoice, 40_000)
        personas.captured_payment(invoice, 10_000)
        personas.give_back(payment, 100)
        personas.settle_rest(invoice)
    with CaptureQueriesContext(connection) as queries:
        newest_first = listed(charlie)
        assert listed(charlie, before="last") == newest_first
    assert len(newest_first) == 12
    # What begins and ends the snapshot differs by database.
    assert len([query for query in queries if query["sql"].lstrip("(").startswith("SELECT")]) == 53


@pytest.mark.parametrize(
    ("source", "index"),
    [
        (sources.ONLINE, "payment_by_moment"),
        (sources.OFFLINE, "payment_by_paid_on"),
        (sources.DISPUTES, "dispute_by_moment"),
        (sources.ADJUSTMENTS, "adjustment_newest"),
    ],
)
def test_payment_pages_start_within_an_index(organization: Organization, source: Source, index: str) -> None:
    anchor = Position(date(2026, 3, 2), datetime(2026, 3, 2, 12, tzinfo=UTC), "pay_0")
    rows = source.select(organization).order_by(*source.order()).values_list(*source.columns)
    if connection.vendor == "sqlite":  # PostgreSQL estimates costs, which in an empty database say nothing
        for part in (rows[:50], rows.filter(source.older(anchor, "America/New_York"))[:50]):
            assert index in part.explain()
            assert "TEMP B-TREE" not in part.explain()


def test_payment_list_is_scoped_to_organization(charlie: Client, mallory: Client) -> None:
    birch = Organization.objects.get(slug="birch")
    secret = personas.record_check(personas.sent_invoice(personas.customer(birch, "Secret Customer")), 100)
    for query in ({}, {"q": "secret"}, {"q": secret.pk}, {"after": secret.pk}):
        assert "Secret Customer" not in charlie.get(URL, query).content.decode()


def test_empty_payment_list_says_where_payments_come_from(charlie: Client, team: Team) -> None:
    page = charlie.get(URL).content.decode()
    assert "No payments yet" in page
    assert "No payments yet" not in charlie.get(URL, {"kind": "refund"}).content.decode()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("page", "table"), [("payments", "billing_adjustment"), ("payouts", "billing_payout")]
)
def test_totals_are_of_the_rows_that_are_shown(team: Team, alice: Client, page: str, table: str) -> None:
    invoice = personas.sent_invoice(personas.customer(team.organization))

    def change() -> None:
        personas.settle_rest(invoice)
        personas.pay_out(team.organization, personas.payout_item())

    with meanwhile(table, change, after=1):
        shown = alice.get(f"/o/alder/{page}/").context
    assert (shown["totals"], list(shown["page"].entries)) == ([], [])
