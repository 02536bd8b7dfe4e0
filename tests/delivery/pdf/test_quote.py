"""A quote as PDF: price, validity and deposit; on its page and with its mail."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from django.test import Client

from partway.billing import links
from partway.billing.documents import quotes
from partway.billing.events import customer_actor
from partway.billing.models import Mail, Payment, Quote
from partway.delivery.mail.rendering import message
from partway.delivery.pdf import quote_pdf, receipt_pdf
from partway.lib.clock import now
from tests.support import pdf_text, personas


@pytest.fixture
def quote(db: None) -> Quote:
    """$1,000.00 with a deposit of 30 %, sent to Dana."""
    return personas.sent_quote(personas.customer(personas.alder().organization))


def text(quote: Quote) -> str:
    return pdf_text.text(quote_pdf(Quote.objects.get(pk=quote.pk)).content)


def test_sent_quote_pdf_shows_deposit_and_valid_until(quote: Quote) -> None:
    Quote.objects.update(sent_at=datetime(2026, 11, 22, 20, tzinfo=UTC), valid_until=date(2026, 12, 22))
    printed = text(quote)
    for words in (
        "Quote",
        f"Number {quote.number} Sent Nov 22, 2026 Valid until Dec 22, 2026",
        "Deposit $300.00 30% of $1,000.00, paid in full when you accept",
        "Deposit $300.00 After the work $700.00",
        "Deposit −$300.00 After the deposit $700.00",
        "Scan to accept",
    ):
        assert words in printed


def test_quote_pdf_with_paid_deposit_asks_for_no_deposit(quote: Quote) -> None:
    personas.record_deposit_check(personas.accept_quote(quote))
    printed = text(quote)
    assert "Total $1,000.00 accepted, deposit paid" in printed
    assert "Deposit paid −$300.00" in printed
    assert "Scan to see it online" in printed


def test_quote_pdf_without_deposit_shows_total(quote: Quote) -> None:
    quote = personas.sent_quote(quote.customer, percent="0")
    Quote.objects.update(valid_until=date(2026, 12, 22))
    printed = text(quote)
    assert "Total $1,000.00 valid until Dec 22, 2026" in printed
    assert "After the work" not in printed


def test_quote_pdf_of_expired_quote_has_no_accept_link(quote: Quote) -> None:
    Quote.objects.update(status="expired")
    printed = text(quote)
    assert "Expired Quote" in printed
    assert "Scan to accept" not in printed


def test_deposit_receipt_pdf_names_quote_and_amount_left(quote: Quote) -> None:
    payment: Payment = personas.record_deposit_check(personas.accept_quote(quote))
    text = pdf_text.text(receipt_pdf(payment).content)
    for words in (f"Quote {quote.number}", "Total of the quote $1,000.00", "This deposit $300.00"):
        assert words in text
    assert "Left after the deposit $700.00" in text


def test_quote_mail_attaches_quote_pdf(quote: Quote) -> None:
    letter = message(Mail.objects.get(kind="quote_sent"))
    [(name, content, media_type)] = [tuple(attached)[:3] for attached in letter.attachments]
    assert (name, media_type) == (f"Quote-{quote.number}.pdf", "application/pdf")
    assert "$1,000.00" in pdf_text.text(content)


def test_quote_pdf_download_ends_with_decline(quote: Quote) -> None:
    address = f"{links.quote_url(quote)}pdf/"
    assert Client().get(address).headers["Content-Type"] == "application/pdf"
    quotes.decline(quote, reason="", by=customer_actor(quote.customer), now=now())
    assert Client().get(address).status_code == 410


def test_quote_pdf_of_unknown_link_is_404(db: None) -> None:
    assert Client().get("/q/nothing-at-all/pdf/").status_code == 404
