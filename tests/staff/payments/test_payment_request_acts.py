"""Acts on a payment request: resend, copy its link, cancel."""

from __future__ import annotations

import pytest
from django.test import Client

from partway.billing import links
from partway.billing.models import Event, Invoice, Mail, PaymentRequest
from tests.support import personas


@pytest.fixture
def asked(invoice: Invoice) -> PaymentRequest:
    """An open request for $300.00."""
    return personas.request_payment(invoice)


def url(asked: PaymentRequest, act: str) -> str:
    return f"/o/alder/requests/{asked.pk}/{act}/"


def mails(asked: PaymentRequest) -> int:
    return Mail.objects.filter(payment_request=asked, kind="payment_request").count()


def test_resend_request_dialog_names_recipient_and_mails_link(bob: Client, asked: PaymentRequest) -> None:
    assert asked.to[0] in bob.get(url(asked, "resend")).content.decode()
    assert mails(asked) == 1
    assert bob.post(url(asked, "resend")).status_code == 302
    assert mails(asked) == 2


def test_an_ended_request_cannot_be_resent(bob: Client, asked: PaymentRequest) -> None:
    bob.post(url(asked, "cancel"))
    answer = bob.post(url(asked, "resend"))
    assert answer.status_code == 409
    assert "already ended" in answer.content.decode()
    assert mails(asked) == 1


def test_cancel_request_dialog_asks_first(bob: Client, asked: PaymentRequest) -> None:
    page = bob.get(url(asked, "cancel")).content.decode()
    assert "Cancel the request for $300.00?" in page
    asked.refresh_from_db()
    assert asked.status == "open"


def test_canceled_request_moves_to_earlier_requests(bob: Client, asked: PaymentRequest) -> None:
    answer = bob.post(url(asked, "cancel"), follow=True)
    page = answer.content.decode()
    assert "Requested Amount" not in page
    assert "Earlier requests" in page
    assert "Canceled by a member" in page
    assert ">Request Payment<" in page
    asked.refresh_from_db()
    assert (asked.status, asked.cancel_reason) == ("canceled", "by_member")


def test_canceling_request_twice_is_idempotent(bob: Client, asked: PaymentRequest) -> None:
    bob.post(url(asked, "cancel"))
    assert bob.post(url(asked, "cancel")).status_code == 302
    assert Event.objects.filter(type="payment_request.canceled").count() == 1


def test_paid_request_cannot_be_canceled(bob: Client, asked: PaymentRequest) -> None:
    PaymentRequest.objects.update(status="paid", ended_at=asked.created_at)
    answer = bob.post(url(asked, "cancel"))
    assert answer.status_code == 409
    assert "Too late" in answer.content.decode()


def test_request_link_page_shows_link(bob: Client, asked: PaymentRequest) -> None:
    assert links.request_url(asked) in bob.get(url(asked, "link")).content.decode()


def test_link_of_canceled_request_is_not_shown(bob: Client, asked: PaymentRequest) -> None:
    bob.post(url(asked, "cancel"))
    page = bob.get(url(asked, "link")).content.decode()
    assert links.request_url(asked) not in page
    assert "has ended" in page
