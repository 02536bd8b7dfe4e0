"""Sending, resending and voiding an invoice."""

from __future__ import annotations

from django.test import Client

from partway.billing.models import Customer, Invoice, Mail
from tests import personas


def url(invoice: Invoice, act: str) -> str:
    return f"/o/alder/invoices/{invoice.pk}/{act}/"


def test_send_says_to_whom_first(bob: Client, dana: Customer) -> None:
    draft = personas.draft(dana)
    page = bob.get(url(draft, "send")).content.decode()
    assert dana.email in page
    assert "Send $1,000.00" in page
    assert not Mail.objects.exists()


def test_sent_it_has_a_number_and_the_customer_a_mail(bob: Client, dana: Customer) -> None:
    draft = personas.draft(dana)
    answer = bob.post(url(draft, "send"), follow=True)
    draft.refresh_from_db()
    assert (draft.status, draft.number) == ("sent", "INV-0001")
    assert Mail.objects.get().to == [dana.email]
    assert "is on its way to" in answer.content.decode()


def test_sending_twice_is_refused_and_mails_once(bob: Client, dana: Customer) -> None:
    draft = personas.draft(dana)
    bob.post(url(draft, "send"))
    answer = bob.post(url(draft, "send"))
    assert answer.status_code == 409
    assert "already sent" in answer.content.decode()
    assert Mail.objects.count() == 1


def test_an_invoice_of_nothing_is_not_sent(bob: Client, dana: Customer) -> None:
    draft = personas.draft(dana, 0)
    answer = bob.post(url(draft, "send"))
    assert answer.status_code == 422
    assert "Nothing is due on this invoice" in answer.content.decode()


def test_resend_mails_the_invoice_again(bob: Client, invoice: Invoice) -> None:
    assert invoice.customer.email in bob.get(url(invoice, "resend")).content.decode()
    bob.post(url(invoice, "resend"))
    assert Mail.objects.filter(kind="invoice_sent").count() == 2


def test_void_asks_first_and_then_ends_it_with_its_request(alice: Client, invoice: Invoice) -> None:
    asked = personas.ask(invoice)
    assert "cannot be undone" in alice.get(url(invoice, "void")).content.decode()
    alice.post(url(invoice, "void"))
    invoice.refresh_from_db()
    asked.refresh_from_db()
    assert (invoice.status, asked.cancel_reason) == ("void", "invoice_voided")


def test_a_part_paid_invoice_is_not_voided(alice: Client, invoice: Invoice) -> None:
    personas.paid_part(invoice, 100)
    answer = alice.post(url(invoice, "void"))
    assert answer.status_code == 409
    assert "can no longer be voided" in answer.content.decode()
