"""Editing a sent invoice: fixed fields, effects on requests and payments, and the mail to the customer."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from partway.billing.documents import invoices
from partway.billing.models import Customer, Event, Invoice, Mail, Payment, PaymentRequest
from partway.billing.receivables import write_offs
from partway.lib.clock import now
from tests.staff.confirmation_pages import confirm_page
from tests.staff.invoices.test_detail import text_of
from tests.staff.invoices.test_editor import edit_url, typed
from tests.support import personas


def change(client: Client, invoice: Invoice, total: str, **changes: str) -> Any:
    """Saves the form as the page showed it, with another price; customer and currency are not sent."""
    version = client.get(edit_url(invoice)).context["form"]["version"].value()
    form = {
        **typed(invoice.customer, version=version, lines__0__unit_amount=total),
        **changes,
    }
    del form["customer"], form["currency"]
    return client.post(edit_url(invoice), {"paid_minor": str(invoice.amount_paid_minor), **form})


def notices(response: Any, client: Client) -> str:
    return text_of(client.get(response.headers["Location"]).content.decode().partition("data-notices")[2])[
        :300
    ]


def test_sent_invoice_editor_names_invoice_and_consequences(bob: Client, invoice: Invoice) -> None:
    personas.captured_payment(invoice, 20_000)
    personas.request_payment(invoice)
    text = text_of(bob.get(edit_url(invoice)).content.decode())
    for message in (
        "Edit INV-0001",
        "Save changes",
        "$200.00 was paid: what the new total does not cover becomes Dana Whitfield’s credit",
        "The open request for $300.00 is canceled if less than that stays due",
    ):
        assert message in text


def test_sent_invoice_editor_shows_customer_and_currency_read_only(bob: Client, invoice: Invoice) -> None:
    page = bob.get(edit_url(invoice)).content.decode()
    assert 'name="customer"' not in page
    assert 'name="currency"' not in page
    assert "dana.whitfield@customer.example</output>" in page
    assert ">USD</output>" in page


def test_sent_invoice_edit_ignores_posted_customer_and_currency(bob: Client, invoice: Invoice) -> None:
    other = personas.customer(invoice.organization, "Eli Other")
    form = {**typed(other, version="2", currency="JPY"), "lines.0.unit_amount": "900"}
    assert bob.post(edit_url(invoice), form).status_code == 302
    invoice.refresh_from_db()
    assert (invoice.customer.name, invoice.currency, invoice.total_minor) == (
        "Dana Whitfield",
        "USD",
        90_000,
    )


def test_draft_quote_invoice_editor_shows_customer_read_only(bob: Client, dana: Customer) -> None:
    quote = personas.accept_quote(personas.sent_quote(dana))
    confirm_page(bob, f"/o/alder/quotes/{quote.pk}/invoice/")
    assert 'name="customer"' not in bob.get(edit_url(Invoice.objects.get())).content.decode()


def test_sent_invoice_edit_notice_shows_amount_due(bob: Client, invoice: Invoice) -> None:
    response = change(bob, invoice, "1,200.00")
    assert "INV-0001 is changed: $1,200.00 is due now." in notices(response, bob)


def test_sent_invoice_edit_notice_names_canceled_request(bob: Client, invoice: Invoice) -> None:
    open_request = personas.request_payment(invoice)
    response = change(bob, invoice, "299.99")
    assert "The request for $300.00 was canceled, because the invoice changed." in notices(response, bob)
    open_request.refresh_from_db()
    assert open_request.status == "canceled"


def test_sent_invoice_edit_notice_shows_credit_and_paid(bob: Client, invoice: Invoice) -> None:
    personas.captured_payment(invoice, 40_000)
    shown_notices = notices(change(bob, invoice, "250"), bob)
    assert "$150.00 became Dana Whitfield’s credit." in shown_notices
    assert "The invoice is paid in full." in shown_notices


def test_paid_invoice_edited_up_is_due_again(bob: Client, invoice: Invoice) -> None:
    personas.captured_payment(invoice, 100_000)
    change(bob, invoice, "1000")  # saving moves it to paid
    invoice.refresh_from_db()
    assert "The invoice is due again." in notices(change(bob, invoice, "1,300"), bob)


def test_sent_invoice_edit_mails_customer_only_when_checked(bob: Client, invoice: Invoice) -> None:
    assert 'value="yes">' in bob.get(edit_url(invoice)).content.decode()  # not checked
    change(bob, invoice, "900")
    assert Mail.objects.filter(kind="invoice_sent").count() == 1
    response = change(bob, invoice, "800", notify_customer="yes")
    assert Mail.objects.filter(kind="invoice_sent").count() == 2
    assert "is on its way to dana.whitfield@customer.example" in notices(response, bob)


# Concurrent payments


def test_stale_sent_invoice_edit_keeps_typed_values_and_shows_both(bob: Client, invoice: Invoice) -> None:
    change(bob, invoice, "900", **{"lines.0.description": "Theirs"})
    form = typed(invoice.customer, version="2", lines__0__description="Mine")
    response = bob.post(edit_url(invoice), form)
    page = response.content.decode()
    assert response.status_code == 409
    assert 'value="Mine"' in page
    assert ">Theirs</td>" in page
    assert "invoice was changed or sent in the meantime" in page
    assert bob.post(edit_url(invoice), {**form, "version": "3"}).status_code == 302


def test_draft_invoice_edit_after_concurrent_send_is_stale(bob: Client, dana: Customer) -> None:
    draft = personas.draft_invoice(dana)
    invoices.send(draft, by=personas.owner_actor(dana.organization), now=now())
    response = bob.post(edit_url(draft), typed(dana, version="1", lines__0__unit_amount="5"))
    assert response.status_code == 409
    assert "invoice was changed or sent" in response.content.decode()
    draft.refresh_from_db()
    assert draft.total_minor == 100_000


def test_sent_invoice_edit_warns_of_payment_that_would_become_credit(bob: Client, invoice: Invoice) -> None:
    personas.captured_payment(invoice, 40_000)
    response = change(bob, invoice, "250", paid_minor="0")
    page = response.content.decode()
    assert response.status_code == 409
    assert "$400.00 was paid in the meantime" in page
    assert 'name="paid_minor" value="40000"' in page
    assert 'value="250"' in page
    assert "Save changes" in page


def test_sent_invoice_edit_allows_concurrent_payment_within_total(bob: Client, invoice: Invoice) -> None:
    personas.captured_payment(invoice, 40_000)
    assert change(bob, invoice, "400", paid_minor="0").status_code == 302


def payment_in_progress(open_request: PaymentRequest) -> None:
    """A bank debit of the whole amount requested is processing."""
    at = now()
    Payment.objects.create(
        organization=open_request.organization,
        invoice=open_request.invoice,
        payment_request=open_request,
        gateway_account=open_request.organization.gateway_accounts.get(),
        status="processing",
        accepted=True,
        amount_minor=open_request.amount_requested_minor,
        currency=open_request.currency,
        created_at=at,
        next_refresh_at=at,
    )


def test_sent_invoice_edit_below_payment_in_progress_is_refused(bob: Client, invoice: Invoice) -> None:
    payment_in_progress(personas.request_payment(invoice))
    response = change(bob, invoice, "299", notes="All typed already")
    page = response.content.decode()
    assert response.status_code == 409
    assert "$300.00 is being paid right now, and that would no longer fit" in page
    assert "All typed already" in page
    assert 'value="299"' in page
    assert not Event.objects.filter(type="invoice.edited").exists()


@pytest.mark.parametrize("end", [invoices.void, write_offs.write_off])
def test_sent_invoice_edit_after_concurrent_void_or_write_off_is_refused(
    bob: Client, invoice: Invoice, end: Any
) -> None:
    form = typed(invoice.customer, version="2")
    end(invoice, by=personas.owner_actor(invoice.organization), now=now())
    assert bob.post(edit_url(invoice), form).status_code == 409
    assert bob.get(edit_url(invoice)).status_code == 302


# The preview


def preview(client: Client, invoice: Invoice, total: str) -> str:
    form = typed(invoice.customer, operation="figures", lines__0__unit_amount=total)
    return text_of(client.post(edit_url(invoice), form).content.decode())


@pytest.mark.parametrize(
    ("total", "message"),
    [
        ("600", "Amount due$400.00"),
        ("499.99", "The open request for $300.00 is canceled, as only $299.99 stays due."),
        ("200", "The open request for $300.00 is canceled, as nothing stays due."),
        ("200", "With that the invoice is paid in full."),
        ("150", "$50.00 of what was paid becomes Dana Whitfield’s credit."),
    ],
)
def test_sent_invoice_edit_preview_shows_effects(
    bob: Client, invoice: Invoice, total: str, message: str
) -> None:
    personas.captured_payment(invoice, 20_000)
    personas.request_payment(invoice)
    assert message in preview(bob, invoice, total)


def test_sent_invoice_edit_preview_without_effect_is_silent(bob: Client, invoice: Invoice) -> None:
    personas.request_payment(invoice)
    assert "canceled" not in preview(bob, invoice, "300")


def test_sent_invoice_edit_preview_shows_payment_in_progress(bob: Client, invoice: Invoice) -> None:
    payment_in_progress(personas.request_payment(invoice))
    assert "this can be saved once that is settled" in preview(bob, invoice, "299")
    assert "at least that amount must stay due" in text_of(bob.get(edit_url(invoice)).content.decode())
