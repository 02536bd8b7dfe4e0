"""Documents behind a customer's link: the same token, the same 404, and no caching."""

from __future__ import annotations

import pytest
from django.http import HttpResponse
from django.test import Client

from partway.billing import links
from partway.billing.documents import invoices
from partway.billing.models import Invoice, Payment
from partway.lib.clock import now
from tests.support import pdf_text, personas


def _pdf(dana: Client, url: str) -> HttpResponse:
    response: HttpResponse = dana.get(f"{url}pdf/")
    return response


def test_invoice_pdf_can_be_downloaded(dana: Client, invoice: Invoice) -> None:
    response = _pdf(dana, links.invoice_url(invoice))
    assert response.headers["Content-Type"] == "application/pdf"
    assert response.headers["Content-Disposition"] == f'inline; filename="Invoice-{invoice.number}.pdf"'
    assert "no-store" in response.headers["Cache-Control"]
    assert "noindex" in response.headers["X-Robots-Tag"]
    assert "Total Amount Due $1,000.00" in pdf_text.text(response.content)


def test_receipt_pdf_can_be_downloaded(dana: Client, invoice: Invoice) -> None:
    payment = personas.captured_payment(invoice, 1_000)
    response = _pdf(dana, links.receipt_url(payment))
    assert "You paid $10.00" in pdf_text.text(response.content)


def test_invoice_and_receipt_page_link_to_pdf(dana: Client, invoice: Invoice) -> None:
    for url in (links.invoice_url(invoice), links.receipt_url(personas.captured_payment(invoice, 1_000))):
        path = url.partition("/")[2].partition("/")[2].partition("/")[2]
        assert f'href="/{path}pdf/" download>Download PDF</a>' in dana.get(url).text


@pytest.mark.parametrize("door", ["i", "r"])
def test_pdf_of_unknown_link_is_common_404(db: None, dana: Client, door: str) -> None:
    response = _pdf(dana, f"/{door}/inv_nothing-at-all/")
    assert response.status_code == 404
    assert response.content == dana.get("/i/unknown/").content


def test_pdf_of_another_link_kind_is_404(dana: Client, invoice: Invoice) -> None:
    url = links.invoice_url(invoice).replace("/i/", "/r/")
    assert _pdf(dana, url).status_code == 404


def test_pdf_of_void_invoice_is_gone(dana: Client, invoice: Invoice) -> None:
    invoices.void(invoice, by=personas.owner_actor(invoice.organization), now=now())
    response = _pdf(dana, links.invoice_url(invoice))
    assert response.status_code == 410
    assert "This invoice was voided" in response.text


def test_receipt_pdf_of_uncaptured_payment_redirects_to_page(dana: Client, invoice: Invoice) -> None:
    payment = personas.captured_payment(invoice, 1_000)
    taken_back = {"captured_minor": None, "allocated_minor": 0, "issued_by": None, "issued_to": None}
    Payment.objects.filter(pk=payment.pk).update(status="processing", accepted=True, **taken_back)
    response = _pdf(dana, links.receipt_url(payment))
    assert response.status_code == 302
    assert response.headers["Location"] in links.receipt_url(payment)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_pdf_accepts_only_get(dana: Client, invoice: Invoice, method: str) -> None:
    assert dana.generic(method, f"{links.invoice_url(invoice)}pdf/").status_code == 405
