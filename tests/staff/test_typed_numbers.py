"""Numbers that members type, in every form: read in the organization's locale, or refused with both readings."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django import forms
from django.test import Client

from partway.accounts.models import Organization
from partway.billing.models import Customer, Invoice, Payment, PaymentRequest, QuoteTerms
from partway.delivery.formats import use_locale
from partway.lib.money import Money
from partway.staff.document_form import LineForm
from partway.staff.forms import set_currency
from partway.staff.invoices.invoice_form import InvoiceForm
from partway.staff.payments.credit import ApplyCreditForm
from partway.staff.payments.offline_payments import OfflinePaymentForm
from partway.staff.payments.payment_requests import PaymentRequestForm
from partway.staff.quotes.quote_form import QuoteForm
from partway.staff.settings.organization import OrganizationForm
from partway.staff.settings.payments import PaymentSettingsForm
from partway.staff.settings.quote_terms import QuoteTermsForm
from tests.support import personas

Make = Callable[[dict[str, str]], forms.Form]


def line(data: dict[str, str]) -> forms.Form:
    return LineForm(
        {f"lines.0.{name}": text for name, text in data.items()}, prefix="lines-0", currency="EUR"
    )


def document(form: type[InvoiceForm | QuoteForm]) -> Make:
    kinds = {"discount_kind": "percent", "deposit_kind": "percent", "currency": "EUR"}
    return lambda data: form(
        {**kinds, **{f"{name.split('_')[0]}_kind": name.split("_")[1] for name in data}, **data},
        organization=Organization(),
    )


def quote_terms(data: dict[str, str]) -> forms.Form:
    kind = "amount" if "deposit_amount" in data else "percent"
    form = QuoteTermsForm({"deposit_kind": kind, **data})
    set_currency(form, "EUR")
    return form


def in_euro(form: Callable[[dict[str, str]], forms.Form]) -> Make:
    def made(data: dict[str, str]) -> forms.Form:
        bound = form(data)
        set_currency(bound, "EUR")
        return bound

    return made


AMOUNTS: list[tuple[Make, str]] = [
    (line, "unit_amount"),
    (document(InvoiceForm), "discount_amount"),
    (document(QuoteForm), "deposit_amount"),
    (quote_terms, "deposit_amount"),
    (quote_terms, "deposit_threshold"),
    (in_euro(PaymentRequestForm), "amount_requested"),
    (in_euro(OfflinePaymentForm), "amount"),
    (in_euro(ApplyCreditForm), "amount"),
]
PERCENTAGES: list[tuple[Make, str]] = [
    (line, "tax_percent"),
    (document(InvoiceForm), "discount_percent"),
    (document(QuoteForm), "deposit_percent"),
    (quote_terms, "deposit_percent"),
    (OrganizationForm, "default_tax_percent"),
]
WHOLE_NUMBERS: list[tuple[Make, str]] = [
    (OrganizationForm, "next_invoice_number"),
    (OrganizationForm, "default_due_days"),
    (PaymentSettingsForm, "request_expires_days"),
]


def read(make: Make, name: str, locale: str, typed: str) -> Any:
    """Returns the value that the form reads, or the sentence of its error, beside which the text is kept."""
    with use_locale(locale):
        form = make({name: typed})
        if name not in form.errors:
            return form.cleaned_data[name]
        assert form[name].value() == typed
        return form.errors[name][0]


@pytest.mark.parametrize(
    ("locale", "typed", "result"),
    [
        ("en_US", "0,285", "Did you mean 0.285 or 285? EUR has 2 decimals at most. Write it like 300.00."),
        ("en_US", "0,500", "Did you mean 0.50 or 500?"),
        ("en_US", "2.500", "Did you mean 2.50 or 2,500?"),
        ("en_US", "1,234", 123_400),
        ("en_US", "1,234.56", 123_456),
        ("en_US", "1.234,56", "Numbers are written in another way here. Did you mean 1234.56?"),
        ("en_US", "٣٠٠", 30_000),
        ("de_DE", "0,285", "Did you mean 0,285 or 285? EUR has 2 decimals at most. Write it like 300,00."),
        ("de_DE", "2,500", "Did you mean 2,50 or 2.500?"),
        ("de_DE", "2.500", 250_000),
        ("de_DE", "1.234,56 €", 123_456),
        ("de_DE", "12.50", "Numbers are written in another way here. Did you mean 12,5?"),
        ("de_DE", "1e5", "“1e5” is not an amount. Write it like 300,00."),
        ("fr_FR", "1\u202f234,56", 123_456),
        ("de_CH", "1’234.50", 123_450),
    ],
)
@pytest.mark.parametrize(("make", "name"), AMOUNTS)
def test_amount_is_read_in_the_locale_or_refused(
    make: Make, name: str, locale: str, typed: str, result: int | str
) -> None:
    expected = result if isinstance(result, str) else Money(result, "EUR")
    assert read(make, name, locale, typed) == expected


@pytest.mark.parametrize(
    ("locale", "typed", "result"),
    [
        ("en_US", "8.875", Decimal("8.875")),
        ("en_US", "8.25 %", Decimal("8.25")),
        ("en_US", "8,25", "Numbers are written in another way here. Did you mean 8.25?"),
        ("en_US", "8,875", "Did you mean 8.8750 or 8875?"),
        ("en_US", "101", "Enter at most 100."),
        ("en_US", "-5", "Enter a number like 1.5."),
        ("de_DE", "8,875", Decimal("8.875")),
        ("de_DE", "٨٫٢٥", Decimal("8.25")),
    ],
)
@pytest.mark.parametrize(("make", "name"), PERCENTAGES)
def test_percentage_is_read_in_the_locale_or_refused(
    make: Make, name: str, locale: str, typed: str, result: Decimal | str
) -> None:
    assert read(make, name, locale, typed) == result


@pytest.mark.parametrize(
    ("locale", "typed", "result"),
    [
        ("en_US", "1.234", "Did you mean 1.2340 or 1234?"),
        ("en_US", "2,500", "Did you mean 2.5 or 2500?"),
        ("en_US", "0.285", Decimal("0.285")),
        ("en_US", "5%", "Enter a number like 1.5."),
        ("de_DE", "1,5", Decimal("1.5")),
        ("de_DE", "1,234", "Did you mean 1,2340 or 1234?"),
        ("de_DE", "1,23456", "Use at most 4 decimals."),
    ],
)
def test_quantity_is_read_in_the_locale_or_refused(locale: str, typed: str, result: Decimal | str) -> None:
    assert read(line, "quantity", locale, typed) == result


@pytest.mark.parametrize(
    ("locale", "typed", "result"),
    [
        ("en_US", "٣٠", 30),
        ("en_US", "1,000", 1000),
        ("de_DE", "1.000", 1000),
        ("de_DE", "1,000", "Did you mean 1 or 1.000?"),
        ("en_US", "1.5", "Enter a whole number, like 30."),
        ("en_US", "-3", "Enter a whole number, like 30."),
        ("en_US", "²", "Enter a whole number, like 30."),
        ("en_US", "9" * 10, "Enter at most 999999999."),
    ],
)
@pytest.mark.parametrize(("make", "name"), WHOLE_NUMBERS)
def test_whole_number_is_read_in_the_locale_or_refused(
    make: Make, name: str, locale: str, typed: str, result: int | str
) -> None:
    assert read(make, name, locale, typed) == result


# The pages of a German organization.


@pytest.fixture
def german(organization: Organization) -> Organization:
    organization.locale, organization.currency = "de_DE", "EUR"
    organization.default_tax_percent = Decimal("8.875")
    organization.save()
    return organization


def test_german_invoice_editor_reads_what_it_shows(bob: Client, german: Organization, dana: Customer) -> None:
    form = {
        "customer": dana.pk,
        "currency": "EUR",
        "due_on": "2026-12-24",
        "discount_kind": "percent",
        "discount_percent": "2,5",
        "lines.0.description": "Oak",
        "lines.0.quantity": "1,234",
        "lines.0.unit_amount": "1.234,56",
        "lines.0.tax_percent": "8,875",
    }
    refused = bob.post("/o/alder/invoices/new/", form)
    assert refused.context["form"].errors["lines.0.quantity"] == ["Did you mean 1,2340 or 1234?"]
    assert 'value="1,234"' in refused.content.decode()
    bob.post("/o/alder/invoices/new/", {**form, "lines.0.quantity": "1,2340"})
    made = Invoice.objects.get()
    stored = made.lines.get()
    assert (stored.quantity, stored.unit_amount_minor) == (Decimal("1.234"), 123_456)
    assert (stored.tax_percent, made.discount_percent) == (Decimal("8.875"), Decimal("2.5"))
    page = bob.get(f"/o/alder/invoices/{made.pk}/edit/").content.decode()
    for value in ("1,2340", "1234,56", "8,875", "2,5"):
        assert f'value="{value}"' in page
    assert 'data-tax="8,875"' in page


def test_ambiguous_amount_requests_and_records_nothing(
    bob: Client, german: Organization, dana: Customer
) -> None:
    invoice = personas.sent_invoice(dana, currency="EUR")
    request = {"to": dana.email, "amount_requested": "2,500"}
    record = {"amount": "2,500", "method": "Cash", "paid_on": "2026-01-05"}
    for path, form, name in (
        ("request", request, "amount_requested"),
        ("payment", record, "amount"),
    ):
        refused = bob.post(f"/o/alder/invoices/{invoice.pk}/{path}/", form)
        assert refused.status_code == 422
        assert refused.context["form"].errors[name] == ["Did you mean 2,50 or 2.500?"]
        assert f'value="{form[name]}"' in refused.content.decode()
    assert not PaymentRequest.objects.exists()
    assert not Payment.objects.exists()


def test_german_settings_are_saved_as_they_are_shown(alice: Client, german: Organization) -> None:
    QuoteTerms.objects.create(
        organization=german, deposit_kind="amount", deposit_amount_minor=250_050, deposit_threshold_minor=99
    )
    for path in ("/o/alder/settings/", "/o/alder/settings/quotes/"):
        form = alice.get(path).context["form"]
        with use_locale("de_DE"):
            data = {name: form[name].value() or "" for name in form.fields}
            data["initial"] = getattr(form, "initial_json", str)()
        assert alice.post(path, data).status_code == 302
    german.refresh_from_db()
    terms = QuoteTerms.objects.get()
    assert german.default_tax_percent == Decimal("8.875")
    assert (terms.deposit_amount_minor, terms.deposit_threshold_minor) == (250_050, 99)
