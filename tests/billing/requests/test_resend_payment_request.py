"""Tests of mailing the link of an open request again."""

from __future__ import annotations

import pytest

from partway.billing import links
from partway.billing.errors import TooLate
from partway.billing.events import Actor
from partway.billing.models import Event, Mail, PaymentRequest
from partway.billing.requests import payment_requests
from partway.delivery.mail import kinds
from partway.lib.clock import now as present


def test_resending_request_mails_same_link_to_same_recipients(
    open_request: PaymentRequest, alice: Actor
) -> None:
    url = links.request_url(open_request)
    mail = payment_requests.resend(open_request, by=alice, now=present())
    open_request.refresh_from_db()
    assert mail.payment_request is not None
    assert links.request_url(mail.payment_request) == url
    assert (mail.to, open_request.status) == (open_request.to, "open")
    assert Event.objects.get(pk=mail.event_id).type == "payment_request.resent"


def test_ended_request_cannot_be_resent(open_request: PaymentRequest, alice: Actor) -> None:
    payment_requests.cancel(open_request, by=alice, now=present())
    with pytest.raises(TooLate) as refusal:
        payment_requests.resend(open_request, by=alice, now=present())
    assert refusal.value.reason == "request_by_member"
    assert open_request.mails.count() == 1


def test_queued_request_mail_is_dropped_when_request_ends(open_request: PaymentRequest, alice: Actor) -> None:
    mail = Mail.objects.get(payment_request=open_request)
    assert kinds.is_valid(mail, now=present())
    payment_requests.cancel(open_request, by=alice, now=present())
    assert not kinds.is_valid(mail, now=present())


def test_mail_row_contains_no_payment_link(open_request: PaymentRequest) -> None:
    [row] = Mail.objects.filter(payment_request=open_request).values()
    assert links.request_url(open_request).rpartition("/p/")[2][:40] not in str(row)
