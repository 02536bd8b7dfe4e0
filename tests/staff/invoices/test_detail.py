"""The page of one invoice: amounts, payments, acts and timeline."""

from __future__ import annotations

import re

from django.test import Client

from partway.accounts.models import Organization
from partway.billing.documents import invoices
from partway.billing.models import Customer, Invoice, Mail, MailAttempt
from partway.billing.requests import payment_requests
from partway.lib.clock import now
from tests.support import personas


def page_of(client: Client, invoice: Invoice) -> str:
    return client.get(f"/o/alder/invoices/{invoice.pk}/").content.decode()


def text_of(page: str) -> str:
    """Returns the visible text, with spaces folded."""
    return " ".join(re.sub(r"<[^>]+>", "", page).split())


def test_invoice_page_shows_amount_due_and_stage_bar(charlie: Client, invoice: Invoice) -> None:
    personas.captured_payment(invoice, 30_000)
    personas.request_payment(invoice, 20_000)
    page = page_of(charlie, invoice)
    assert 'aria-label="Paid $300.00 of $1,000.00, $200.00 requested"' in page
    text = text_of(page)
    assert "Total Amount Due $700.00" in text
    assert "Partially paid" in text
    assert "Oak staircase" in text


def test_draft_invoice_page_offers_send_and_edit(bob: Client, dana: Customer) -> None:
    page = page_of(bob, personas.draft_invoice(dana))
    assert ">Send<" in page
    assert ">Edit<" in page
    assert "Total Amount Due" not in page


def test_invoice_page_offers_void_to_owners_only(alice: Client, bob: Client, invoice: Invoice) -> None:
    assert "Void Invoice" in page_of(alice, invoice)
    assert "Void Invoice" not in page_of(bob, invoice)


def test_partly_paid_invoice_page_offers_void_on_page_of_its_own(alice: Client, invoice: Invoice) -> None:
    personas.captured_payment(invoice, 100)
    page = page_of(alice, invoice)
    assert "Void Invoice…" in page
    assert f'hx-get="/o/alder/invoices/{invoice.pk}/void/"' not in page


def test_invoice_page_shows_overdue_from_day_after_due_date(charlie: Client, dana: Customer) -> None:
    assert "Overdue" in page_of(charlie, personas.sent_invoice(dana, due_in=-1))
    assert "Overdue" not in page_of(charlie, personas.sent_invoice(dana, due_in=0))


def test_invoice_page_shows_payments_with_receipt_link(charlie: Client, invoice: Invoice) -> None:
    personas.captured_payment(invoice, 30_000, method="bank_debit")
    page = page_of(charlie, invoice)
    assert "Bank debit" in page
    assert "Succeeded" in page
    assert "/r/" in page


def test_invoice_timeline_describes_events_in_sentences(bob: Client, invoice: Invoice) -> None:
    open_request = personas.request_payment(invoice)
    payment_requests.mark_opened(open_request, now=now())
    payment_requests.cancel(open_request, by=personas.owner_actor(invoice.organization), now=now())
    personas.captured_payment(invoice, 100_000)
    text = text_of(page_of(bob, invoice))
    for sentence in (
        "Alice wrote the invoice",
        "Alice sent the invoice to dana.whitfield@customer.example",
        "Alice requested $300.00 from dana.whitfield@customer.example",
        "Dana Whitfield opened the payment link",
        "Alice canceled the request for $300.00",
        "$1,000.00 was paid",
    ):
        assert sentence in text


def test_invoice_page_times_use_organization_time_zone(charlie: Client, invoice: Invoice) -> None:
    at = "2026-07-01T03:30:00Z"
    invoice.events.update(created_at=at)
    assert "Jun 30, 2026, 11:30 PM" in page_of(charlie, invoice)
    Organization.objects.update(time_zone="Asia/Tokyo")
    assert "Jul 1, 2026, 12:30 PM" in page_of(charlie, invoice)


def test_invoice_page_shows_error_of_failed_mail(charlie: Client, invoice: Invoice) -> None:
    mail = Mail.objects.get(invoice=invoice)
    Mail.objects.update(status="failed")
    MailAttempt.objects.create(
        mail=mail,
        number=1,
        attempted_at=now(),
        error_code="unknown",
        error_params={"error": "550 no such mailbox"},
    )
    text = text_of(page_of(charlie, invoice))
    assert "Failed" in text
    assert "550 no such mailbox" in text


def test_void_invoice_page_shows_nothing_due(alice: Client, invoice: Invoice) -> None:
    invoices.void(invoice, by=personas.owner_actor(invoice.organization), now=now())
    page = page_of(alice, invoice)
    assert "Void: nothing is due" in page
    assert "Nothing can be asked for it" in page


def test_invoice_page_escapes_typed_text(alice: Client, organization: Organization) -> None:
    owes = personas.customer(organization, "<i>Mal</i>", "mal@customer.example")
    page = page_of(alice, personas.sent_invoice(owes))
    assert "<i>Mal</i>" not in page
    assert "&lt;i&gt;Mal&lt;/i&gt;" in page


def test_invoice_page_has_no_inline_script_or_style(alice: Client, invoice: Invoice) -> None:
    personas.request_payment(invoice)
    page = page_of(alice, invoice)
    assert not re.search(r"<script(?![^>]*\bsrc=)", page)
    assert "<style" not in page
    assert not re.search(r"\sstyle=", page)
    assert not re.search(r"\son[a-z]+=", page)


def test_invoice_page_names_rest_that_cannot_be_paid_online(bob: Client, dana: Customer) -> None:
    invoice = personas.sent_invoice(dana, 1_234_567, currency="KWD")
    page = bob.get(f"/o/alder/invoices/{invoice.pk}/").content.decode()
    assert "The last KWD\u00a00.007 must come in another way." in page
    personas.captured_payment(invoice, 1_234_560)
    page = bob.get(f"/o/alder/invoices/{invoice.pk}/").content.decode()
    assert (
        "must come in another way" not in page
    )  # once is enough: the reason why nothing can be requested says it
    assert "Less is due than the smallest online payment" in page


def test_reader_reads_why_no_payment_can_be_requested(charlie: Client, invoice: Invoice) -> None:
    url = f"/o/alder/invoices/{invoice.pk}/"
    assert "collector or owner can request a payment" in charlie.get(url).content.decode()
    personas.request_payment(invoice)
    page = charlie.get(url).content.decode()
    assert "Only one request can be open at a time." in page
    assert "Cancel this one" not in page
    Organization.objects.update(payments_enabled=False)
    assert "Payments are not enabled" in charlie.get(url).content.decode()


def test_hidden_recipients_of_a_mail_are_shown_to_members_who_may_name_them(
    bob: Client, charlie: Client, invoice: Invoice
) -> None:
    request = personas.request_payment(invoice)
    request.mails.update(bcc=["quiet@hollis.example"])
    shown = ["quiet@hollis.example" in page_of(client, invoice) for client in (bob, charlie)]
    assert shown == [True, False]
