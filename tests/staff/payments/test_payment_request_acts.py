"""Acts on a payment request: resend, copy its link, cancel."""

from __future__ import annotations

import pytest
from django.test import Client

from partway.billing import links
from partway.billing.models import Event, Invoice, Mail, PaymentRequest
from tests.staff.confirmation_pages import hidden_fields
from tests.support import personas


@pytest.fixture
def open_request(invoice: Invoice) -> PaymentRequest:
    """An open request for $300.00."""
    return personas.request_payment(invoice)


def url(open_request: PaymentRequest, act: str) -> str:
    return f"/o/alder/requests/{open_request.pk}/{act}/"


def mails(open_request: PaymentRequest) -> int:
    return Mail.objects.filter(payment_request=open_request, kind="payment_request").count()


def test_resend_request_dialog_names_recipient_and_mails_link(
    bob: Client, open_request: PaymentRequest
) -> None:
    assert open_request.to[0] in bob.get(url(open_request, "resend")).content.decode()
    assert mails(open_request) == 1
    assert bob.post(url(open_request, "resend")).status_code == 302
    assert mails(open_request) == 2


def test_resend_request_dialog_changes_recipients(bob: Client, open_request: PaymentRequest) -> None:
    sent = {
        **hidden_fields(bob.get(url(open_request, "resend"))),
        "to": "books@bücher.example; eve@x.example",
    }
    page = bob.post(url(open_request, "resend"), sent, follow=True).text
    assert "on its way again to books@bücher.example, eve@x.example" in page
    assert "Bob changed who gets the payment link" in page
    assert "→ “books@bücher.example, eve@x.example”" in page
    open_request.refresh_from_db()
    assert open_request.to == ["books@bücher.example", "eve@x.example"]


def test_resend_request_dialog_offers_new_address_of_customer(
    bob: Client, open_request: PaymentRequest
) -> None:
    dialog = url(open_request, "resend")
    assert "Use this address" not in bob.get(dialog).text
    personas.change_address(open_request.invoice.customer, "new@customer.example")
    assert "new@customer.example" in bob.get(dialog).text
    offered = bob.get(f"{dialog}?to=customer")
    assert 'name="to" value="new@customer.example"' in offered.text
    assert "Use this address" not in offered.text
    bob.post(dialog, {**hidden_fields(offered), "to": "new@customer.example"})
    open_request.refresh_from_db()
    assert open_request.to == ["new@customer.example"]


def test_resend_request_dialog_keeps_bad_address_and_names_it(
    bob: Client, open_request: PaymentRequest
) -> None:
    response = bob.post(url(open_request, "resend"), {"to": "jörg@customer.example", "cc": "", "bcc": ""})
    assert response.status_code == 422
    assert 'value="jörg@customer.example"' in response.text
    assert "has letters before the @" in response.text
    assert mails(open_request) == 1


def test_resend_request_dialog_is_stale_after_another_member_changed_recipients(
    bob: Client, open_request: PaymentRequest
) -> None:
    dialog = url(open_request, "resend")
    opened = hidden_fields(bob.get(dialog))
    bob.post(dialog, {**opened, "to": "first@x.example"})
    response = bob.post(dialog, {**opened, "to": "second@x.example"})
    assert response.status_code == 422
    assert "first@x.example" in response.text
    assert 'value="second@x.example"' in response.text
    assert bob.post(dialog, {**hidden_fields(response), "to": "second@x.example"}).status_code == 302


def test_an_ended_request_cannot_be_resent(bob: Client, open_request: PaymentRequest) -> None:
    bob.post(url(open_request, "cancel"))
    response = bob.post(url(open_request, "resend"))
    assert response.status_code == 409
    assert "already ended" in response.content.decode()
    assert mails(open_request) == 1


def test_cancel_request_dialog_asks_first(bob: Client, open_request: PaymentRequest) -> None:
    page = bob.get(url(open_request, "cancel")).content.decode()
    assert "Cancel the request for $300.00?" in page
    open_request.refresh_from_db()
    assert open_request.status == "open"


def test_canceled_request_moves_to_earlier_requests(bob: Client, open_request: PaymentRequest) -> None:
    response = bob.post(url(open_request, "cancel"), follow=True)
    page = response.content.decode()
    assert "Requested Amount" not in page
    assert "Earlier requests" in page
    assert "By a member" in page
    assert ">Request Payment<" in page
    open_request.refresh_from_db()
    assert (open_request.status, open_request.cancel_reason) == ("canceled", "by_member")


def test_canceling_request_twice_is_idempotent(bob: Client, open_request: PaymentRequest) -> None:
    bob.post(url(open_request, "cancel"))
    assert bob.post(url(open_request, "cancel")).status_code == 302
    assert Event.objects.filter(type="payment_request.canceled").count() == 1


def test_paid_request_cannot_be_canceled(bob: Client, open_request: PaymentRequest) -> None:
    PaymentRequest.objects.update(status="paid", ended_at=open_request.created_at)
    response = bob.post(url(open_request, "cancel"))
    assert response.status_code == 409
    assert "Too late" in response.content.decode()


def test_request_link_page_shows_link(bob: Client, open_request: PaymentRequest) -> None:
    assert links.request_url(open_request) in bob.get(url(open_request, "link")).content.decode()


def test_link_of_canceled_request_is_not_shown(bob: Client, open_request: PaymentRequest) -> None:
    bob.post(url(open_request, "cancel"))
    page = bob.get(url(open_request, "link")).content.decode()
    assert links.request_url(open_request) not in page
    assert "has ended" in page
