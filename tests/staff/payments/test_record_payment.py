"""The Record Payment dialog: its values, its errors, and the notice after it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from partway.accounts.models import Organization
from partway.billing.models import Customer, Invoice, Mail, Payment, PaymentRequest
from partway.billing.receivables import credit, write_offs
from partway.billing.requests import payment_requests
from partway.lib.clock import now, today
from partway.lib.money import Money
from partway.staff.forms import MAX_FIELD_LENGTH
from partway.staff.payments.offline_payments import OfflinePaymentForm
from tests.staff.race_hook import race_hook
from tests.support import personas
from tests.support.html_text import text_of

GOOD = {"amount": "400.00", "method": "Check", "reference": "No. 118", "idempotency_key": "key-1"}


def url(invoice: Invoice) -> str:
    return f"/o/alder/invoices/{invoice.pk}/payment/"


def record(client: Client, invoice: Invoice, *, follow: bool = False, **changes: str) -> Any:
    day = today(now(), invoice.organization.time_zone).isoformat()
    return client.post(url(invoice), {"paid_on": day, **GOOD, **changes}, follow=follow)


def in_progress(open_request: PaymentRequest) -> Payment:
    """Creates an accepted payment of the request that the bank is processing."""
    return Payment.objects.create(
        organization=open_request.organization,
        invoice=open_request.invoice,
        payment_request=open_request,
        gateway_account=open_request.organization.gateway_accounts.get(),
        status="processing",
        accepted=True,
        amount_minor=open_request.amount_requested_minor,
        currency=open_request.currency,
        created_at=now(),
        next_refresh_at=now(),
    )


def test_record_payment_dialog_starts_with_default_values(bob: Client, invoice: Invoice) -> None:
    page = bob.get(url(invoice))
    form = page.context["form"]
    assert form["paid_on"].value() == today(now(), "America/New_York").isoformat()
    assert form["amount"].value() is None
    assert form["idempotency_key"].value()
    assert 'data-due="100000"' in page.content.decode()
    for mode in ("Cash", "Check", "Bank transfer"):
        assert f'<option value="{mode}">' in page.content.decode()


def test_recording_payment_redirects_with_notice(bob: Client, invoice: Invoice) -> None:
    text = text_of(record(bob, invoice, follow=True, note="Found under the door"))
    assert "The payment of $400.00 is recorded." in text
    assert "receipt is on its way" not in text
    assert "Total Amount Due $600.00" in text
    assert "CheckNo. 118Found under the door" in text
    assert "Bob recorded a payment of $400.00 (Check)" in text


@pytest.mark.parametrize(("sent", "mails"), [({"send_receipt": "on"}, 1), ({}, 0)])
def test_recording_payment_mails_receipt_when_checked(
    bob: Client, invoice: Invoice, sent: dict[str, str], mails: int
) -> None:
    text = text_of(record(bob, invoice, follow=True, **sent))
    assert Mail.objects.filter(kind="receipt").count() == mails
    assert ("A receipt is on its way to dana.whitfield@customer.example." in text) == bool(mails)


def test_recording_payment_is_idempotent_on_double_click(bob: Client, invoice: Invoice) -> None:
    assert record(bob, invoice).status_code == 302
    assert record(bob, invoice).status_code == 302
    assert Payment.objects.count() == 1


def test_record_payment_idempotency_key_with_other_amount_is_refused(bob: Client, invoice: Invoice) -> None:
    record(bob, invoice)
    response = record(bob, invoice, amount="10")
    assert response.status_code == 409
    assert "already recorded $400.00" in text_of(response)


@pytest.mark.parametrize(
    ("field", "typed", "message"),
    [
        ("amount", "", "Enter an amount"),
        ("amount", "0", "above zero"),
        ("amount", "much", "is not an amount"),
        ("amount", "10.005", "2 decimals"),
        ("method", "", "Choose one of these payment modes: Cash"),
        ("method", "Barter", "Choose one of these payment modes: Cash"),
        ("paid_on", "soon", "Enter a date"),
        ("paid_on", "2199-01-01", "a day that has come"),
        ("reference", "r" * 121, "at most 120"),
        ("note", "r" * 401, "at most 400"),
    ],
)
def test_invalid_record_payment_input_is_refused_on_field(
    bob: Client, invoice: Invoice, field: str, typed: str, message: str
) -> None:
    response = record(bob, invoice, **{field: typed})
    form = response.context["form"]
    assert response.status_code == 422
    assert set(form.errors) == {field}
    assert message in form.errors[field][0]
    assert form[field].value() == typed
    assert not Payment.objects.exists()


def test_record_payment_marks_all_invalid_fields_at_once(bob: Client, invoice: Invoice) -> None:
    response = record(bob, invoice, amount="?", paid_on="?", method="", reference="r" * 200)
    assert set(response.context["form"].errors) == {"amount", "paid_on", "method", "reference"}


# More than is due


@pytest.mark.parametrize("name", OfflinePaymentForm.base_fields)
def test_record_payment_field_that_is_absurdly_long_is_refused(
    alice: Client, invoice: Invoice, name: str
) -> None:
    changes = {"settle_reason": "fee", name: "x" * (MAX_FIELD_LENGTH + 1)}
    response = record(alice, invoice, **changes)
    assert (response.status_code, name in response.context["form"].errors) == (422, True)


def test_record_payment_above_amount_due_offers_credit(bob: Client, invoice: Invoice) -> None:
    assert "keep_rest_as_credit" in bob.get(url(invoice)).content.decode()
    assert "data-remaining-keep-credit hidden" in bob.get(url(invoice)).content.decode()
    response = record(bob, invoice, amount="1,200", note="All typed already")
    text = text_of(response)
    assert response.status_code == 422
    assert "$1,000.00 is due, so $200.00 would be too much." in text
    assert "Keep the rest, $200.00, as credit of Dana Whitfield" in text
    assert "data-remaining-keep-credit hidden" not in response.content.decode()
    assert "All typed already" in text
    assert not Payment.objects.exists()


def test_record_payment_keeps_rest_as_credit_when_checked(bob: Client, invoice: Invoice) -> None:
    response = record(bob, invoice, follow=True, amount="1,200", keep_rest_as_credit="on")
    assert "$200.00 of it is credit of Dana Whitfield." in text_of(response)
    assert credit.balances(invoice.customer) == [Money(20_000, "USD")]


def test_record_payment_error_names_current_amount_due(bob: Client, invoice: Invoice) -> None:
    with race_hook(lambda: personas.record_check(invoice, 40_000)):
        response = record(bob, invoice, amount="700")
    assert "$600.00 is due, so $100.00 would be too much." in text_of(response)
    assert "Keep the rest, $100.00" in text_of(response)
    assert 'data-due="60000"' in response.content.decode()


# The open request


def test_record_payment_dialog_shows_effect_on_open_request(bob: Client, invoice: Invoice) -> None:
    assert "open request" not in text_of(bob.get(url(invoice)))
    personas.request_payment(invoice, 30_000)
    page = bob.get(url(invoice))
    assert 'data-remaining-request-canceled="30000"' in page.content.decode()
    assert "The open request for $300.00 no longer fits and will be canceled." in text_of(page)


def test_recording_payment_names_canceled_request(bob: Client, invoice: Invoice) -> None:
    personas.request_payment(invoice, 30_000)
    text = text_of(record(bob, invoice, follow=True, amount="800"))
    assert "Its open request for $300.00 was canceled: less is due now than it asked for." in text
    assert "was canceled by an offline payment" in text
    assert PaymentRequest.objects.get().cancel_reason == "offline_payment"


def test_recording_payment_does_not_name_request_that_stays_open(bob: Client, invoice: Invoice) -> None:
    personas.request_payment(invoice, 30_000)
    text = text_of(record(bob, invoice, follow=True))
    assert "Its open request" not in text
    assert "Requested Amount" in text


def test_recording_payment_does_not_name_request_canceled_by_colleague(bob: Client, invoice: Invoice) -> None:
    open_request, by = personas.request_payment(invoice, 30_000), personas.owner_actor(invoice.organization)
    with race_hook(lambda: payment_requests.cancel(open_request, by=by, now=now())):
        text = text_of(record(bob, invoice, follow=True, amount="800"))
    assert "Its open request" not in text


# Unavailable


def test_record_payment_is_limited_by_payment_in_progress(bob: Client, invoice: Invoice) -> None:
    in_progress(personas.request_payment(invoice, 70_000))
    page = bob.get(url(invoice))
    assert 'data-limit="30000"' in page.content.decode()
    assert "Of that, being paid now$700.00" in text_of(page)
    response = record(bob, invoice)
    assert response.status_code == 409
    assert "$700.00 is being paid right now" in text_of(response)
    assert record(bob, invoice, amount="300").status_code == 302


def test_record_payment_is_unavailable_while_all_is_being_paid(bob: Client, invoice: Invoice) -> None:
    in_progress(personas.request_payment(invoice, 100_000))
    assert "All that is due is being paid right now." in text_of(bob.get(url(invoice)))


def test_record_payment_requires_sent_invoice(bob: Client, dana: Customer) -> None:
    made = personas.draft_invoice(dana)
    assert "Send the invoice first" in text_of(bob.get(url(made)))
    assert record(bob, made).status_code == 409
    assert "Record Payment" not in text_of(bob.get(f"/o/alder/invoices/{made.pk}/"))


def test_record_payment_on_paid_invoice_is_refused(bob: Client, invoice: Invoice) -> None:
    record(bob, invoice, amount="1000")
    assert "This invoice is paid." in text_of(bob.get(url(invoice)))
    assert record(bob, invoice, idempotency_key="key-2").status_code == 409


def test_record_payment_on_written_off_invoice_is_allowed(bob: Client, invoice: Invoice) -> None:
    write_offs.write_off(invoice, by=personas.owner_actor(invoice.organization), now=now())
    assert "Record Payment" in text_of(bob.get(f"/o/alder/invoices/{invoice.pk}/"))
    assert record(bob, invoice, amount="1000").status_code == 302
    assert Invoice.objects.get().status == "paid"


def test_record_payment_works_with_payments_disabled(
    bob: Client, invoice: Invoice, organization: Organization
) -> None:
    Organization.objects.update(payments_enabled=False)
    assert "Record Payment" in text_of(bob.get(f"/o/alder/invoices/{invoice.pk}/"))
    assert record(bob, invoice).status_code == 302


@pytest.mark.parametrize(("currency", "typed", "minor"), [("JPY", "30,000", 30_000), ("KWD", "12.5", 12_500)])
def test_record_payment_amount_is_parsed_by_currency_exponent(
    bob: Client, dana: Customer, currency: str, typed: str, minor: int
) -> None:
    record(bob, personas.sent_invoice(dana, 100_000, currency=currency), amount=typed)
    assert Payment.objects.get().captured == Money(minor, currency)


def test_record_payment_stores_paid_on(bob: Client, invoice: Invoice) -> None:
    last_week = today(now(), "America/New_York") - timedelta(days=7)
    Invoice.objects.update(sent_at=now() - timedelta(days=9))
    record(bob, invoice, paid_on=last_week.isoformat())
    assert Payment.objects.get().paid_on == last_week


def test_record_payment_dialog_is_served_as_fragment(bob: Client, invoice: Invoice) -> None:
    headers = {"HX-Request": "true", "HX-Target": "dialog-content"}
    assert "<html" not in bob.get(url(invoice), headers=headers).content.decode()


def test_reader_sees_no_record_payment(charlie: Client, invoice: Invoice) -> None:
    assert "Record Payment" not in text_of(charlie.get(f"/o/alder/invoices/{invoice.pk}/"))


# The day of a payment.


def days_ago(invoice: Invoice, days: int) -> str:
    return (today(now(), invoice.organization.time_zone) - timedelta(days=days)).isoformat()


def test_payment_before_issue_is_asked_about_once_and_keeps_what_was_typed(
    bob: Client, invoice: Invoice
) -> None:
    day = days_ago(invoice, 40)
    asked = record(bob, invoice, paid_on=day, note="In advance")
    page = asked.content.decode()
    assert asked.status_code == 422
    assert "This is before the invoice was issued (" in page
    assert ">Record all the same</button>" in page
    assert "In advance" in page
    assert f'name="confirmed_paid_on" value="{day}"' in page
    assert record(bob, invoice, paid_on=day, confirmed_paid_on=day).status_code == 302
    assert Payment.objects.get().paid_on.isoformat() == day  # type: ignore[union-attr]


def test_answer_about_one_day_does_not_count_for_another(bob: Client, invoice: Invoice) -> None:
    other = {"paid_on": days_ago(invoice, 400), "confirmed_paid_on": days_ago(invoice, 40)}
    assert record(bob, invoice, **other).status_code == 422
    assert not Payment.objects.exists()


def test_day_before_issue_is_asked_about_only_when_all_else_is_right(bob: Client, invoice: Invoice) -> None:
    page = record(bob, invoice, paid_on=days_ago(invoice, 40), amount="9,999.00").content.decode()
    assert "before the invoice was issued" not in page
    assert "Record all the same" not in page


@pytest.mark.parametrize(
    ("paid_on", "message"),
    [
        ("1970-01-01", "Choose a day between Jan 1, "),
        ("0001-01-01", "Choose a date between 1970 and 2199"),
        ("9999-12-31", "Choose a date between 1970 and 2199"),
        ("2199-12-31", "Choose a day that has come: today is "),
        ("20226-01-01", "Enter a date, as 2026-11-30."),
        ("26-11-30", "Enter a date, as 2026-11-30."),
        ("11/12/26", "Enter a date, as 2026-11-30."),
        ("30.11.2026", "Enter a date, as 2026-11-30."),
        ("20261130", "Enter a date, as 2026-11-30."),
        ("2026-W48-1", "Enter a date, as 2026-11-30."),
        ("2026-02-29", "Enter a date, as 2026-11-30."),
        ("\u0662\u0660\u0662\u0666-\u0661\u0661-\u0663\u0660", "Enter a date, as 2026-11-30."),
        ("", 'aria-invalid="true"'),
    ],
)
def test_implausible_day_of_payment_is_refused(
    bob: Client, invoice: Invoice, paid_on: str, message: str
) -> None:
    refused = record(bob, invoice, paid_on=paid_on, confirmed_paid_on=paid_on)
    assert refused.status_code == 422
    assert message in refused.content.decode()


def test_future_of_payment_follows_time_zone_of_organization(bob: Client, invoice: Invoice) -> None:
    Organization.objects.update(time_zone="Pacific/Kiritimati")
    ahead = today(now(), "Pacific/Kiritimati")
    assert record(bob, invoice, paid_on=ahead.isoformat()).status_code == 302
    Organization.objects.update(time_zone="Pacific/Pago_Pago")  # a day behind, at every hour
    assert record(bob, invoice, paid_on=ahead.isoformat(), idempotency_key="key-2").status_code == 422


def test_invoice_page_lists_payments_by_day_and_not_as_recorded(bob: Client, invoice: Invoice) -> None:
    for number, days in enumerate((3, 9, 0, 9, 5)):
        day = today(now(), invoice.organization.time_zone) - timedelta(days=days)
        personas.record_check(invoice, 1_000 + number, paid_on=day)
    rows = bob.get(f"/o/alder/invoices/{invoice.pk}/").context["payments"]
    assert [row.payment.amount_minor for row in rows] == [1_002, 1_000, 1_004, 1_003, 1_001]
