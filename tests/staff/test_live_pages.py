"""Pages that follow what happens: 304 until it does, for every role, in one statement beside those of the access."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from partway.billing.documents import invoices
from partway.billing.models import Invoice, Mail, MailAttempt, Payment, PaymentRequest
from partway.billing.requests import payment_requests
from partway.lib.clock import now
from tests.support import personas


def url(invoice: Invoice, part: str = "") -> str:
    return f"/o/alder/invoices/{invoice.pk}/live/{part}"


def version(client: Client, invoice: Invoice) -> str:
    return str(client.get(f"/o/alder/invoices/{invoice.pk}/").context["live"].etag)


def ask(client: Client, invoice: Invoice, etag: str, part: str = "") -> Any:
    return client.get(url(invoice, part), headers={"If-None-Match": etag})


def mail_is_sent(invoice: Invoice) -> None:
    Mail.objects.filter(invoice=invoice).update(status="sent", sent_at=now())


def mail_is_tried(invoice: Invoice) -> None:
    mail = Mail.objects.filter(invoice=invoice).earliest("created_at")
    MailAttempt.objects.create(
        mail=mail,
        number=1,
        attempted_at=now(),
        error_code="recipients_refused",
        error_params={"refusals": []},
    )


def request_is_opened(invoice: Invoice) -> None:
    payment_requests.mark_opened(PaymentRequest.objects.get(), now=now())


def checkout_is_opened(invoice: Invoice) -> None:
    personas.pending_payment(invoice, 30_000, request=PaymentRequest.objects.get())


def part_is_paid(invoice: Invoice) -> None:
    personas.captured_payment(invoice, 30_000, request=PaymentRequest.objects.get())


def request_is_canceled(invoice: Invoice) -> None:
    by = personas.owner_actor(invoice.organization)
    payment_requests.cancel(PaymentRequest.objects.get(), by=by, now=now())


def request_expires(invoice: Invoice) -> None:
    PaymentRequest.objects.update(expires_at=now())


HAPPENINGS = {
    mail_is_sent: "Sent",
    mail_is_tried: "Try 1",
    request_is_opened: "opened the payment link",
    checkout_is_opened: "is at the checkout for $300.00 and may be paying right now",
    part_is_paid: "The request for $300.00 was paid",
    request_is_canceled: "Earlier requests",
    request_expires: "Its last day is over",
}


@pytest.mark.parametrize("happens", HAPPENINGS, ids=lambda happens: happens.__name__)
def test_invoice_page_shows_what_happens_to_collector_and_reader(
    bob: Client, charlie: Client, invoice: Invoice, happens: Callable[[Invoice], None]
) -> None:
    personas.request_payment(invoice)
    etags = {member: version(member, invoice) for member in (bob, charlie)}
    assert {ask(member, invoice, etag).status_code for member, etag in etags.items()} == {304}
    happens(invoice)
    for member, etag in etags.items():
        response = ask(member, invoice, etag)
        page = response.content.decode()
        assert response.status_code == 200
        assert HAPPENINGS[happens] in page
        assert "<nav" not in page
        assert "data-live-ended" not in page
        assert ask(member, invoice, response.context["live"].etag).status_code == 304


def test_unchanged_live_page_takes_one_statement_beside_access(bob: Client, invoice: Invoice) -> None:
    personas.request_payment(invoice)
    etag = version(bob, invoice)
    with CaptureQueriesContext(connection) as captured:
        assert ask(bob, invoice, etag).status_code == 304
    # the session, the user, the member; the version
    assert len(captured.captured_queries) == 4


def test_live_page_shows_no_link_to_a_reader(bob: Client, charlie: Client, invoice: Invoice) -> None:
    personas.request_payment(invoice)
    assert "data-copy" in ask(bob, invoice, "").content.decode()
    assert "data-copy" not in ask(charlie, invoice, "").content.decode()
    # A version of another role is never the present one: the acts on the page differ.
    assert ask(charlie, invoice, version(bob, invoice)).status_code == 200


def test_page_of_final_invoice_is_not_followed(bob: Client, invoice: Invoice) -> None:
    mail_is_sent(invoice)
    invoices.void(invoice, by=personas.owner_actor(invoice.organization), now=now())
    response = ask(bob, invoice, "")
    assert "data-live-ended" in response.content.decode()


def test_paid_invoice_is_followed_until_its_mails_are_sent(bob: Client, invoice: Invoice) -> None:
    personas.record_check(invoice, 100_000)
    assert "data-live-ended" not in ask(bob, invoice, "").content.decode()
    mail_is_sent(invoice)
    assert "data-live-ended" in ask(bob, invoice, "").content.decode()


def test_live_page_keeps_no_session_alive(bob: Client, invoice: Invoice) -> None:
    soon = timezone.now() + timedelta(minutes=1)
    Session.objects.update(expire_date=soon)
    ask(bob, invoice, "")
    assert Session.objects.get().expire_date == soon
    bob.get(f"/o/alder/invoices/{invoice.pk}/")
    assert Session.objects.get().expire_date > soon


def test_live_page_of_signed_out_member_redirects(bob: Client, invoice: Invoice) -> None:
    assert Client().get(url(invoice)).status_code == 302


def test_quote_page_follows_its_acceptance(bob: Client, invoice: Invoice) -> None:
    quote = personas.sent_quote(invoice.customer)
    etag = bob.get(f"/o/alder/quotes/{quote.pk}/").context["live"].etag
    path = f"/o/alder/quotes/{quote.pk}/live/"
    assert bob.get(path, headers={"If-None-Match": etag}).status_code == 304
    personas.accept_quote(quote)
    response = bob.get(path, headers={"If-None-Match": etag})
    assert "accepted the quote" in response.content.decode()


# The dialogs that end a checkout.


@pytest.mark.parametrize("act", ["cancel", "void", "write-off", "payment", "request"])
def test_dialog_says_that_customer_is_at_the_checkout(alice: Client, invoice: Invoice, act: str) -> None:
    # By Pay Now where a request is asked for, which is offered only while none is open.
    request = None if act == "request" else personas.request_payment(invoice)
    row = f"requests/{request.pk}" if request and act == "cancel" else f"invoices/{invoice.pk}"
    dialog = f"/o/alder/{row}/{act}/"
    assert "is at the checkout" not in alice.get(dialog).content.decode()
    etag = version(alice, invoice)
    payment = personas.pending_payment(invoice, 30_000, request=request)
    said = "Dana Whitfield is at the checkout for $300.00 and may be paying right now"
    assert said in alice.get(dialog).content.decode()
    assert said in ask(alice, invoice, etag, "?part=payment").content.decode()
    # A checkout that was left half an hour ago is none that a customer is at.
    Payment.objects.filter(pk=payment.pk).update(created_at=now() - timedelta(minutes=31))
    assert "is at the checkout" not in alice.get(dialog).content.decode()


def test_cancel_dialog_says_that_a_payment_is_being_processed(bob: Client, invoice: Invoice) -> None:
    request = personas.request_payment(invoice)
    payment = personas.pending_payment(invoice, 30_000, request=request)
    Payment.objects.filter(pk=payment.pk).update(status="processing", accepted=True)
    page = bob.get(f"/o/alder/requests/{request.pk}/cancel/").content.decode()
    assert "A payment is being processed right now. Wait until it is settled" in page
    assert '<form method="post" action="/o/alder/requests' not in page
