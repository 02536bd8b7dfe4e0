"""The Settle Rest dialog, the rest in Record Payment, and taking a settled rest back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from partway.billing.models import Adjustment, Invoice
from partway.billing.receivables import settlements
from partway.billing.receivables.settlements import Settlement
from partway.lib.clock import now, today
from tests.staff.payments.test_record_payment import record
from tests.staff.race_hook import race_hook
from tests.support import personas
from tests.support.html_text import text_of


@pytest.fixture
def nearly_paid(invoice: Invoice) -> Invoice:
    """$992.00 of $1,000.00 is paid."""
    personas.record_check(invoice, 99_200)
    invoice.refresh_from_db()
    return invoice


def url(invoice: Invoice) -> str:
    return f"/o/alder/invoices/{invoice.pk}/settle/"


def settle(client: Client, invoice: Invoice, *, follow: bool = False, **changes: str) -> Any:
    typed = {"settle_reason": "fee", "due_minor": str(invoice.amount_due_minor), "idempotency_key": "key-1"}
    return client.post(url(invoice), {**typed, **changes}, follow=follow)


def test_settling_redirects_with_notice(bob: Client, nearly_paid: Invoice) -> None:
    text = text_of(settle(bob, nearly_paid, follow=True, settle_note="Wire fee"))
    assert f"$8.00 of {nearly_paid.number} is settled (Bank fee), and the invoice is paid." in text
    assert "Settled $8.00" in text
    assert "Bank feeWire fee Settled $8.00" in text
    assert "Bob settled the remaining $8.00 (Bank fee)" in text


def test_settled_rest_stands_among_the_payments_by_its_day(alice: Client, invoice: Invoice) -> None:
    """Latest first, although the rest was settled after both checks were recorded."""
    on, day = today(now(), "America/New_York"), timedelta(days=1)
    personas.record_check(invoice, 50_000, paid_on=on - 2 * day, reference="No. 1")
    personas.record_check(invoice, 40_000, paid_on=on, reference="No. 2")
    rest = personas.settle_rest(invoice)
    Adjustment.objects.filter(pk=rest.pk).update(created_at=now() - day)
    text = text_of(alice.get(f"/o/alder/invoices/{invoice.pk}/"))
    table = text.partition("Timeline")[0].partition("Receipt and more")[2]
    assert table.index("No. 2") < table.index("Bank fee") < table.index("No. 1")


def test_settling_nothing_but_the_whole_says_so(alice: Client, invoice: Invoice) -> None:
    text = text_of(alice.get(url(invoice)))
    assert f"Nothing was paid on {invoice.number}, and $1,000.00 needs no payment." in text


def test_settling_twice_by_one_form_settles_once(bob: Client, nearly_paid: Invoice) -> None:
    for _ in range(2):
        assert settle(bob, nearly_paid, due_minor="800").status_code == 302
    assert Adjustment.objects.count() == 1


def test_settling_names_the_request_that_it_ends(bob: Client, invoice: Invoice) -> None:
    personas.record_check(invoice, 96_000)
    personas.request_payment(invoice, 4_000)
    invoice.refresh_from_db()
    assert "The open request for $40.00 is canceled." in text_of(bob.get(url(invoice)))
    assert "The request for $40.00 was canceled" in text_of(settle(bob, invoice, follow=True))


def test_settling_asks_for_a_reason(bob: Client, nearly_paid: Invoice) -> None:
    refused = settle(bob, nearly_paid, settle_reason="")
    assert refused.status_code == 422
    assert "Choose why the rest needs no payment." in text_of(refused)


def test_settling_another_amount_than_shown_is_stale(bob: Client, nearly_paid: Invoice) -> None:
    assert settle(bob, nearly_paid, due_minor="900").status_code == 409
    assert not Adjustment.objects.exists()


def test_settling_during_another_payment_is_stale(bob: Client, nearly_paid: Invoice) -> None:
    with race_hook(lambda: personas.record_check(nearly_paid, 300)):
        assert settle(bob, nearly_paid).status_code == 409
    assert not Adjustment.objects.exists()


@pytest.mark.parametrize(
    ("persona", "confirmed", "status"),
    [("bob", "", 422), ("bob", "on", 422), ("alice", "", 422), ("alice", "on", 302)],
)
def test_only_owner_can_settle_large_rest_and_confirms_it(
    request: pytest.FixtureRequest, invoice: Invoice, persona: str, confirmed: str, status: int
) -> None:
    client: Client = request.getfixturevalue(persona)
    personas.record_check(invoice, 94_999)
    invoice.refresh_from_db()
    assert settle(client, invoice, is_large_confirmed=confirmed).status_code == status
    assert Adjustment.objects.exists() == (status == 302)


def test_settle_of_paid_invoice_says_why_not(bob: Client, invoice: Invoice) -> None:
    personas.record_check(invoice, 100_000)
    assert "This invoice is paid, so there is nothing to settle." in text_of(bob.get(url(invoice)))


def test_settle_is_offered_once_something_is_paid(bob: Client, invoice: Invoice) -> None:
    page = f"/o/alder/invoices/{invoice.pk}/"
    assert url(invoice) not in bob.get(page).content.decode()
    personas.record_check(invoice, 99_200)
    assert url(invoice) in bob.get(page).content.decode()


# Record Payment


def test_recorded_payment_settles_rest(bob: Client, invoice: Invoice) -> None:
    text = text_of(
        record(bob, invoice, follow=True, amount="992.00", settle_reason="rounding", settle_note="Coins")
    )
    assert (
        "The payment of $992.00 is recorded. The remaining $8.00 is settled, and the invoice is paid." in text
    )
    assert "RoundingCoins Settled $8.00" in text


def test_recorded_payment_leaves_rest_due(bob: Client, invoice: Invoice) -> None:
    assert "is settled" not in text_of(record(bob, invoice, follow=True, amount="992.00", settle_reason=""))
    assert not Adjustment.objects.exists()


def test_recorded_payment_of_all_settles_nothing(bob: Client, invoice: Invoice) -> None:
    text = text_of(record(bob, invoice, follow=True, amount="1000.00", settle_reason="fee"))
    assert "is settled" not in text


def test_recorded_payment_with_large_rest_is_asked_again(alice: Client, invoice: Invoice) -> None:
    refused = record(alice, invoice, amount="400.00", settle_reason="goodwill")
    assert refused.status_code == 422
    assert "$600.00 is more than 5% of $1,000.00." in text_of(refused)
    kept = record(alice, invoice, amount="400.00", settle_reason="goodwill", is_large_confirmed="on")
    assert kept.status_code == 302


# Taken back


def test_settled_rest_is_taken_back(bob: Client, nearly_paid: Invoice) -> None:
    by = personas.owner_actor(nearly_paid.organization)
    row = settlements.settle(nearly_paid, settlement=Settlement("fee"), by=by, now=now())
    page = f"{url(nearly_paid)}{row.pk}/take-back/"
    assert "Make $8.00 due again?" in text_of(bob.get(page))
    text = text_of(bob.post(page, {}, follow=True))
    assert f"$8.00 is due again on {nearly_paid.number}." in text
    assert "Bob took back that $8.00 was settled (Bank fee)" in text
    assert "This was taken back already." in text_of(bob.get(page))
    assert bob.post(page, {}).status_code == 409


def test_adjustment_of_another_invoice_is_not_found(bob: Client, nearly_paid: Invoice) -> None:
    by = personas.owner_actor(nearly_paid.organization)
    row = settlements.settle(nearly_paid, settlement=Settlement("fee"), by=by, now=now())
    other = personas.sent_invoice(nearly_paid.customer)
    assert bob.get(f"{url(other)}{row.pk}/take-back/").status_code == 404
