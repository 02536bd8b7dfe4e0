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


def test_resending_request_mails_same_link_to_same_recipients(asked: PaymentRequest, alice: Actor) -> None:
    url = links.request_url(asked)
    mail = payment_requests.resend(asked, by=alice, now=present())
    asked.refresh_from_db()
    assert mail.payment_request is not None
    assert links.request_url(mail.payment_request) == url
    assert (mail.to, asked.status) == (asked.to, "open")
    assert Event.objects.get(pk=mail.event_id).type == "payment_request.resent"


def test_ended_request_cannot_be_resent(asked: PaymentRequest, alice: Actor) -> None:
    payment_requests.cancel(asked, by=alice, now=present())
    with pytest.raises(TooLate) as refusal:
        payment_requests.resend(asked, by=alice, now=present())
    assert refusal.value.reason == "request_by_member"
    assert asked.mails.count() == 1


def test_queued_request_mail_is_dropped_when_request_ends(asked: PaymentRequest, alice: Actor) -> None:
    mail = Mail.objects.get(payment_request=asked)
    assert kinds.is_valid(mail, now=present())
    payment_requests.cancel(asked, by=alice, now=present())
    assert not kinds.is_valid(mail, now=present())


def test_mail_row_contains_no_payment_link(asked: PaymentRequest) -> None:
    [row] = Mail.objects.filter(payment_request=asked).values()
    assert links.request_url(asked).rpartition("/p/")[2][:40] not in str(row)
