"""The content of mails, and headers that no text of a person can extend."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from django.core.mail import EmailMultiAlternatives
from pytest_django import Settings

from partway.accounts.models import Organization
from partway.billing import links, outbox
from partway.billing.documents import invoices
from partway.billing.models import Customer, Event, Invoice, Mail, PaymentRequest, Refund
from partway.billing.models.payment_requests import CancelReason
from partway.billing.receivables import credit, write_offs
from partway.delivery.formats import format_date
from partway.delivery.mail import kinds, rendering
from partway.delivery.mail.content import stage_cells
from partway.gateways.protocol import CheckoutState, CheckoutStatus
from partway.lib.clock import end_of_day, now, today
from partway.lib.money import Money
from tests.support import personas


def _message(mail: Mail) -> EmailMultiAlternatives:
    return rendering.message(rendering.with_related_rows().get(pk=mail.pk))


def _html(mail: Mail) -> str:
    return str(_message(mail).alternatives[0][0])


def _receipt_context(invoice: Invoice, kind: str) -> Mail:
    personas.captured_payment(invoice, 25_000)
    event = Event.objects.get(type="payment.succeeded")
    return outbox.queue(kind, event, outbox.Recipients(to=["dana@customer.example"]))


def test_request_mail_shows_issuer_amount_and_left(mail: Mail, request_: PaymentRequest) -> None:
    message = _message(mail)
    assert message.subject == f"Alder Joinery asks for $300.00 (invoice {request_.invoice.number})"
    for text in (str(message.body), _html(mail)):
        for words in (
            "$1,000.00",
            "$0.00",
            "$300.00",
            "$700.00",
            "First stage.",
            links.request_url(request_),
        ):
            assert words in text


def test_request_mail_greets_customer_and_shows_due_date_and_link_as_text(
    mail: Mail, request_: PaymentRequest
) -> None:
    due_on, link = format_date(request_.invoice.due_on), links.request_url(request_)
    html = _html(mail)
    for text in (str(_message(mail).body), html):
        assert f"Hello {request_.invoice.customer.name}, Alder Joinery asks you for a payment" in text
        assert "Invoice due on" in text
        assert due_on in text
    assert f">{link}<" in html


def test_request_mail_shows_expires_at(mail: Mail) -> None:
    far = end_of_day(date(2126, 11, 30), "America/New_York")
    assert "can be paid until" not in _html(mail)
    PaymentRequest.objects.update(expires_at=far)
    for text in (str(_message(mail).body), _html(mail)):
        assert "This link can be paid until Nov 30, 2126." in text


def test_invoice_mail_shows_amount_due_and_due_date(organization: Organization) -> None:
    invoice = personas.sent_invoice(personas.customer(organization))
    mail = Mail.objects.get(invoice=invoice)
    assert _message(mail).subject == f"Invoice {invoice.number} from Alder Joinery: $1,000.00 due"
    for text in (str(_message(mail).body), _html(mail)):
        assert links.invoice_url(invoice) in text
        assert "Due on" in text


def test_invoice_mail_marks_changed_invoice(invoice: Invoice) -> None:
    mail = Mail.objects.get(invoice=invoice)
    Mail.objects.update(data={"changed": True})
    assert _message(mail).subject == f"Invoice {invoice.number} from Alder Joinery, changed: $1,000.00 due"
    for text in (str(_message(mail).body), _html(mail)):
        assert f"Alder Joinery changed invoice {invoice.number}. This is how it stands now." in text
        assert "here is invoice" not in text


def test_receipt_mail_shows_paid_and_left_amount(invoice: Invoice) -> None:
    mail = _receipt_context(invoice, "receipt")
    assert _message(mail).subject == f"Receipt: $250.00 paid to Alder Joinery (invoice {invoice.number})"
    for text in (str(_message(mail).body), _html(mail)):
        assert "$750.00" in text
        assert "/r/" in text


def test_payment_received_mail_names_payer_and_amount(invoice: Invoice) -> None:
    mail = _receipt_context(invoice, "payment_received")
    assert _message(mail).subject == f"Dana Whitfield paid $250.00 (invoice {invoice.number})"
    assert f"/o/alder/invoices/{invoice.pk}/" in str(_message(mail).body)


ENDS = {
    "": "it was not paid in time",
    "by_member": "a colleague canceled it",
    "invoice_paid": "the invoice was paid",
    "invoice_voided": "the invoice was voided",
    "invoice_changed": "the invoice changed, and less is due now",
    "invoice_written_off": "the invoice was written off",
    "offline_payment": "an offline payment was recorded, and less is due now",
    "replaced": "another request took its place",
}


def _ended(request: PaymentRequest, reason: str) -> Mail:
    event = Event.objects.get(type="payment_request.sent")
    envelope = outbox.Recipients(to=["bob@alder.example"], data={"reason": reason})
    return outbox.queue("payment_request_ended", event, envelope)


@pytest.mark.parametrize("reason", ENDS)
def test_request_ended_mail_names_reason(request_: PaymentRequest, reason: str) -> None:
    mail = _ended(request_, reason)
    why = ENDS[reason]
    number = request_.invoice.number
    assert _message(mail).subject == f"Your request for $300.00 on {number} ended: {why}"
    for text in (str(_message(mail).body), _html(mail)):
        for words in (why, "Dana Whitfield", "$300.00", "$1,000.00", "no longer works", "/o/alder/invoices/"):
            assert words in text
        assert "Total Amount Due" in text
        assert links.request_url(request_) not in text


@pytest.mark.parametrize(
    ("end", "words"), [(write_offs.write_off, "Written off"), (invoices.void, "Paid so far")]
)
def test_request_ended_mail_of_ended_invoice_shows_no_amount_due(
    request_: PaymentRequest, end: Callable[..., Invoice], words: str
) -> None:
    end(request_.invoice, by=personas.owner_actor(request_.organization), now=now())
    mail = _ended(request_, PaymentRequest.objects.get().cancel_reason)
    for text in (str(_message(mail).body), _html(mail)):
        assert words in text
        assert "Total Amount Due" not in text


def test_request_ended_mail_covers_every_cancel_reason() -> None:
    assert set(ENDS) == {"", *CancelReason.values}


def test_mail_row_contains_no_link_token(mail: Mail, request_: PaymentRequest) -> None:
    token = links.request_url(request_).split("/")[-2]
    assert token.partition("-")[2] not in str(Mail.objects.values())


def test_mail_html_loads_no_remote_content(mail: Mail) -> None:
    html = _html(mail)
    for loader in ("<img", "<link", "<script", "url(", "@import", "src="):
        assert loader not in html


def test_mail_plain_text_is_readable(mail: Mail) -> None:
    body = str(_message(mail).body)
    assert "Pay $300.00:\nhttp" in body
    assert "&" not in body
    assert "{" not in body


def test_mail_escapes_user_text_in_html(mail: Mail) -> None:
    PaymentRequest.objects.update(note="<b>bold</b> & brave")
    assert "&lt;b&gt;bold&lt;/b&gt; &amp; brave" in _html(mail)
    assert "<b>bold</b> & brave" in str(_message(mail).body)


@pytest.mark.parametrize(
    "name", ["Alder\r\nBcc: all@evil.example", "Alder\nX: y", "Alder\x01\x0b\u2028 & Sons"]
)
def test_mail_name_cannot_inject_header(mail: Mail, name: str) -> None:
    Organization.objects.update(name=name)
    Customer.objects.update(name=name, email="dana@customer.example")
    message = _message(mail).message()
    assert "\n" not in message["Subject"]
    assert message["Bcc"] is None
    assert message["X"] is None


def test_mail_is_from_organization_and_replies_to_requester(mail: Mail) -> None:
    Mail.objects.update(reply_to="bob@alder.example")
    message = _message(mail)
    assert message.from_email == "Alder Joinery <billing@alder.example>"
    assert message.reply_to == ["bob@alder.example"]


def test_mail_replies_to_organization_without_requester(mail: Mail) -> None:
    assert _message(mail).reply_to == ["billing@alder.example"]


def test_mail_from_shared_sender_names_organization(mail: Mail, settings: Settings) -> None:
    settings.PARTWAY_MAIL_FROM = "Partway <mail@partway.example>"
    assert _message(mail).from_email == "Alder Joinery via Partway <mail@partway.example>"


def test_mail_from_name_with_commas_and_accents_is_one_address(mail: Mail) -> None:
    Organization.objects.update(name='Müller, "Holz" & Söhne')
    message = _message(mail).message()
    assert "billing@alder.example" in message["From"]
    assert message["From"].count("@") == 1


def test_mail_bcc_recipients_are_in_no_header(mail: Mail) -> None:
    Mail.objects.update(cc=["c@customer.example"], bcc=["b@customer.example"])
    message = _message(mail)
    assert message.recipients() == [
        "dana.whitfield@customer.example",
        "c@customer.example",
        "b@customer.example",
    ]
    assert "b@customer.example" not in message.message().as_string()


@pytest.mark.parametrize(
    ("total", "paid", "requested", "cells"),
    [
        (1000, 0, 0, [("left", 100)]),
        (1000, 250, 300, [("paid", 25), ("requested", 30), ("left", 45)]),
        (1000, 1000, 0, [("paid", 100)]),
        (1_000_000, 1, 1, [("paid", 1), ("requested", 1), ("left", 98)]),
        (3, 1, 1, [("paid", 34), ("requested", 33), ("left", 33)]),
        (0, 0, 0, [("left", 100)]),
    ],
)
def test_mail_stage_bar_cells_add_up(
    total: int, paid: int, requested: int, cells: list[tuple[str, int]]
) -> None:
    bar = stage_cells(Money(total, "USD"), Money(paid, "USD"), Money(requested, "USD"))
    assert bar == cells


def test_mail_uses_organization_color(mail: Mail, organization: Organization) -> None:
    organization.color = "#7a1f3d"
    organization.save(update_fields=["color"])
    assert _html(mail).count("#7a1f3d") >= 2  # the button and the bar


@pytest.mark.parametrize(
    ("status", "says", "left"),
    [
        ("sent", "made a payment on invoice INV-0001.", True),
        ("void", "made a payment on invoice INV-0001, which is void.", False),
        ("written_off", "made a payment on invoice INV-0001, which was written off.", False),
    ],
)
def test_payment_received_mail_of_ended_invoice_names_no_rest(
    invoice: Invoice, status: str, says: str, left: bool
) -> None:
    personas.captured_payment(invoice, 20_000)
    Invoice.objects.update(status=status)
    outgoing = _message(Mail.objects.get(kind="payment_received"))
    html = str(outgoing.alternatives[0][0])
    assert says in html
    assert says.replace("made a payment on", "paid $200.00 on") in outgoing.body
    assert [("Left to ask for" in text) for text in (outgoing.body, html)] == [left] * 2
    assert [("$800.00" in text) for text in (outgoing.body, html)] == [left] * 2


@pytest.fixture
def refund(invoice: Invoice) -> Refund:
    """$100.00 of $250.00 that were sent back in the gateway's dashboard, with the queued mail to the customer."""
    payment = personas.captured_payment(invoice, 25_000)
    return personas.refund_in_dashboard(payment, 10_000)


