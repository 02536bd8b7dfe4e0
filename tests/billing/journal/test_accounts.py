"""The accounts of the journal: each has a code of its own, and each that entries use can be named."""

from __future__ import annotations

from decimal import Decimal

import pytest

from partway.accounts.models import Organization
from partway.billing.documents import invoices
from partway.billing.documents.drafts import LineDraft
from partway.billing.errors import Invalid, field_error
from partway.billing.events import Actor
from partway.billing.journal import accounts, entries
from partway.billing.models import Customer, Invoice
from partway.billing.people import payment_modes
from partway.billing.receivables import refunds
from partway.billing.receivables.refunds import OutsideRefund
from partway.lib.clock import today
from partway.lib.money import Money
from tests.billing.journal.test_entries import check, sent
from tests.support import personas
from tests.support.days import DAY, NOW

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
    personas.captured_payment(sent(dana, alice, NOW - DAY), 1_000)
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
    assert {"mode:Check", "mode:Cash", "transit:sandbox", "tax:7.5", "revenue:7.5"} < used
    assert used <= set(accounts.known_keys(organization))
    assert Invoice.objects.get(pk=invoice.pk).lines.get().tax_percent == Decimal(20)


def test_account_named_before_keeps_its_code_and_can_be_named_again(
    organization: Organization, alice: Actor
) -> None:
    def rename(key: str, code: str) -> None:
        accounts.rename(organization, names={key: (code, "")}, defaults={key: "Name"}, by=alice, now=NOW)

    organization.refresh_from_db()
    rename("mode:Not in the settings", "1077")
    assert "mode:Not in the settings" in accounts.known_keys(organization)
    with pytest.raises(Invalid) as refused:
        rename("credit", "1077")
    assert refused.value.fields == {"credit.code": field_error("account_code_twice", taken="1077")}
