"""An organization with an open request, with its queued mails."""

from __future__ import annotations

import pytest

from partway.accounts.models import Organization
from partway.billing.models import Invoice, Mail, PaymentRequest
from tests.support import personas


@pytest.fixture
def organization(db: None) -> Organization:
    """Alder Joinery."""
    return personas.alder().organization


@pytest.fixture
def invoice(organization: Organization) -> Invoice:
    """A sent invoice of $1,000.00 to Dana, whose own mail is sent."""
    invoice = personas.sent_invoice(personas.customer(organization))
    Mail.objects.all().update(status="sent")
    return invoice


@pytest.fixture
def request_(invoice: Invoice) -> PaymentRequest:
    """An open request for $300.00 of it."""
    return personas.request_payment(invoice)


@pytest.fixture
def mail(request_: PaymentRequest) -> Mail:
    """The request's queued mail."""
    return Mail.objects.get(payment_request=request_)
