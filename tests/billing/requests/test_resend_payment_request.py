"""Tests of mailing the link of an open request again."""

from __future__ import annotations

import pytest

from partway.billing import links
from partway.billing.errors import Invalid, TooLate
from partway.billing.events import Actor
from partway.billing.models import Event, Mail, PaymentRequest
from partway.billing.requests import payment_requests
from partway.billing.requests.payment_requests import LinkRecipients
from partway.delivery.mail import kinds
from partway.delivery.messages import error_message
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


# Other recipients


def elsewhere(*to: str, **copies: tuple[str, ...]) -> LinkRecipients:
    return LinkRecipients(to or ("books@customer.example",), **copies)


def test_resending_to_other_recipients_stores_them_with_event(
    open_request: PaymentRequest, alice: Actor
) -> None:
    url, asked = links.request_url(open_request), open_request.to
    recipients = elsewhere("Books@Büro.example", cc=("eve@x.example",), bcc=("bob@x.example",))
    mail = payment_requests.resend(open_request, recipients=recipients, by=alice, now=present())
    open_request.refresh_from_db()
    assert (open_request.to, open_request.cc, open_request.bcc) == (
        ["Books@büro.example"],
        ["eve@x.example"],
        ["bob@x.example"],
    )
    assert (mail.to, mail.cc, mail.bcc) == (open_request.to, open_request.cc, open_request.bcc)
    assert links.request_url(open_request) == url
    event = Event.objects.get(type="payment_request.recipients_changed")
    assert (event.payment_request, event.actor_label) == (open_request, "Alice")
    assert event.data["before"] == {"to": asked, "cc": [], "bcc": []}
    assert (event.data["to"], event.data["cc"], event.data["bcc"]) == (mail.to, mail.cc, mail.bcc)


def test_queued_mail_to_former_recipients_is_dropped(open_request: PaymentRequest, alice: Actor) -> None:
    former = Mail.objects.get(payment_request=open_request)
    mail = payment_requests.resend(open_request, recipients=elsewhere(), by=alice, now=present())
    assert not kinds.is_valid(former, now=present())
    assert kinds.is_valid(mail, now=present())


def test_resending_to_same_recipients_in_other_spelling_changes_nothing(
    open_request: PaymentRequest, alice: Actor
) -> None:
    payment_requests.resend(
        open_request, recipients=elsewhere(f" {open_request.to[0]} "), by=alice, now=present()
    )
    assert not Event.objects.filter(type="payment_request.recipients_changed").exists()


@pytest.mark.parametrize(
    ("recipients", "field", "code"),
    [
        (LinkRecipients(()), "to", "recipient_missing"),
        (elsewhere("dana"), "to", "bad_address.form"),
        (elsewhere("jörg@customer.example"), "to", "bad_address.local_part"),
        (elsewhere(cc=("dana@b_c.example",)), "cc", "bad_address.domain"),
        (elsewhere(bcc=tuple(f"a{n}@x.example" for n in range(21))), "bcc", "too_many_addresses"),
    ],
)
def test_bad_recipients_are_refused_by_field_and_nothing_is_mailed(
    open_request: PaymentRequest, alice: Actor, recipients: LinkRecipients, field: str, code: str
) -> None:
    with pytest.raises(Invalid) as refusal:
        payment_requests.resend(open_request, recipients=recipients, by=alice, now=present())
    assert {name: error.code for name, error in refusal.value.fields.items()} == {field: code}
    assert open_request.mails.count() == 1


def test_recipients_that_two_members_change_are_merged_or_stale(
    open_request: PaymentRequest, alice: Actor
) -> None:
    shown = LinkRecipients(tuple(open_request.to), tuple(open_request.cc), tuple(open_request.bcc))
    payment_requests.resend(open_request, recipients=elsewhere(), initial=shown, by=alice, now=present())
    copied = LinkRecipients(shown.to, cc=("eve@x.example",))
    mail = payment_requests.resend(open_request, recipients=copied, initial=shown, by=alice, now=present())
    assert (mail.to, mail.cc) == (["books@customer.example"], ["eve@x.example"])
    with pytest.raises(Invalid) as refusal:
        payment_requests.resend(
            open_request, recipients=elsewhere("third@x.example"), initial=shown, by=alice, now=present()
        )
    assert (refusal.value.code, set(refusal.value.fields)) == ("stale", {"to"})
    assert error_message(refusal.value).count("books@customer.example") == 1


def test_changed_recipients_leave_frozen_parties_as_they_are(
    open_request: PaymentRequest, alice: Actor
) -> None:
    invoice = open_request.invoice
    before = (invoice.issued_by_id, invoice.issued_to_id, invoice.version)
    payment_requests.resend(open_request, recipients=elsewhere(), by=alice, now=present())
    invoice.refresh_from_db()
    assert (invoice.issued_by_id, invoice.issued_to_id, invoice.version) == before
