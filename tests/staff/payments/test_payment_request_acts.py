"""What can be done with a payment request afterwards: resend, copy, cancel."""

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


def test_resend_says_to_whom_and_then_mails_the_link_again(bob: Client, asked: PaymentRequest) -> None:
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


def test_cancel_asks_first(bob: Client, asked: PaymentRequest) -> None:
    page = bob.get(url(asked, "cancel")).content.decode()
    assert "Cancel the request for $300.00?" in page
    asked.refresh_from_db()
    assert asked.status == "open"


def test_canceled_the_row_is_gone_and_history_keeps_it(bob: Client, asked: PaymentRequest) -> None:
    answer = bob.post(url(asked, "cancel"), follow=True)
    page = answer.content.decode()
    assert "Requested Amount" not in page
    assert "Earlier requests" in page
    assert "Canceled by a member" in page
    assert ">Request Payment<" in page
    asked.refresh_from_db()
    assert (asked.status, asked.cancel_reason) == ("canceled", "by_member")


def test_canceling_twice_is_one_end(bob: Client, asked: PaymentRequest) -> None:
    bob.post(url(asked, "cancel"))
    assert bob.post(url(asked, "cancel")).status_code == 302
    assert Event.objects.filter(type="payment_request.canceled").count() == 1


def test_a_paid_request_cannot_be_canceled_any_more(bob: Client, asked: PaymentRequest) -> None:
    PaymentRequest.objects.update(status="paid", ended_at=asked.created_at)
    answer = bob.post(url(asked, "cancel"))
    assert answer.status_code == 409
    assert "Too late" in answer.content.decode()


def test_the_link_page_shows_the_link(bob: Client, asked: PaymentRequest) -> None:
    assert links.request_url(asked) in bob.get(url(asked, "link")).content.decode()


def test_a_dead_link_is_not_given_out(bob: Client, asked: PaymentRequest) -> None:
    bob.post(url(asked, "cancel"))
    page = bob.get(url(asked, "link")).content.decode()
    assert links.request_url(asked) not in page
    assert "has ended" in page