def test_refund_mail_says_how_much_is_on_its_way(refund: Refund, invoice: Invoice) -> None:
    mail = Mail.objects.get(kind="refund")
    assert _message(mail).subject == f"Alder Joinery sent $100.00 back to you (invoice {invoice.number})"
    for text in (str(_message(mail).body), _html(mail)):
        assert "It may take a few days until your bank shows it." in text
        assert "$250.00" in text
        assert links.receipt_url(refund.payment) in text


def test_refund_mail_is_dropped_once_refund_failed(refund: Refund) -> None:
    mail = Mail.objects.get(kind="refund")
    assert kinds.is_valid(mail, now=now())
    personas.fail_refund(refund)
    assert not kinds.is_valid(mail, now=now())


def test_mail_of_failed_refund_tells_what_to_do(refund: Refund, invoice: Invoice) -> None:
    personas.fail_refund(refund)
    mail = Mail.objects.get(kind="refund_failed")
    assert _message(mail).subject == (
        f"The refund of $100.00 to Dana Whitfield failed (invoice {invoice.number})"
    )
    for text in (str(_message(mail).body), _html(mail)):
        assert "give it back in another way" in text
    assert kinds.is_valid(mail, now=now())
    mail.to = ["former@member.example"]
    assert not kinds.is_valid(mail, now=now())


