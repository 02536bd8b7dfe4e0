"""Files and pages of the journal are of one moment, whatever is booked while they are read."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from partway.billing.models import Invoice, Payment
from partway.lib.clock import now, today
from tests.support import personas
from tests.support.concurrency import meanwhile

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("page", ["balances/", "account/"])
def test_page_of_journal_is_balanced_while_an_invoice_is_edited(
    charlie: Client, invoice: Invoice, page: str
) -> None:
    with meanwhile("billing_invoiceline", lambda: personas.edit_invoice(invoice, 200_000)):
        context = charlie.get(f"/o/alder/journal/{page}").context
    if page == "balances/":
        assert context["totals"]["closing"].amount_minor == 0
    else:
        [(_, _, balance)] = context["rows"]
        assert balance == context["balance"].closing
    assert Invoice.objects.get().total_minor == 200_000


def test_file_has_nothing_that_is_booked_after_it_was_begun(charlie: Client, invoice: Invoice) -> None:
    personas.record_check(invoice, 30_000, paid_on=today(now(), "America/New_York") - timedelta(days=10))
    query = {"from": (now() - timedelta(days=20)).date().isoformat()}
    with meanwhile("billing_invoiceline", lambda: personas.record_check(invoice, 20_000)):
        pieces = charlie.get("/o/alder/journal/csv/", query).streaming_content  # type: ignore[attr-defined]
        text = b"".join(pieces).decode()
    assert Payment.objects.count() == 2
    assert ("300.00" in text, "200.00" in text) == (True, False)
