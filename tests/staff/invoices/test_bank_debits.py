"""A bank debit under way on the pages of members: what it means, until when, and what is not offered meanwhile."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.test import Client

from partway.billing.models import Alert, Invoice, Payment
from partway.billing.requests import payment_requests
from partway.gateways.protocol import CheckoutState, CheckoutStatus
from partway.lib.clock import now
from partway.lib.money import Money
from partway.staff.overview.overview import Figure
from tests.support import personas
from tests.support.html_text import text_of

DECEMBER_4 = datetime(2030, 12, 4, 12, tzinfo=UTC)


def report(payment: Payment, status: CheckoutStatus) -> None:
    state = CheckoutState(status, None, None, "bank_debit", "", "", settles_by=DECEMBER_4)
    personas.report_state(payment, state)


@pytest.fixture
def debit(invoice: Invoice) -> Payment:
    """A debit of $300.00 that pays an open request."""
    payment = personas.pending_payment(invoice, 30_000, request=personas.request_payment(invoice))
    report(payment, CheckoutStatus.PROCESSING)
    return payment


@pytest.fixture
def unwanted(invoice: Invoice) -> Payment:
    """A debit of $300.00 that began as its request was canceled."""
    request = personas.request_payment(invoice)
    payment = personas.pending_payment(invoice, 30_000, request=request)
    payment_requests.cancel(request, by=personas.owner_actor(invoice.organization), now=now())
    payment.refresh_from_db()
    report(payment, CheckoutStatus.PROCESSING)
    return payment


def page_of(client: Client, payment: Payment) -> str:
    return text_of(client.get(f"/o/alder/invoices/{payment.invoice_id}/"))


def test_invoice_page_says_until_when_debit_is_processed_and_offers_no_resend(
    bob: Client, debit: Payment
) -> None:
    text = page_of(bob, debit)
    assert "The outcome is expected by Dec 4, 2030" in text
    assert "Being paid" in text
    assert "Resend Payment Link" not in text
    request = debit.payment_request_id
    assert (
        "This is being paid, so the link is not sent again"
        in bob.get(f"/o/alder/requests/{request}/resend/").text
    )


def test_overview_shows_what_banks_are_moving(bob: Client, debit: Payment) -> None:
    page = bob.get("/o/alder/")
    assert page.context["figures"].in_transit == Figure(1, [Money(30_000, "USD")])
    assert "Being paid" in page.text


def test_invoice_page_says_that_unwanted_debit_blocks_nothing(bob: Client, unwanted: Payment) -> None:
    text = page_of(bob, unwanted)
    assert "is being processed that is not needed here. Nothing waits for it." in text
    assert "Processing, not needed" in text
    assert "Request Payment" in text
    assert "Processing, not needed" in bob.get(f"/o/alder/payments/{unwanted.pk}/").text
    assert "which is no longer needed" in text
    assert bob.get("/o/alder/").context["figures"].in_transit.count == 0


def test_attention_page_announces_unwanted_debit(bob: Client, unwanted: Payment) -> None:
    assert Alert.objects.get(payment=unwanted).kind == "unwanted_debit"
    assert "A bank is moving $300.00 that is no longer needed" in bob.get("/o/alder/attention/").text


def test_timeline_and_payment_page_say_why_debit_failed(bob: Client, debit: Payment) -> None:
    state = CheckoutState(CheckoutStatus.FAILED, None, None, "bank_debit", "bank_debit_failed", "No money.")
    personas.report_state(debit, state)
    text = page_of(bob, debit)
    assert "The payment of $300.00 failed; nothing was taken" in text
    assert "No money." in text
    assert "Resend Payment Link" in text
