"""The accounts of the journal: each has a code of its own, and each that entries use can be named."""

from __future__ import annotations

from decimal import Decimal

from partway.billing.documents import invoices
from partway.billing.documents.drafts import LineDraft
from partway.billing.events import Actor
from partway.billing.journal import accounts, entries
from partway.billing.models import Customer, Invoice
from partway.billing.people import payment_modes
from partway.billing.receivables import refunds
from partway.billing.receivables.refunds import OutsideRefund
from partway.lib.clock import today
from partway.lib.money import Money
from tests.billing.journal.test_entries import DAY, NOW, check, sent

LONG = "Transfer to the account at the bank of"


def test_accounts_of_similar_payment_modes_have_codes_of_their_own() -> None:
    modes = (f"{LONG} A", f"{LONG} B", "Wise", "wise", "To the bank", "To-the-bank", "Check")
    codes = {accounts.Chart()[f"mode:{mode}"].code for mode in modes}
    assert len(codes) == len(modes)
    assert {"1000-Wise", "1000-wise", "1000-To the bank"} < codes
    assert max(len(code) for code in codes) == accounts.MAX_CODE_LENGTH


def test_accounts_that_entries_use_can_be_named_after_they_left_the_settings(
    dana: Customer, alice: Actor
) -> None:
    organization, lines = dana.organization, (LineDraft("Stairs", Decimal(1), 50_000, Decimal("7.5")),)
    invoice = sent(dana, alice, NOW - DAY, lines=lines)
    payment = check(invoice, 60_000, alice, NOW - DAY, method="Check")
    refund = OutsideRefund(Money(1_000, "USD"), "Cash", today(NOW, organization.time_zone))
    refunds.record(dana, refund=refund, payment=payment, by=alice, now=NOW)
    invoice.refresh_from_db()
    draft = invoices.InvoiceDraft(
        customer=dana,
        currency="USD",
        due_on=invoice.due_on,
        lines=(LineDraft("Stairs", Decimal(1), 50_000, Decimal(20)),),
    )
    invoices.edit(invoice, draft=draft, expected_version=invoice.version, by=alice, now=NOW)
    payment_modes.change(organization, modes=["Wise"], by=alice, now=NOW)
    day = today(NOW, organization.time_zone)
    balances = entries.trial_balance(organization, currency="USD", since=day - 2 * DAY, until=day)
    used = {row.account for row in balances}
    assert {"mode:Check", "mode:Cash", "tax:7.5", "revenue:7.5"} < used
    assert used <= set(accounts.known_keys(organization))
    assert Invoice.objects.get().lines.get().tax_percent == Decimal(20)
