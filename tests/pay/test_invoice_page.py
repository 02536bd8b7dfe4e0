"""The customer's page of an invoice."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from partway.accounts.models import Organization
from partway.billing import links
from partway.billing.models import Event, Invoice, Payment, PaymentRequest
from partway.lib.clock import now
from tests.support import personas


def test_invoice_page_shows_lines_payments_and_amount_due(dana: Client, invoice: Invoice) -> None:
    personas.captured_payment(invoice, 25_000)
    text = dana.get(links.invoice_url(invoice)).text
    for words in (invoice.number, "Oak staircase", "Dana Whitfield", "Alder Joinery", "Paid so far", "Card"):
        assert str(words) in text
    assert ">Pay Now · $750.00</button>" in text


@pytest.mark.parametrize(("due_in", "word"), [(14, "Unpaid"), (-1, "Overdue")])
def test_invoice_page_shows_unpaid_or_overdue(
    dana: Client, organization: Organization, due_in: int, word: str
) -> None:
    invoice = personas.sent_invoice(personas.customer(organization), due_in=due_in)
    assert f"</span>{word}</span>" in dana.get(links.invoice_url(invoice)).text


def test_paid_invoice_page_has_no_pay_button(dana: Client, invoice: Invoice) -> None:
    personas.captured_payment(invoice, 100_000)
    response = dana.get(links.invoice_url(invoice))
    assert response.status_code == 200
    assert "paid in full" in response.text
    assert "button-primary" not in response.text


def test_invoice_page_with_payments_disabled_shows_contact(dana: Client, invoice: Invoice) -> None:
    Organization.objects.update(payments_enabled=False)
    text = dana.get(links.invoice_url(invoice)).text
    assert "Not payable online" in text
    assert "+1 555 010 4477" in text
    assert "button-primary" not in text


def test_invoice_page_with_processing_payment_has_no_pay_button(dana: Client, invoice: Invoice) -> None:
    personas.pending_payment(invoice, 100)
    Payment.objects.update(status="capturing")
    text = dana.get(links.invoice_url(invoice)).text
    assert "A payment is being processed" in text
    assert "button-primary" not in text


def test_draft_invoice_page_is_404(dana: Client, organization: Organization) -> None:
    draft = personas.draft_invoice(personas.customer(organization))
    assert dana.get(links.invoice_url(draft)).status_code == 404


def test_pay_now_with_smaller_amount_is_refused(dana: Client, invoice: Invoice) -> None:
    response = dana.post(links.invoice_url(invoice) + "pay/", {"amount_minor": "1"})
    assert response.status_code == 409
    assert not Payment.objects.exists()


def test_get_of_invoice_pay_url_redirects_to_page(dana: Client, invoice: Invoice) -> None:
    assert dana.get(links.invoice_url(invoice) + "pay/").status_code == 302


def test_invoice_opened_event_is_recorded_once_by_page_post(dana: Client, invoice: Invoice) -> None:
    for _ in range(2):
        assert dana.post(links.invoice_url(invoice) + "opened/").status_code == 204
    assert Event.objects.filter(type="invoice.opened").count() == 1


def test_invoice_page_offers_payable_part_and_says_how_rest_can_be_paid(
    dana: Client, organization: Organization
) -> None:
    Organization.objects.update(payment_instructions="Or bring it to the workshop.")
    invoice = personas.sent_invoice(personas.customer(organization), 1_234_567, currency="KWD")
    text = dana.get(links.invoice_url(invoice)).text
    assert ">Pay Now · KWD\u00a01,234.560</button>" in text
    assert 'name="amount_minor" value="1234560"' in text
    assert "KWD\u00a00.007 is left to pay in another way" in text
    assert "Or bring it to the workshop." in text


def test_invoice_page_of_unpayable_rest_has_no_pay_button(dana: Client, organization: Organization) -> None:
    invoice = personas.sent_invoice(personas.customer(organization), 1_234_567, currency="KWD")
    personas.captured_payment(invoice, 1_234_560)
    text = dana.get(links.invoice_url(invoice)).text
    assert "Not payable online" in text
    assert "button-primary" not in text


def test_invoice_page_offers_requested_part_and_whole(dana: Client, request_: PaymentRequest) -> None:
    text = dana.get(links.invoice_url(request_.invoice)).text
    for words in (
        "Alder Joinery asks for $300.00 now",
        f'action="{links.link_path(request_)}pay/"',
        'name="amount_minor" value="30000"',
        ">Pay $300.00</button>",
        'name="amount_minor" value="100000"',
        ">Pay Now · $1,000.00</button>",
        'aria-label="Paid $0.00 of $1,000.00, $300.00 requested"',
    ):
        assert words in text


def test_invoice_page_does_not_offer_expired_request(dana: Client, request_: PaymentRequest) -> None:
    PaymentRequest.objects.update(expires_at=now() - timedelta(seconds=1))
    text = dana.get(links.invoice_url(request_.invoice)).text
    assert "/p/" not in text
    assert ">Pay Now · $1,000.00</button>" in text


def test_invoice_page_offers_request_for_all_that_is_due_once(dana: Client, invoice: Invoice) -> None:
    personas.request_payment(invoice, 100_000)
    text = dana.get(links.invoice_url(invoice)).text
    assert text.count('name="amount_minor"') == 1
    assert ">Pay Now · $1,000.00</button>" in text


def test_paid_invoice_page_leads_to_receipts(dana: Client, invoice: Invoice) -> None:
    payments = [personas.captured_payment(invoice, 25_000), personas.record_check(invoice, 75_000)]
    text = dana.get(links.invoice_url(invoice)).text
    for payment in payments:
        assert f'href="{links.receipt_url(payment)}"' in text
