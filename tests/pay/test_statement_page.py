"""The page of a statement of account, behind the link that was mailed with it."""

from __future__ import annotations

from django.test import Client

from partway.accounts.models import Organization
from partway.billing import links
from partway.billing.models import Customer, Event, Invoice
from partway.billing.receivables import statements
from tests.pay import all_states
from tests.support import pdf_text, personas
from tests.support.accounts import check_statements


def test_statement_fits_the_books_in_every_state(organization: Organization) -> None:
    all_states.tokens(organization)
    [dana] = Customer.objects.for_organization(organization)
    assert statements.currencies(dana) == ["CAD", "USD"]
    check_statements(dana, days=2)


def test_page_shows_the_period_that_was_mailed_and_nothing_later(dana: Client, invoice: Invoice) -> None:
    event = personas.send_statement(invoice.customer)
    url = links.statement_url(event)
    page = dana.get(url)
    assert page.status_code == 200
    assert f"Invoice {invoice.number}" in page.text
    assert "no-store" in page.headers["Cache-Control"]
    Event.objects.filter(pk=event.pk).update(
        data={**event.data, "since": "2020-01-01", "until": "2020-12-31"}
    )
    assert str(invoice.number) not in dana.get(url).text


def test_pdf_of_link(dana: Client, invoice: Invoice) -> None:
    url = links.statement_url(personas.send_statement(invoice.customer))
    text = pdf_text.text(dana.get(f"{url}pdf/").content)
    assert f"Invoice {invoice.number}" in text
    assert "You owe $1,000.00" in text


def test_link_of_another_event_is_common_404(dana: Client, invoice: Invoice) -> None:
    other = Event.objects.filter(type="invoice.sent").get()
    response = dana.get(links.statement_url(other))
    assert response.status_code == 404
    assert response.content == dana.get("/i/unknown/").content
    assert dana.get(f"{links.statement_url(other)}pdf/").status_code == 404
