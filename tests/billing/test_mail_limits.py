"""Members send as many mails as people do: per link, per member, and per organization."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from partway.billing.documents import invoices
from partway.billing.errors import RateLimited
from partway.billing.events import Actor
from partway.billing.models import Customer, Event, Invoice, Mail, PaymentRequest
from partway.billing.people import members
from partway.billing.requests import payment_requests
from partway.lib.clock import now as present
from tests.support import personas


@pytest.fixture(autouse=True)
def _low_limits(settings: Settings) -> None:
    """Three mails of a link within an hour, six of a member, eight of an organization."""
    settings.PARTWAY_MAILS_PER_LINK = 3
    settings.PARTWAY_MAILS_PER_MEMBER = 6
    settings.PARTWAY_MAILS_PER_ORGANIZATION = 8


def test_mails_of_one_link_are_limited(open_request: PaymentRequest, alice: Actor) -> None:
    for _ in range(2):
        payment_requests.resend(open_request, by=alice, now=present())
    with pytest.raises(RateLimited) as refused:
        payment_requests.resend(open_request, by=alice, now=present())
    assert refused.value.reason == "mail_link"
    assert Mail.objects.filter(kind="payment_request").count() == 3
    assert Event.objects.filter(type="payment_request.resent").count() == 2
    payment_requests.resend(open_request, by=alice, now=present() + timedelta(hours=1, minutes=1))


def test_new_request_of_same_invoice_shares_the_limit(open_request: PaymentRequest, alice: Actor) -> None:
    for _ in range(2):
        payment_requests.resend(open_request, by=alice, now=present())
    payment_requests.cancel(open_request, by=alice, now=present())
    with pytest.raises(RateLimited):
        personas.request_payment(open_request.invoice)


def test_mails_of_one_member_are_limited(dana: Customer, alice: Actor) -> None:
    sent = [personas.sent_invoice(dana) for _ in range(2)]
    for _ in range(2):
        for invoice in sent:
            invoices.resend(invoice, by=alice, now=present())
    with pytest.raises(RateLimited) as refused:
        personas.request_payment(sent[0])
    assert refused.value.reason == "mail_member"


def test_mails_of_one_organization_are_limited(dana: Customer, settings: Settings) -> None:
    settings.PARTWAY_MAILS_PER_MEMBER = 100
    for _ in range(8):
        personas.sent_invoice(dana)
    with pytest.raises(RateLimited) as refused:
        personas.sent_invoice(dana)
    assert refused.value.reason == "mail_organization"


def test_invitations_of_one_address_are_limited(dana: Customer, alice: Actor) -> None:
    for _ in range(3):
        invitation = members.invite(
            dana.organization, email="ivy@post.example", role="reader", by=alice, now=present()
        )
        members.withdraw(invitation, by=alice, now=present())
    with pytest.raises(RateLimited):
        members.invite(dana.organization, email="IVY@post.example", role="reader", by=alice, now=present())


def test_mail_limit_does_not_refuse_a_cancellation(open_request: PaymentRequest, settings: Settings) -> None:
    settings.PARTWAY_MAILS_PER_MEMBER = settings.PARTWAY_MAILS_PER_ORGANIZATION = 1
    by = Actor("member", "mem_other", "Somebody else")
    assert payment_requests.cancel(open_request, by=by, now=present()).status == "canceled"


def test_page_of_limited_resend_names_the_wait(open_request: PaymentRequest, invoice: Invoice) -> None:
    client = Client()
    client.force_login(invoice.organization.members.get(role="owner").user)
    address = f"/o/{invoice.organization.slug}/requests/{open_request.pk}/resend/"
    answers = [client.post(address) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [302, 302, 429]
    assert "the link that was mailed still works. Try again in 60 min." in answers[2].content.decode()
    assert 3_590 <= int(answers[2].headers["Retry-After"]) <= 3_600
