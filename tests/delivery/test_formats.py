"""Amounts, dates and numbers in the reader's locale; the formats of English are fixed."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.utils.translation import get_language

from partway.accounts.models import Organization
from partway.billing.models import Mail, PaymentRequest
from partway.delivery import formats
from partway.delivery.mail import rendering
from partway.delivery.pdf import invoice_pdf
from partway.delivery.templatetags.partway import money
from partway.lib.money import Money
from tests.support import pdf_text, personas

DAY = date(2026, 11, 2)
MOMENT = datetime(2026, 11, 2, 20, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("locale", "amount", "text"),
    [
        ("en_US", Money(125_050, "USD"), "$1,250.50"),
        ("en_US", Money(-125_050, "USD"), "-$1,250.50"),
        ("en_US", Money(12_500, "KWD"), "KWD\u00a012.500"),
        ("en_US", Money(125_000, "JPY"), "¥125,000"),
        ("de_DE", Money(125_050, "EUR"), "1.250,50\u00a0€"),
        ("de_CH", Money(-125_050, "CHF"), "CHF-1’250.50"),
        ("fr_FR", Money(12_500, "KWD"), "12,500\u00a0KWD"),
        ("en_IN", Money(12_345_678, "INR"), "₹1,23,456.78"),
        ("en_US_POSIX", Money(12_500, "KWD"), "KWD\u00a012.500"),
    ],
)
def test_money_has_locale_pattern_and_decimals_of_currency(locale: str, amount: Money, text: str) -> None:
    assert formats.format_money(amount, locale) == text


@pytest.mark.parametrize(
    ("locale", "day", "moment"),
    [
        ("en_US", "Nov 2, 2026", "Nov 2, 2026, 3:05 PM"),
        ("de_DE", "02.11.2026", "02.11.2026, 15:05"),
        ("fr_FR", "2 nov. 2026", "2 nov. 2026, 15:05"),
    ],
)
def test_date_and_time_follow_locale_and_time_zone(locale: str, day: str, moment: str) -> None:
    assert formats.format_date(DAY, locale) == day
    assert formats.format_datetime(MOMENT, "America/New_York", locale) == moment


@pytest.mark.parametrize(
    ("value", "english", "german"),
    [("1.5000", "1.5", "1,5"), ("1500", "1500", "1500"), ("8.25", "8.25", "8,25"), ("100.00", "100", "100")],
)
def test_number_has_no_trailing_zeros_and_no_groups(value: str, english: str, german: str) -> None:
    assert formats.format_number(Decimal(value), "en_US") == english
    assert formats.format_number(Decimal(value), "de_DE") == german


@pytest.mark.parametrize(
    ("locale", "html"),
    [
        ("en_US", '<span class="amount">$30<span class="decimals">.50</span></span>'),
        ("de_DE", '<span class="amount">30<span class="decimals">,50</span>\u00a0$</span>'),
    ],
)
def test_money_tag_makes_decimals_smaller_in_each_locale(locale: str, html: str) -> None:
    with formats.use_locale(locale):
        assert money(Money(3_050, "USD")) == html


def test_locale_without_catalogue_keeps_language_of_installation() -> None:
    with formats.use_locale("de_DE"):
        assert (formats.current_locale(), get_language()) == ("de_DE", "en")
    assert formats.current_locale() == "en_US"


def test_mail_formats_amounts_in_locale_of_organization(mail: Mail, request_: PaymentRequest) -> None:
    Organization.objects.update(locale="de_DE")
    message = rendering.message(rendering.with_related_rows().get(pk=mail.pk))
    assert message.subject == f"Alder Joinery asks for 300,00 $ (invoice {request_.invoice.number})"
    assert "1.000,00\u00a0$" in message.body


def test_pdf_of_draft_formats_amounts_in_locale_of_organization(organization: Organization) -> None:
    Organization.objects.update(locale="de_DE")
    organization.refresh_from_db()
    draft = personas.draft_invoice(personas.customer(organization))
    assert "1.000,00 $" in pdf_text.text(invoice_pdf(draft).content)
