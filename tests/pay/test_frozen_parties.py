"""The customer's pages of what was issued, after both parties changed: its own parties, and whom to ask now (D9)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from partway.billing import links
from partway.billing.models import Customer, Invoice, Payment
from tests.support import personas


def receipt(owes: Customer) -> str:
    return links.receipt_url(personas.captured_payment(personas.sent_invoice(owes), 30_000))


def reversal(owes: Customer) -> str:
    payment = personas.record_check(personas.sent_invoice(owes), 30_000)
    return links.receipt_url(personas.reverse_check(payment))


PAGES: dict[str, Callable[[Customer], str]] = {
    "invoice": lambda owes: links.invoice_url(personas.sent_invoice(owes)),
    "quote": lambda owes: links.quote_url(personas.sent_quote(owes)),
    "receipt": receipt,
    "reversed payment": reversal,
}


@pytest.mark.parametrize("page", PAGES)
def test_page_keeps_seller_of_its_day_and_shows_present_contact(
    dana: Client, invoice: Invoice, page: str
) -> None:
    url = PAGES[page](invoice.customer)
    personas.change_customer(invoice.customer)
    personas.change_organization(invoice.organization)
    head, contact = dana.get(url).text.split('<footer class="contact">')
    assert '<p class="letterhead">Alder Joinery</p>' in head
    assert "Alder Joinery</title>" in " ".join(head.split())
    assert "9 Elm Street" not in head
    assert "Dana Reed" not in head
    assert "hello@elm.example" in contact


def test_receipt_names_customer_of_the_day_of_the_payment(dana: Client, invoice: Invoice) -> None:
    personas.change_customer(invoice.customer)
    payment = personas.captured_payment(invoice, 30_000)
    assert Payment.objects.get(pk=payment.pk).recipient.name == "Dana Reed"
    assert "Paid by Dana Reed" in dana.get(links.receipt_url(payment)).text
    assert "Dana Whitfield" in dana.get(links.invoice_url(invoice)).text
