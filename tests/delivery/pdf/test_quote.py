"""A quote as PDF: the offer, until when it holds, and the deposit that accepts it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

from partway.delivery.pdf.content import Issuer, Recipient
from partway.delivery.pdf.quote import Deposit, QuoteDetails, document
from partway.delivery.pdf.typesetting import pdf
from tests.delivery.pdf import sample_documents
from tests.delivery.pdf.sample_documents import usd
from tests.support import pdf_text

OFFER = QuoteDetails(
    number="Q-12",
    sent_on=date(2026, 11, 22),
    valid_until=date(2026, 12, 22),
    issuer=Issuer("Alder Joinery"),
    recipient=Recipient("Dana Whitfield"),
    lines=(sample_documents.line(),),
    discount=usd(0),
    total=usd(100_000),
    deposit=Deposit(usd(30_000), percent=Decimal(30)),
    url=sample_documents.URL,
)


def _text(offer: QuoteDetails) -> str:
    return pdf_text.text(pdf(document(offer)))


def test_quote_pdf_shows_deposit_and_valid_until() -> None:
    text = _text(OFFER)
    for words in (
        "Quote",
        "Number Q-12 Sent Nov 22, 2026 Valid until Dec 22, 2026",
        "Deposit $300.00 30% of $1,000.00, paid in full when you accept",
        "Deposit $300.00 After the work $700.00",
        "Deposit −$300.00 After the deposit $700.00",
        "Scan to accept",
    ):
        assert words in text


def test_quote_pdf_with_paid_deposit_asks_for_no_deposit() -> None:
    text = _text(replace(OFFER, accepted=True, deposit=Deposit(usd(30_000), paid=True)))
    assert "Total $1,000.00 accepted, deposit paid" in text
    assert "Deposit paid −$300.00" in text
    assert "Scan to see it online" in text


def test_quote_pdf_without_deposit_shows_total() -> None:
    text = _text(replace(OFFER, deposit=None))
    assert "Total $1,000.00 valid until Dec 22, 2026" in text
    assert "After the work" not in text


def test_quote_pdf_of_expired_quote_has_no_accept_link() -> None:
    text = _text(replace(OFFER, status_label="Expired"))
    assert "Expired Quote" in text
    assert "Scan to accept" not in text