def test_failed_refund_says_what_is_back_on_invoice_and_what_is_credit(
    refund: Refund, invoice: Invoice
) -> None:
    invoice.refresh_from_db()
    personas.record_check(invoice, invoice.amount_due_minor - 4_000)
    Mail.objects.filter(kind="refund").update(status="sent", sent_at=now())
    personas.fail_refund(refund)
    for kind, words in (
        ("refund_failed", ("$40.00 is back on an invoice", "$60.00 is credit")),
        ("refund_not_received", ("could not be delivered", "Your credit", "$40.00", "$60.00", "$100.00")),
    ):
        mail = Mail.objects.get(kind=kind)
        for text in (str(_message(mail).body), _html(mail)):
            for each in words:
                assert each in text


@pytest.mark.parametrize(("status", "is_valid"), [("sent", True), ("queued", False), ("bounced", False)])
def test_customer_hears_of_failed_refund_that_was_announced_to_them(
    refund: Refund, status: str, is_valid: bool
) -> None:
    Mail.objects.filter(kind="refund").update(status=status)
    personas.fail_refund(refund)
    mail = Mail.objects.get(kind="refund_not_received")
    assert mail.to == Mail.objects.get(kind="refund").to
    assert kinds.is_valid(mail, now=now()) is is_valid


