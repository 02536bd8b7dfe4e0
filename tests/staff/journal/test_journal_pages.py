"""The pages of the journal: entries by position, trial balance, the sheet of an account, closing, names of accounts."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from partway.billing.models import Closing, Invoice, LedgerAccount
from partway.lib.clock import now, today
from partway.staff.journal import index
from tests.support import personas

DAY = timedelta(days=1)
PAGE, BALANCES, ACCOUNT = (f"/o/alder/journal/{page}" for page in ("", "balances/", "account/"))
CLOSE, REOPEN, ACCOUNTS = (f"/o/alder/journal/{page}/" for page in ("close", "reopen", "accounts"))


@pytest.fixture
def yesterday(invoice: Invoice) -> str:
    return (today(now(), invoice.organization.time_zone) - DAY).isoformat()


def page(client: Client, url: str = PAGE, **query: str) -> str:
    return client.get(url, query).content.decode()


def test_journal_shows_entries_of_this_month_with_their_accounts(charlie: Client, invoice: Invoice) -> None:
    personas.record_check(invoice, 30_000)
    text = page(charlie)
    assert "Invoice INV-0001" in text
    assert "Payment of INV-0001" in text
    assert "Dana Whitfield · Check" in text
    assert "Received: Check" in text
    assert "Nothing was booked in this period" in page(
        charlie, **{"from": "2020-01-01", "until": "2020-01-31"}
    )


def test_journal_reads_period_and_currency_from_the_address(charlie: Client, invoice: Invoice) -> None:
    personas.sent_invoice(invoice.customer, currency="KWD")
    assert "Invoice INV-0002" in page(charlie, currency="kwd")
    assert "“x” is not a currency." in page(charlie, currency="x")
    assert "“May” is not a date." in page(charlie, **{"from": "May"})
    quarter = page(charlie, **{"from": "2026-01-01", "until": "2026-03-31"})
    assert "from=2025-10-01&amp;until=2025-12-31" in quarter
    assert "from=2026-04-01&amp;until=2026-06-30" in quarter
    assert "from=2026-01-01&amp;until=2026-12-31" in quarter
    assert (
        charlie.get(PAGE, {"from": "", "until": "2026-03-31"})
        .headers["Location"]
        .endswith("?until=2026-03-31")
    )


def test_journal_pages_by_the_number_of_the_last_entry(
    charlie: Client, invoice: Invoice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index, "PAGE_ROWS", 1)
    personas.record_check(invoice, 30_000)
    first = charlie.get(PAGE).context
    assert [row.description for row in first["rows"]] == ["Invoice INV-0001"]
    second = charlie.get(PAGE, {"after": first["next_after"]}).context
    assert ([row.description for row in second["rows"]], second["next_after"]) == (
        ["Payment of INV-0001"],
        "",
    )
    assert charlie.get(PAGE, {"after": "nonsense"}).context["rows"][0].description == "Invoice INV-0001"


def test_trial_balance_sums_to_zero_and_names_receivables(charlie: Client, invoice: Invoice) -> None:
    personas.record_check(invoice, 30_000)
    context = charlie.get(BALANCES).context
    assert context["totals"]["closing"].amount_minor == 0
    assert context["totals"]["debit"] == context["totals"]["credit"]
    assert context["receivables"].amount_minor == 70_000
    assert "Nothing was booked until then" in page(charlie, BALANCES, until="2020-01-31")


def test_account_sheet_runs_from_opening_to_closing_balance(charlie: Client, invoice: Invoice) -> None:
    personas.record_check(invoice, 30_000)
    personas.record_check(invoice, 20_000)
    rows = charlie.get(ACCOUNT, {"account": "receivables"}).context["rows"]
    assert [balance.amount_minor for _, _, balance in rows] == [100_000, 70_000, 50_000]
    assert charlie.get(ACCOUNT, {"account": "tax:99"}).status_code == 404
    earlier = {"account": "mode:Check", "from": "2020-01-01", "until": "2020-01-31"}
    assert charlie.get(ACCOUNT, earlier).context["balance"].closing.amount_minor == 0


def test_owner_closes_and_reopens_a_period(alice: Client, invoice: Invoice, yesterday: str) -> None:
    assert yesterday[:8] in page(alice, CLOSE) or "-31" in page(alice, CLOSE) or "-30" in page(alice, CLOSE)
    assert alice.post(CLOSE, {"through": yesterday, "closed": ""}).headers["Location"] == PAGE
    assert "The journal is closed through" in page(alice)
    refused = alice.post(CLOSE, {"through": "2099-01-01", "closed": yesterday})
    assert (refused.status_code, "Only days that are over can be closed" in refused.content.decode()) == (
        422,
        True,
    )
    stale = alice.post(REOPEN, {"since": yesterday, "reason": "A check.", "closed": ""})
    assert stale.status_code == 409
    alice.post(REOPEN, {"since": yesterday, "reason": "A check.", "closed": yesterday})
    assert [row.is_reopening for row in Closing.objects.order_by("created_at")] == [False, True]
    assert "opened a closed period of the journal again" in page(alice, "/o/alder/settings/audit/")


def test_payment_of_a_closed_day_says_where_it_belongs(
    alice: Client, invoice: Invoice, yesterday: str
) -> None:
    alice.post(CLOSE, {"through": yesterday, "closed": ""})
    personas.record_check(invoice, 30_000, paid_on=today(now(), invoice.organization.time_zone) - 3 * DAY)
    assert "because that period was closed" in page(alice)


def test_owner_names_accounts_with_unique_codes(alice: Client, invoice: Invoice) -> None:
    form = alice.get(ACCOUNTS).context["form"]
    shown = {name: form[name].value() for name in form.fields}
    initial = {"initial": form.initial_json()}
    alice.post(ACCOUNTS, {**shown, **initial, "receivables.code": "1400", "receivables.name": "Debtors"})
    assert [(row.key, row.code, row.name) for row in LedgerAccount.objects.all()] == [
        ("receivables", "1400", "Debtors")
    ]
    assert "Debtors" in page(alice)
    renamed = {**shown, "receivables.code": "1400", "receivables.name": "Debtors"}
    twice = alice.post(ACCOUNTS, {**renamed, "credit.code": "1400"})
    assert (twice.status_code, "Another account has the code 1400." in twice.content.decode()) == (422, True)
    too_long = alice.post(ACCOUNTS, {**renamed, "credit.name": "ж" * 81})
    assert (too_long.status_code, "ж" * 81 in too_long.content.decode()) == (422, True)
    # The first page is outdated now, and would undo the names.
    assert alice.post(ACCOUNTS, {**shown, **initial, "credit.name": "X"}).status_code == 409
    alice.post(ACCOUNTS, {**renamed, "receivables.code": "", "receivables.name": ""})
    assert not LedgerAccount.objects.exists()
