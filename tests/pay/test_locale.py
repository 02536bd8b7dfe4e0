"""The customer's pages are in the locale of the organization."""

from __future__ import annotations

from django.test import Client

from partway.accounts.models import Organization
from partway.billing import links
from partway.billing.models import PaymentRequest


def test_request_page_formats_amounts_in_locale_of_organization(
    dana: Client, request_: PaymentRequest
) -> None:
    Organization.objects.update(locale="de_DE")
    text = dana.get(links.request_url(request_)).content.decode()
    assert "Pay 300,00\u00a0$" in text
