"""A page weighs at most 60 kB on its first load, in large books too, and nothing of it comes from another host."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.test import Client

from partway.accounts.models import Organization
from partway.billing import links
from partway.billing.models import Customer
from tests.support import personas
from tests.support.page_weight import first_load

_MAX_BYTES = 60_000
_LISTS = ("", "invoices/", "quotes/", "customers/", "payments/", "payouts/", "settings/audit/", "attention/")
_FORMS = ("invoices/new/", "quotes/new/", "customers/new/", "settings/", "imports/new/?kind=invoices")


@pytest.fixture
def addresses(organization: Organization, dana: Customer) -> list[str]:
    """Pages with as many rows as they show at once, of members and of customers."""
    made = [
        Customer(organization=organization, name=f"Whitfield & Sons {number:x}", email=f"w{number}@x.example")
        for number in range(600)
    ]
    for customer in made:
        customer.created_at = dana.created_at
    Customer.objects.bulk_create(made)
    invoice = personas.sent_invoice(dana)
    payment = personas.record_check(invoice, 5_000)
    pages = (*_LISTS, *_FORMS, f"invoices/{invoice.pk}/", f"payments/{payment.pk}/", f"customers/{dana.pk}/")
    return [
        *(f"/o/alder/{page}" for page in pages),
        links.request_url(personas.request_payment(invoice, 5_000)),
        links.receipt_url(payment),
    ]


def test_page_weighs_little_and_asks_no_other_host(alice: Client, addresses: list[str]) -> None:
    wrong = []
    for address in addresses:
        response = alice.get(address)
        assert response.status_code == 200, address
        weight, files = first_load(alice, response)
        wrong += [f"{address}: {weight} bytes"] if weight > _MAX_BYTES else []
        wrong += [f"{address}: {each}" for each in files]
    assert not wrong, "\n".join(wrong)


def test_file_that_is_here_already_is_not_sent_again(client: Client) -> None:
    address = f"{settings.STATIC_URL}staff/staff.css"
    modified = client.head(address).headers["Last-Modified"]
    assert client.get(address, headers={"If-Modified-Since": modified}).status_code == 304
