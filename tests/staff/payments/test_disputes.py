"""Disputes on the page of a payment, in the list, on the Attention page, and the act that takes one as a loss."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from partway.billing.models import Adjustment, Alert, Invoice, Payment
from partway.billing.receivables import credit
from partway.lib.clock import now
from partway.lib.money import Money
from tests.support import personas
from tests.support.html_text import text_of


@pytest.fixture
def paid(invoice: Invoice) -> Payment:
    """$300.00 online, of an invoice of $1,000.00."""
    return personas.captured_payment(invoice, 30_000)


def page(client: Client, payment: Payment) -> str:
    return text_of(client.get(f"/o/alder/payments/{payment.pk}/"))


def test_payment_page_shows_open_dispute_with_days_left(charlie: Client, paid: Payment) -> None:
    due_at = now() + timedelta(days=5)
    personas.dispute(
        paid, 10_000, reason="duplicate", evidence_due_at=due_at, fee=Money(1_500, "USD"), ref="dp_77"
    )
    shown = page(charlie, paid)
    for words in ("Disputed, of the above$100.00", "says that they paid twice", "5 days left", "dp_77"):
        assert words in shown
    for words in ("$15.00 fee", "Submit it in the dashboard of Sandbox.", "disputed $100.00 of a payment"):
        assert words in shown
    assert "Take as a Loss" not in shown


def test_timeline_calls_a_returned_debit_so(charlie: Client, paid: Payment) -> None:
    personas.dispute(paid, 10_000, "lost", reason="debit_returned")
    shown = page(charlie, paid)
    assert "The customer’s bank returned $100.00 of a bank debit" in shown
    assert "The customer has $100.00 again, because the bank returned the debit" in shown
    assert shown.count("Returned by the bank") == 2  # the payment, and the dispute
    assert "Lost in a dispute" not in shown
    assert text_of(charlie.get("/o/alder/payments/")).count("Returned by the bank") == 2
    assert "Bank debit returned" in text_of(charlie.get("/o/alder/attention/"))
    personas.dispute(paid, 5_000, "lost", ref="dp_2")
    assert "Lost in a dispute" in page(charlie, paid)


def test_invoice_page_shows_what_is_disputed_and_lost(charlie: Client, paid: Payment) -> None:
    personas.dispute(paid, 10_000)
    personas.dispute(paid, 5_000, "lost", ref="dp_2")
    shown = text_of(charlie.get(f"/o/alder/invoices/{paid.invoice_id}/"))
    for words in ("$100.00 disputed", "$50.00 taken back", "because a dispute was lost"):
        assert words in shown


def test_customer_page_names_disputed_credit(alice: Client, paid: Payment, invoice: Invoice) -> None:
    by = personas.owner_actor(invoice.organization)
    credit.deallocate(invoice, paid, by=by, now=now())
    personas.dispute(paid, 20_000)
    shown = text_of(alice.get(f"/o/alder/customers/{invoice.customer_id}/"))
    assert "Dana Whitfield has $100.00 credit" in shown
    assert "$200.00 on no invoice is disputed" in shown


def test_owner_takes_lost_dispute_as_a_loss(alice: Client, paid: Payment) -> None:
    dispute = personas.dispute(paid, 10_000, "lost")
    assert "Take as a Loss…" in page(alice, paid)
    url = f"/o/alder/disputes/{dispute.pk}/loss/"
    assert f"No longer due on {paid.document.number}$100.00" in text_of(alice.get(url))
    typed = {"left_minor": "10000", "note": "Not worth a lawyer."}
    assert "$100.00 is a loss now, and no longer due." in text_of(alice.post(url, typed, follow=True))
    assert "taken as a loss already" in text_of(alice.post(url, typed, follow=True))
    row = Adjustment.objects.get()
    assert (row.reason, row.amount_minor, row.note) == ("dispute", 10_000, "Not worth a lawyer.")
    assert "Nothing that this dispute took off an invoice is due there now." in text_of(alice.get(url))


def test_stale_page_of_a_loss_takes_nothing(alice: Client, paid: Payment) -> None:
    dispute = personas.dispute(paid, 10_000, "lost")
    response = alice.post(f"/o/alder/disputes/{dispute.pk}/loss/", {"left_minor": "9000"})
    assert response.status_code == 409
    assert "Of this dispute $100.00 can be taken as a loss now." in text_of(response)
    assert not Adjustment.objects.exists()


def test_attention_lists_earliest_evidence_first_and_leads_to_the_loss(alice: Client, paid: Payment) -> None:
    personas.dispute(paid, 1_000, evidence_due_at=now() + timedelta(days=9))
    personas.dispute(paid, 2_000, ref="dp_2", evidence_due_at=now() + timedelta(days=2))
    lost = personas.dispute(paid, 3_000, "lost", ref="dp_3")
    response = alice.get("/o/alder/attention/")
    amounts = [row.alert.params["amount"]["amount_minor"] for row in response.context["open_alerts"]]
    assert amounts == [2_000, 1_000, 3_000]
    assert f"/o/alder/disputes/{lost.pk}/loss/" in response.text
    shown = text_of(response)
    assert "2 days left" in shown
    assert f"/o/alder/payments/{paid.pk}/" in response.text


def test_evidence_is_not_asked_for_once_its_time_is_over(charlie: Client, paid: Payment) -> None:
    over = personas.dispute(paid, 2_000, evidence_due_at=now() - timedelta(minutes=1))
    waits = personas.dispute(paid, 1_000, ref="dp_2", evidence_due_at=now() + timedelta(days=9))
    attention = charlie.get("/o/alder/attention/")
    assert [row.alert.subject for row in attention.context["open_alerts"]] == [waits.pk, over.pk]
    shown = text_of(attention)
    counts = [
        shown.count(words) for words in ("Submit evidence in", "the customer’s bank decides", "ended on")
    ]
    assert counts == [1, 1, 1]
    paid.disputes.filter(pk=waits.pk).update(evidence_due_at=now() + timedelta(hours=23))
    assert "less than a day left" in page(charlie, paid)
    paid.disputes.filter(pk=waits.pk).delete()
    shown = page(charlie, paid)
    assert "The customer’s bank decides." in shown
    assert "Submit it" not in shown


def test_attention_offers_no_loss_once_nothing_is_due(alice: Client, paid: Payment) -> None:
    by = personas.owner_actor(paid.organization)
    credit.deallocate(paid.invoice, paid, by=by, now=now())
    personas.dispute(paid, 10_000, "lost")
    due = personas.captured_payment(personas.sent_invoice(paid.customer, 20_000), 20_000)
    lost = personas.dispute(due, 20_000, "lost", ref="dp_2")
    reasons = [alert.params["reason"] for alert in Alert.objects.filter(kind="dispute_lost").order_by("pk")]
    assert reasons == ["not_due", "due_again"]

    def offers() -> tuple[int, int, int]:
        shown = alice.get("/o/alder/attention/").text
        # The sentence, the remedy and the button go together.
        links = shown.count(f'href="/o/alder/disputes/{lost.pk}/loss/"')
        return shown.count("due again there"), shown.count("or take it as a loss"), links

    assert offers() == (1, 1, 1)
    personas.record_check(due.invoice, 20_000)
    assert offers() == (0, 0, 0)


def test_attention_offers_goodwill_only_while_refund_of_dashboard_is_due(
    alice: Client, paid: Payment
) -> None:
    personas.refund_in_dashboard(paid, 30_000)
    released = personas.captured_payment(personas.sent_invoice(paid.customer, 20_000), 20_000)
    credit.deallocate(released.invoice, released, by=personas.owner_actor(paid.organization), now=now())
    personas.refund_in_dashboard(released, 20_000)
    reasons = [alert.params["reason"] for alert in Alert.objects.order_by("pk")]
    assert reasons == ["due_again", "not_due"]
    shown = text_of(alice.get("/o/alder/attention/"))
    assert (shown.count("as goodwill"), shown.count("nothing to settle")) == (1, 1)
    personas.record_check(paid.invoice, 100_000)
    assert "as goodwill" not in text_of(alice.get("/o/alder/attention/"))


def test_attention_says_that_surplus_is_credit_once_its_refund_failed(
    alice: Client, invoice: Invoice
) -> None:
    personas.record_check(invoice, 90_000)
    payment = personas.captured_payment(invoice, 20_000)
    assert "is sent back by itself" in text_of(alice.get("/o/alder/attention/"))
    payment.refunds.update(gateway_ref="re_1")
    personas.fail_refund(payment.refunds.get())
    shown = text_of(alice.get("/o/alder/attention/"))
    assert "$200.00 was paid after it was no longer due. It is the customer" in shown
    assert "is sent back by itself" not in shown


def test_decided_dispute_leaves_attention(charlie: Client, paid: Payment) -> None:
    personas.give_back(paid, 29_500)
    personas.dispute(paid, 1_000)
    assert "While evidence can be submitted, tell the bank" in text_of(charlie.get("/o/alder/attention/"))
    personas.dispute(paid, 1_000, "lost")
    shown = text_of(charlie.get("/o/alder/attention/"))
    assert "$10.00 of a payment of $300.00 was lost in a dispute, $5.00 more than was left" in shown
    assert "tell the bank" not in shown
    personas.dispute(paid, 1_000, "won")
    assert "The dispute was won." in text_of(charlie.get("/o/alder/attention/"))
    assert not Alert.objects.filter(resolved_at=None).exists()
