"""A receipt as PDF: this payment, the amounts before and after it, or its reversal."""

from __future__ import annotations

import pytest

from partway.billing import links
from partway.billing.models import Invoice, Payment, Refund
from partway.delivery.formats import format_date
from partway.delivery.pdf import receipt_pdf
from tests.support import pdf_text, personas


def _content(payment: Payment) -> bytes:
    return receipt_pdf(Payment.objects.get(pk=payment.pk)).content


def test_receipt_pdf_shows_paid_before_this_payment_and_left(invoice: Invoice) -> None:
    personas.captured_payment(invoice, 20_000)
    payment = personas.captured_payment(invoice, 1_000)
    text = pdf_text.text(_content(payment))
    for words in (
        "You paid $10.00",
        ", by card",
        f"Invoice {invoice.number}",
        "Total of the invoice $1,000.00",
        "Paid before $200.00",
        "This payment $10.00",
        "Left to pay $790.00",
        "Paid $210.00 Left $790.00",
        f"Reference {payment.pk}",
    ):
        assert words in text


def test_receipt_pdf_is_unchanged_by_later_payments(invoice: Invoice) -> None:
    first = personas.captured_payment(invoice, 20_000)
    before = _content(first)
    personas.captured_payment(invoice, 30_000)
    assert _content(first) == before


def test_receipt_pdf_of_last_payment_states_invoice_paid_in_full(invoice: Invoice) -> None:
    text = pdf_text.text(_content(personas.captured_payment(invoice, 100_000)))
    assert "Left to pay $0.00" in text
    assert "The invoice is paid in full." in text


def test_receipt_pdf_names_surplus_as_credit(invoice: Invoice) -> None:
    payment = personas.captured_payment(invoice, 20_000)
    Payment.objects.filter(pk=payment.pk).update(captured_minor=25_000)
    text = pdf_text.text(_content(payment))
    assert "You paid $250.00" in text
    assert "This payment $200.00" in text
    assert "Kept as your credit $50.00" in text


def test_receipt_pdf_names_what_was_given_back(invoice: Invoice) -> None:
    payment = personas.record_check(invoice, 120_000)
    assert "Given back" not in pdf_text.text(_content(payment))
    refund = personas.give_back(payment, 15_000)
    text = pdf_text.text(_content(payment))
    assert "Kept as your credit $200.00" in text
    assert f"Given back on {format_date(refund.refunded_on)} −$150.00" in text
    assert "There is nothing else for you to do now." in text
    assert "paid in full" not in text


def test_receipt_pdf_qr_code_links_to_receipt_page(invoice: Invoice) -> None:
    payment = personas.captured_payment(invoice, 20_000)
    assert pdf_text.targets(_content(payment)) == [links.receipt_url(payment)]


def test_receipt_pdf_file_name_has_invoice_number(invoice: Invoice) -> None:
    payment = personas.captured_payment(invoice, 20_000)
    assert receipt_pdf(payment).name == f"Receipt-{invoice.number}.pdf"


def test_receipt_pdf_of_uncaptured_payment_is_refused(invoice: Invoice) -> None:
    payment = personas.captured_payment(invoice, 20_000)
    payment.captured_minor = None
    with pytest.raises(ValueError, match="no receipt"):
        receipt_pdf(payment)


def test_receipt_pdf_of_reversed_check_is_marked_reversed(invoice: Invoice) -> None:
    payment = personas.reverse_check(personas.record_check(invoice, 40_000))
    text = pdf_text.text(_content(payment))
    for words in ("Reversed Receipt", "Reversed $400.00", "−$400.00", "Counts now $0.00", "due again"):
        assert words in text
    for words in ("You paid", "Thank you", "Left to pay"):
        assert words not in text


@pytest.mark.parametrize("ended", ["written_off", "void"])
def test_receipt_pdf_of_ended_invoice_names_no_rest(invoice: Invoice, ended: str) -> None:
    payment = personas.captured_payment(invoice, 20_000)
    Invoice.objects.update(status=ended)
    text = pdf_text.text(_content(payment))
    assert "You paid $200.00" in text
    assert "There is nothing else for you to do now." in text
    for words in ("Left", "$800.00", "will ask for the rest", "paid in full"):
        assert words not in text


def test_receipt_pdf_names_what_is_on_its_way_back(invoice: Invoice) -> None:
    payment = personas.captured_payment(invoice, 30_000)
    refund = personas.refund_in_dashboard(payment, 10_000)
    Refund.objects.filter(pk=refund.pk).update(status="pending")
    since = format_date(refund.refunded_on)
    assert f"On its way back since {since} −$100.00" in pdf_text.text(_content(payment))


def test_receipt_pdf_names_what_the_bank_took_back(invoice: Invoice) -> None:
    payment = personas.captured_payment(invoice, 100_000)
    personas.dispute(payment, 10_000, "lost")
    text = pdf_text.text(_content(Payment.objects.get(pk=payment.pk)))
    assert "Taken back by your bank on" in text
    assert "−$100.00" in text
    assert "paid in full" not in text
