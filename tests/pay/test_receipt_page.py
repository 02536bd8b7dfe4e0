"""The page a customer returns to, in every state of a payment."""

from __future__ import annotations

import pytest
from django.test import Client

from partway.billing import links
from partway.billing.models import Invoice, Payment, PaymentRequest, Refund
from partway.billing.receivables import write_offs
from partway.delivery.mail import rendering
from partway.lib.clock import now
from tests.support import pdf_text, personas
from tests.support.html_text import text_of


@pytest.fixture
def payment(request_: PaymentRequest) -> Payment:
    """A payment of the request whose outcome is unknown."""
    return Payment.objects.create(
        organization=request_.organization,
        invoice=request_.invoice,
        payment_request=request_,
        gateway_account=request_.organization.gateway_accounts.get(),
        amount_minor=30_000,
        currency="USD",
        created_at=now(),
        next_refresh_at=now(),
    )


def _page(dana: Client, payment: Payment, **columns: object) -> str:
    Payment.objects.filter(pk=payment.pk).update(**columns)
    return dana.get(links.receipt_url(payment)).text


@pytest.mark.parametrize("status", ["authorized", "capturing", "closing", "releasing"])
def test_receipt_page_of_payment_under_way_is_confirming(dana: Client, payment: Payment, status: str) -> None:
    text = _page(dana, payment, status=status)
    assert "We are confirming your payment" in text
    assert "confirming.js" in text


def test_receipt_page_of_pending_payment_asks_and_does_not_confirm(dana: Client, payment: Payment) -> None:
    text = _page(dana, payment)
    assert "whether you paid $300.00" in text
    assert "confirming your payment" not in text
    assert "confirming.js" in text


def test_pending_payment_of_ended_request_offers_no_way_to_pay(dana: Client, payment: Payment) -> None:
    PaymentRequest.objects.update(status="expired", ended_at=now())
    assert 'pay/"' not in _page(dana, payment)


def test_receipt_page_has_refresh_button_without_javascript(dana: Client, payment: Payment) -> None:
    assert ">Look again</button>" in _page(dana, payment)


def test_receipt_page_of_pending_payment_can_lead_back_to_checkout(
    dana: Client, payment: Payment, request_: PaymentRequest
) -> None:
    assert f'action="{links.link_path(request_)}pay/"' in _page(dana, payment)


def test_receipt_page_of_processing_bank_debit_shows_payment_under_way(
    dana: Client, payment: Payment
) -> None:
    text = _page(dana, payment, status="processing", accepted=True)
    assert "Your payment is on its way" in text
    assert "confirming.js" not in text


def test_receipt_page_of_unaccepted_payment_explains_money_is_not_lost(
    dana: Client, payment: Payment
) -> None:
    assert "Your money is not lost" in _page(dana, payment, status="processing", accepted=False)


@pytest.mark.parametrize("status", ["failed", "canceled"])
def test_receipt_page_of_failed_payment_states_nothing_was_charged(
    dana: Client, payment: Payment, request_: PaymentRequest, status: str
) -> None:
    text = _page(dana, payment, status=status, failure_message="Your card was declined.")
    assert "Nothing was charged" in text
    assert "Your card was declined." in text
    assert links.link_path(request_) in text


def test_receipt_page_of_failed_debit_that_was_not_needed_leads_to_no_payment(
    dana: Client, payment: Payment, request_: PaymentRequest
) -> None:
    text = _page(dana, payment, status="failed", accepted=False)
    assert "It was not needed any more, so there is nothing for you to do now." in text
    assert links.link_path(request_) not in text


def test_receipt_page_does_not_link_to_expired_request(
    dana: Client, payment: Payment, request_: PaymentRequest
) -> None:
    PaymentRequest.objects.update(status="expired", ended_at=now())
    assert links.link_path(request_) not in _page(dana, payment, status="failed")


def test_receipt_page_shows_captured_amount(dana: Client, invoice: Invoice) -> None:
    personas.captured_payment(invoice, 25_000)
    text = dana.get(links.receipt_url(personas.captured_payment(invoice, 30_000))).text
    assert "Receipt from Alder Joinery" in text
    for amount in ("$1,000", "$250", "$300", "$450"):
        assert f'<span class="amount">{amount}<' in text
    assert 'aria-label="Paid $550.00 of $1,000.00"' in text


def test_receipt_page_is_unchanged_by_later_payments(dana: Client, invoice: Invoice) -> None:
    first = personas.captured_payment(invoice, 25_000)
    before = dana.get(links.receipt_url(first)).text
    personas.captured_payment(invoice, 30_000)
    after = dana.get(links.receipt_url(first)).text
    assert 'aria-label="Paid $250.00 of $1,000.00"' in before
    assert 'aria-label="Paid $250.00 of $1,000.00"' in after


def test_receipt_page_shows_surplus_as_credit(dana: Client, invoice: Invoice) -> None:
    payment = personas.captured_payment(invoice, 30_000)
    assert "$20.00 of it was more than" in _page(dana, payment, captured_minor=32_000)


def test_receipt_page_shows_capture_in_other_currency(dana: Client, invoice: Invoice) -> None:
    payment = personas.captured_payment(invoice, 30_000)
    payment.allocations.all().delete()
    text = _page(dana, payment, captured_currency="EUR")
    assert "€300.00 was taken in another currency than this invoice’s." in text


