"""Quotes by a program: written with a deposit, sent, accepted, paid in full, and invoiced."""

from __future__ import annotations

from typing import Any

import pytest

from partway.accounts.models import Organization
from partway.billing.documents import quote_terms
from partway.billing.models import Customer, QuoteTerms
from tests.api.calls import LINES, PAID
from tests.api.program import Program, problem
from tests.support import personas


def write(program: Program, customer: Customer, **changes: Any) -> Any:
    return program.post("/quotes", {"customer": customer.pk, "lines": LINES, **changes}).json()


def test_quote_is_accepted_its_deposit_paid_and_on_its_invoice(collector: Program, dana: Customer) -> None:
    draft = write(collector, dana, deposit={"percent": "30"}, valid_until="2035-01-31")
    path = f"/quotes/{draft['id']}"
    assert (draft["status"], draft["deposit_amount"], draft["deposit_due"]) == ("draft", 32_475, 0)
    assert (draft["valid_until"], draft["url"]) == ("2035-01-31", None)
    assert collector.post(f"{path}/send").json()["url"]
    assert problem(collector.post(f"{path}/payments", PAID)) == (409, "conflict")
    accepted = collector.post(f"{path}/accept", {"name": "Dana W."}).json()
    assert (accepted["deposit_due"], accepted["deposit_status"]) == (32_475, "due")
    assert problem(collector.post(f"{path}/payments", {**PAID, "amount": 32_474})) == (
        422,
        "deposit_not_divisible",
    )
    paid = collector.post(f"{path}/payments", {**PAID, "amount": 32_475}).json()
    assert (paid["quote"], paid["amount_unallocated"]) == (draft["id"], 32_475)
    made = collector.post(f"{path}/invoice").json()
    shown = collector.get(path).json()
    assert (shown["status"], shown["deposit_status"], shown["invoice"]) == ("invoiced", "paid", made["id"])
    assert collector.post(f"/invoices/{made['id']}/send").json()["amount_paid"] == 32_475


def test_deposit_is_that_of_the_settings_unless_the_program_says_otherwise(
    collector: Program, dana: Customer, organization: Organization
) -> None:
    QuoteTerms.objects.create(organization=organization, deposit_kind="percent", deposit_percent=20)
    assert quote_terms.get(organization).deposit_percent == 20
    assert write(collector, dana)["deposit"] == {"percent": "20", "amount": None}
    assert write(collector, dana, deposit=None)["deposit"] is None
    assert write(collector, dana, deposit={"amount": 500})["deposit_amount"] == 500


def test_change_of_a_draft_keeps_fields_that_are_left_out(collector: Program, dana: Customer) -> None:
    draft = write(collector, dana, deposit={"amount": 500}, notes="Thank you.")
    path = f"/quotes/{draft['id']}"
    changed = collector.patch(path, {"version": 1, "valid_until": "2035-01-31"}).json()
    kept = ("lines", "deposit", "notes", "customer", "total")
    assert {name: changed[name] for name in kept} == {name: draft[name] for name in kept}
    assert collector.patch(path, {"version": 2, "deposit": None}).json()["deposit"] is None
    assert problem(collector.patch(path, {"version": 2})) == (409, "stale")


def test_quote_ends_by_a_no_or_by_withdrawing(collector: Program, dana: Customer) -> None:
    first, second = personas.sent_quote(dana), personas.sent_quote(dana)
    said_no = {"name": "Dana W.", "note": "Too expensive."}
    assert collector.post(f"/quotes/{first.pk}/decline", said_no).json()["status"] == "declined"
    withdrawn = collector.post(f"/quotes/{second.pk}/withdraw").json()
    assert (withdrawn["status"], withdrawn["url"]) == ("withdrawn", None)
    assert problem(collector.post(f"/quotes/{second.pk}/accept", said_no)) == (409, "too_late")


@pytest.mark.parametrize(
    "deposit", [{}, {"percent": "30", "amount": 1}, {"amount": 108_251}, {"percent": "101"}]
)
def test_wrong_deposit_is_refused(collector: Program, dana: Customer, deposit: dict[str, Any]) -> None:
    body = {"customer": dana.pk, "lines": LINES, "deposit": deposit}
    assert problem(collector.post("/quotes", body)) == (422, "invalid")


def test_quotes_are_filtered(reader: Program, dana: Customer) -> None:
    sent, draft = personas.sent_quote(dana), personas.draft_quote(dana)
    wanted = {
        "status=sent": [sent.pk],
        f"customer={dana.pk}": [draft.pk, sent.pk],
        f"search={sent.number}": [sent.pk],
        "created_until=2000-01-01T00:00:00Z": [],
        "updated_since=2000-01-01T00:00:00Z&status=draft": [draft.pk],
    }
    found = {query: [row["id"] for row in reader.get(f"/quotes?{query}").json()["data"]] for query in wanted}
    assert found == wanted