def test_customer_hears_of_failed_automatic_refund_that_their_receipt_named(invoice: Invoice) -> None:
    personas.record_check(invoice, 90_000)
    payment = personas.captured_payment(invoice, 20_000)
    payment.refunds.update(gateway_ref="re_1")
    Mail.objects.filter(kind="receipt", payment=payment).update(status="sent", sent_at=now())
    personas.fail_refund(payment.refunds.get())
    assert kinds.is_valid(Mail.objects.get(kind="refund_not_received"), now=now())


def test_mail_of_refund_that_was_disputed_does_not_advise_to_pay_it_twice(refund: Refund) -> None:
    personas.fail_refund(refund)
    Refund.objects.update(failure_code="disputed")
    mail = Mail.objects.get(kind="refund_failed")
    assert "was not sent" in str(_message(mail).subject)
    for text in (str(_message(mail).body), _html(mail)):
        assert "before the dispute is decided" in text
        assert "Tell them, and give it back" not in text


def test_mail_of_dispute_says_until_when_evidence_can_be_submitted(invoice: Invoice) -> None:
    payment, due_at = personas.captured_payment(invoice, 30_000), now() + timedelta(days=9)
    dispute = personas.dispute(payment, 10_000, evidence_due_at=due_at)
    day = format_date(today(due_at, invoice.organization.time_zone))
    opened, event = Mail.objects.get(kind="dispute_opened"), Event.objects.get(type="dispute.opened")
    outbox.queue_dispute_notice(dispute, event, "dispute_reminder")
    reminder = Mail.objects.get(kind="dispute_reminder")
    assert _message(opened).subject == (
        f"Dana Whitfield disputes $100.00 of a payment (invoice {invoice.number})"
    )
    assert _message(reminder).subject == (
        f"Evidence is due on {day}: the disputed payment of invoice {invoice.number}"
    )
    for mail in (opened, reminder):
        for text in (str(_message(mail).body), _html(mail)):
            assert day in text
            assert f"/o/alder/payments/{payment.pk}/" in text


def test_mail_of_returned_debit_to_organization_calls_it_no_dispute(invoice: Invoice) -> None:
    payment = personas.captured_payment(invoice, 30_000)
    personas.dispute(payment, 30_000, "lost", reason="debit_returned")
    mail = Mail.objects.get(kind="dispute_closed")
    assert _message(mail).subject == (
        f"The bank of Dana Whitfield returned $300.00 of a debit (invoice {invoice.number})"
    )
    for text in (str(_message(mail).body), _html(mail)):
        assert "They get a mail that says so. What it took off an invoice is due again there." in text
        assert "dispute" not in text.replace(f"/payments/{payment.pk}", "").lower()


