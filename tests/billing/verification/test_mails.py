"""Tests of the checks that compare events with queued mails (D6)."""

from __future__ import annotations

import pytest

from partway.billing.documents import invoices, quotes
from partway.billing.models import Customer, Event, Mail, Payment, PaymentRequest
from partway.billing.people import members
from partway.billing.requests import payment_requests
from partway.gateways.protocol import CheckoutState, CheckoutStatus
from partway.lib.clock import now
from tests.billing.verification.corruption import Corruption, is_detected, overwrite
from tests.support import personas

KINDS = [
    ("payment_request.sent", "payment_request"),
    ("payment_request.resent", "payment_request"),
    ("invoice.sent", "invoice_sent"),
    ("invoice.resent", "invoice_sent"),
    ("quote.sent", "quote_sent"),
    ("quote.resent", "quote_sent"),
    ("quote.accepted", "quote_accepted"),
    ("quote.declined", "quote_declined"),
    ("payment.succeeded", "receipt"),
    ("payment.succeeded", "payment_received"),
    ("payment.failed", "payment_failed"),
    ("payment.failed", "payment_failed_notice"),
    ("refund.succeeded", "refund"),
    ("refund.failed", "refund_failed"),
    ("refund.failed", "refund_not_received"),
    ("dispute.lost", "dispute_closed"),
    ("dispute.lost", "debit_returned"),
    ("member.invited", "invitation"),
    ("member.invitation_resent", "invitation"),
]


@pytest.fixture
def mailed(second: PaymentRequest, paid: Payment, dana: Customer) -> None:
    """Each event that queues a mail, with its mail."""
    by, at = personas.owner_actor(dana.organization), now()
    payment_requests.resend(second, by=by, now=at)
    invoices.resend(second.invoice, by=by, now=at)
    personas.accept_quote(quotes.resend(personas.sent_quote(dana), by=by, now=at))
    quotes.decline(personas.sent_quote(dana), reason="Too dear.", by=by, now=at)
    invitation = members.invite(dana.organization, email="ivy@post.example", role="reader", by=by, now=at)
    members.resend(invitation, by=by, now=at)
    debit = personas.pending_payment(second.invoice, 100)
    for status in (CheckoutStatus.PROCESSING, CheckoutStatus.FAILED):
        personas.report_state(debit, CheckoutState(status, None, None, "bank_debit", "", ""))
    personas.refund_in_dashboard(paid, 100)
    personas.fail_refund(personas.refund_in_dashboard(paid, 100, ref="re_2"))
    personas.dispute(paid, 100, "lost", reason="debit_returned")


def lost(event_type: str, kind: str) -> Corruption:
    """Returns a corruption that deletes the mail of an event; the check must report the event."""

    def corruption() -> str:
        event = Event.objects.filter(type=event_type)[0]
        event.mails.filter(kind=kind).delete()
        return event.pk

    return corruption


@pytest.mark.parametrize(("event_type", "kind"), KINDS)
def test_verify_finds_event_without_its_mail(mailed: None, event_type: str, kind: str) -> None:
    assert is_detected(("D6", f"{event_type} without its", lost(event_type, kind)))


@pytest.mark.parametrize(
    ("columns", "message"),
    [({"status": "sent"}, "sent, sent at None"), ({"sent_at": now()}, "queued, sent at 20")],
)
def test_verify_finds_mail_status_and_sent_at_mismatch(
    mailed: None, columns: dict[str, object], message: str
) -> None:
    assert is_detected(("D6", message, overwrite(Mail, **columns)))