def test_receipt_state_stays_pending_when_gateway_is_silent(dana: Client, payment: Payment) -> None:
    Payment.objects.update(checkout_ref="co_1")
    response = dana.post(links.receipt_url(payment) + "state/", headers={"accept": "application/json"})
    assert response.json() == {"stage": "pending"}


def test_receipt_state_post_from_form_redirects_to_page(dana: Client, payment: Payment) -> None:
    response = dana.post(links.receipt_url(payment) + "state/", headers={"accept": "text/html"})
    assert response.status_code == 302


def test_receipt_state_of_settled_payment_calls_no_gateway(dana: Client, invoice: Invoice) -> None:
    """Otherwise the link of a receipt would be a way to call the gateway without limit."""
    payment = personas.captured_payment(invoice, 30_000)
    dana.post(links.receipt_url(payment) + "state/", headers={"accept": "application/json"})
    assert not payment.gateway_calls.exists()


def test_receipt_page_of_reversed_check_is_marked_reversed(dana: Client, invoice: Invoice) -> None:
    payment = personas.reverse_check(
        personas.record_check(invoice, 40_000), reason="Dana's third, watch out."
    )
    text = dana.get(links.receipt_url(payment)).text
    assert "Your payment was reversed" in text
    assert "$400.00 by check" in text
    assert links.invoice_url(invoice) not in text  # receipts are passed on
    for words in ("You paid", "confirming", "watch out", "pay.js"):
        assert words not in text


def test_receipt_pdf_of_reversed_check_is_marked_reversed(dana: Client, invoice: Invoice) -> None:
    payment = personas.reverse_check(personas.record_check(invoice, 40_000))
    response = dana.get(links.receipt_url(payment) + "pdf/")
    assert response.headers["Content-Type"] == "application/pdf"
    assert "Reversed $400.00" in pdf_text.text(response.content)


def test_receipt_page_of_reversed_deposit_names_quote_without_its_link(
    dana: Client, invoice: Invoice
) -> None:
    quote = personas.accept_quote(personas.sent_quote(invoice.customer))
    payment = personas.reverse_check(personas.record_deposit_check(quote))
    text = dana.get(links.receipt_url(payment)).text
    assert "your deposit of $300.00" in text
    assert quote.number in text
    assert links.quote_url(quote) not in text


def test_receipt_page_says_what_was_given_back(dana: Client, invoice: Invoice) -> None:
    payment = personas.record_check(invoice, 120_000)
    personas.give_back(payment, 35_000)
    text = text_of(dana.get(links.receipt_url(payment)))
    assert "Alder Joinery gave $350.00 of it back to you on" in text
    assert "paid in full" not in text


def test_receipt_page_of_deposit_that_was_given_back_announces_no_invoice(
    dana: Client, invoice: Invoice
) -> None:
    deposit = personas.record_deposit_check(personas.accept_quote(personas.sent_quote(invoice.customer)))
    assert "It will be applied to your invoice" in text_of(dana.get(links.receipt_url(deposit)))
    personas.give_back(deposit, 30_000)
    text = text_of(dana.get(links.receipt_url(deposit)))
    assert "gave $300.00 of it back to you" in text
    assert "It will be applied to your invoice" not in text


@pytest.mark.parametrize(("written_off", "says"), [(False, True), (True, False)])
def test_receipt_of_written_off_invoice_announces_no_further_request(
    dana: Client, invoice: Invoice, written_off: bool, says: bool
) -> None:
    by = personas.owner_actor(invoice.organization)
    billed = write_offs.write_off(invoice, by=by, now=now()) if written_off else invoice
    payment = personas.record_check(billed, 10_000, send_receipt=True)
    mail = rendering.message(rendering.with_related_rows().get(kind="receipt"))
    page, html = dana.get(links.receipt_url(payment)).text, str(mail.alternatives[0][0])
    assert [("Left to pay" in text) for text in (page, str(mail.body), html)] == [says] * 3
    assert [("will ask for the rest" in text) for text in (page, html)] == [says] * 2


def test_receipt_says_what_is_on_its_way_and_what_was_sent_back(dana: Client, invoice: Invoice) -> None:
    payment = personas.captured_payment(invoice, 30_000)
    refund = personas.refund_in_dashboard(payment, 10_000)
    url = links.link_path(payment)
    assert "sent $100.00 of it back to you" in text_of(dana.get(url))
    Refund.objects.filter(pk=refund.pk).update(status="pending")
    assert "$100.00 of it is on its way back to you" in text_of(dana.get(url))
    Refund.objects.filter(pk=refund.pk).update(status="failed")
    assert "of it" not in text_of(dana.get(url))


def test_receipt_says_what_the_bank_took_back(dana: Client, invoice: Invoice) -> None:
    payment = personas.captured_payment(invoice, 30_000)
    personas.dispute(payment, 10_000)
    url = links.link_path(payment)
    assert "Your bank took" not in text_of(dana.get(url))
    personas.dispute(payment, 10_000, "lost")
    shown = text_of(dana.get(url))
    assert "Your bank took $100.00 of it back on" in shown
    assert "will ask for the rest" not in shown