@pytest.mark.parametrize(("status", "says"), [("won", "stays with you"), ("lost", "take it as a loss")])
def test_mail_of_decided_dispute_says_what_follows(invoice: Invoice, status: str, says: str) -> None:
    payment = personas.captured_payment(invoice, 30_000)
    personas.dispute(payment, 10_000)
    opened = Mail.objects.get(kind="dispute_opened")
    assert kinds.is_valid(opened, now=now())
    personas.dispute(payment, 10_000, status)
    mail = Mail.objects.get(kind="dispute_closed")
    assert _message(mail).subject == f"The dispute about $100.00 was {status} (invoice {invoice.number})"
    assert all(says in text for text in (str(_message(mail).body), _html(mail)))
    assert not kinds.is_valid(opened, now=now())


@pytest.mark.parametrize(
    ("total_minor", "says"),
    [
        (30_000, "please pay it again"),
        (100_000, "and Alder Joinery will ask you for it"),
        (0, "contacts you"),
    ],
)
def test_mail_of_returned_debit_leads_to_where_just_that_is_paid_again(
    organization: Organization, total_minor: int, says: str
) -> None:
    dana = personas.customer(organization)
    invoice = personas.sent_invoice(dana, total_minor or 30_000)
    payment = personas.captured_payment(invoice, 30_000)
    if not total_minor:
        credit.deallocate(invoice, payment, by=personas.owner_actor(invoice.organization), now=now())
    personas.dispute(payment, 30_000, "lost", reason="debit_returned")
    url = links.invoice_url(invoice) if total_minor == 30_000 else links.receipt_url(payment)
    mail = Mail.objects.get(kind="debit_returned")
    assert _message(mail).subject == (
        f"Your bank returned your payment of $300.00 to Alder Joinery (invoice {invoice.number})"
    )
    for text in (str(_message(mail).body), _html(mail)):
        assert says in text
        assert url in text


@pytest.mark.parametrize(
    ("is_final", "says"),
    [(True, "Alder Joinery sends it back to you"), (False, "your credit with Alder Joinery")],
)
def test_mail_of_debit_that_is_not_needed_says_what_becomes_of_it(
    invoice: Invoice, is_final: bool, says: str
) -> None:
    payment, processing = personas.pending_payment(invoice, 100_001), CheckoutStatus.PROCESSING
    personas.report_state(payment, CheckoutState(processing, None, None, "bank_debit", "", ""))
    mail = Mail.objects.get(kind="debit_not_needed")
    mail.data["is_final"] = is_final
    mail.save()
    for text in (str(_message(mail).body), _html(mail)):
        assert says in text
        assert links.receipt_url(payment) in text


def test_mail_of_dispute_asks_for_no_evidence_once_its_time_is_over(invoice: Invoice) -> None:
    payment = personas.captured_payment(invoice, 30_000)
    dispute = personas.dispute(payment, 10_000, evidence_due_at=now() - timedelta(minutes=1))
    mail = Mail.objects.get(kind="dispute_opened")
    for text in (str(_message(mail).body), _html(mail)):
        assert "The time for evidence is over, and the bank decides." in text
        assert "Submit evidence" not in text
    outbox.queue_dispute_notice(dispute, Event.objects.get(type="dispute.opened"), "dispute_reminder")
    assert not kinds.is_valid(Mail.objects.get(kind="dispute_reminder"), now=now())


def test_mail_of_lost_dispute_offers_no_loss_where_nothing_is_due(invoice: Invoice) -> None:
    payment, by = personas.captured_payment(invoice, 30_000), personas.owner_actor(invoice.organization)
    personas.give_back(payment, 20_000)
    credit.deallocate(invoice, payment, by=by, now=now())
    personas.dispute(payment, 15_000, "lost")
    mail = Mail.objects.get(kind="dispute_closed")
    for text in (str(_message(mail).body), _html(mail)):
        assert "Nothing of it is due on an invoice. $50.00 of it is more than was left of the payment" in text
        assert "as a loss" not in text
        assert "due again" not in text
