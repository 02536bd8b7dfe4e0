"""Addresses and names over real SMTP: what was accepted at a door arrives, in ASCII and on one line of the header."""

from __future__ import annotations

from email.utils import getaddresses

import pytest
from pytest_django import Settings

from partway.accounts.models import Member, Organization, User
from partway.billing import outbox
from partway.billing.documents import invoices
from partway.billing.models import Alert, Event, Invoice, Mail, PaymentRequest
from partway.billing.people import customers, members, organizations
from partway.billing.people.customers import CustomerDetails
from partway.billing.people.organizations import Profile
from partway.billing.requests import payment_requests
from partway.billing.requests.payment_requests import LinkRecipients
from partway.delivery.mail import sending
from partway.delivery.messages.alerts import alert_sentence
from partway.lib.clock import now
from tests.support import personas
from tests.support.smtp_server import SmtpServer

NAMES = [
    "Müller & Söhne",
    'Schmidt, "Holz" <evil@evil.example>',
    "Tischlerei\r\nBcc: evil@evil.example",
    "Αθήνα Ξυλουργική",
    "株式会社山田製作所",
    "نجارة السلام",
    "🪚 Saw & Co. 🪵",
    "o'Brien (Joinery); \\ Sons",
    "=?utf-8?b?ZXZpbA==?=",
    "Ä" * 120,
    "Joinery " * 15,
]


def send(mail: Mail) -> Mail:
    """Sends all that is due; returns the mail as it is stored then."""
    sending.send_due(now=now())
    mail.refresh_from_db()
    return mail


def test_sender_and_recipients_with_umlaut_domains_arrive_in_ascii(
    organization: Organization, request_: PaymentRequest, smtp_server: SmtpServer
) -> None:
    by = personas.owner_actor(organization)
    profile = Profile("Müller & Söhne", "rechnung@Müller-Söhne.example")
    organizations.change(organization, profile=profile, by=by, now=now())
    recipients = LinkRecipients(("dana@bücher.example",), ("eve@straße.example",), ("bob@例え.テスト",))
    mail = payment_requests.resend(request_, recipients=recipients, by=by, now=now())
    assert send(mail).status == "sent"
    (envelope,), (message,) = smtp_server.taken, smtp_server.messages()
    assert envelope.mail_from == "rechnung@xn--mller-shne-kcb9d.example"
    assert envelope.rcpt_tos == [
        "dana@xn--bcher-kva.example",
        "eve@xn--strae-oqa.example",
        "bob@xn--r8jz45g.xn--zckzah",
    ]
    assert message["From"].addresses[0].addr_spec == envelope.mail_from
    assert message["From"].addresses[0].display_name == "Müller & Söhne"
    assert (message["To"], message["Cc"]) == ("dana@xn--bcher-kva.example", "eve@xn--strae-oqa.example")
    assert message["Bcc"] is None


def test_requester_with_umlaut_domain_gets_the_replies(
    organization: Organization, invoice: Invoice, smtp_server: SmtpServer
) -> None:
    member = Member.objects.get(organization=organization, user__name="Bob")
    User.objects.filter(pk=member.user_id).update(email="bob@straße.example")
    request = personas.request_payment(invoice)
    PaymentRequest.objects.update(reply_to="bob@straße.example", requested_by=member.pk)
    Mail.objects.filter(payment_request=request).update(reply_to="bob@straße.example")
    send(Mail.objects.get(payment_request=request))
    (message,) = smtp_server.messages()
    assert message["Reply-To"] == "bob@xn--strae-oqa.example"


@pytest.mark.parametrize("name", NAMES)
def test_name_of_any_script_and_marks_is_one_header(
    name: str, organization: Organization, invoice: Invoice, smtp_server: SmtpServer
) -> None:
    Organization.objects.update(name=name[:120])
    mail = Mail.objects.get(payment_request=personas.request_payment(invoice))
    assert send(mail).status == "sent"
    (envelope,), (message,) = smtp_server.taken, smtp_server.messages()
    shown = " ".join(name[:120].replace("=?", "= ?").split())
    assert (envelope.mail_from, envelope.rcpt_tos) == ("billing@alder.example", [invoice.customer.email])
    (sender,) = message["From"].addresses
    # Without spaces: Python's parser puts one between the encoded parts of a long name.
    assert sender.display_name.replace(" ", "") == shown.replace(" ", "")
    assert sender.addr_spec == "billing@alder.example"
    assert shown in " ".join(str(message["Subject"]).split())
    assert (message["Bcc"], message.defects) == (None, [])
    assert isinstance(envelope.content, bytes)
    header = envelope.content.partition(b"\r\n\r\n")[0]
    assert header.isascii()
    assert max(map(len, header.split(b"\r\n"))) <= 998  # RFC 5322, section 2.1.1


def test_subject_of_greatest_length_arrives_whole(
    organization: Organization, invoice: Invoice, smtp_server: SmtpServer
) -> None:
    Invoice.objects.update(number="№" * 40)
    Organization.objects.update(name="Ж" * 120)
    mail = Mail.objects.get(payment_request=personas.request_payment(invoice))
    send(mail)
    (message,) = smtp_server.messages()
    assert "".join(str(message["Subject"]).split()).startswith("Ж" * 120)
    assert "№" * 40 in str(message["Subject"])


def test_attachment_of_a_number_in_any_script_arrives_under_its_name(
    invoice: Invoice, smtp_server: SmtpServer
) -> None:
    Invoice.objects.update(number='Счёт/№ "1"\r\n')
    invoice.refresh_from_db()
    invoices.resend(invoice, by=personas.owner_actor(invoice.organization), now=now())
    assert send(Mail.objects.get(event__type="invoice.resent")).status == "sent"
    (message,) = smtp_server.messages()
    (file,) = message.iter_attachments()
    assert file.get_filename() == "Invoice-Счёт-1.pdf"


def test_most_recipients_of_greatest_length_arrive(request_: PaymentRequest, smtp_server: SmtpServer) -> None:
    domain = ".".join(["d" * 60] * 3) + ".example"
    many = {
        field: tuple(f"{field}{number:02}{'x' * 54}@{domain}" for number in range(20))
        for field in ("to", "cc", "bcc")
    }
    by = personas.owner_actor(request_.organization)
    mail = payment_requests.resend(request_, recipients=LinkRecipients(**many), by=by, now=now())
    assert send(mail).status == "sent"
    (envelope,), (message,) = smtp_server.taken, smtp_server.messages()
    assert envelope.rcpt_tos == [*many["to"], *many["cc"], *many["bcc"]]
    assert [address for _, address in getaddresses([message["To"]])] == list(many["to"])


def test_recipient_in_two_fields_gets_one_copy(request_: PaymentRequest, smtp_server: SmtpServer) -> None:
    by = personas.owner_actor(request_.organization)
    twice = LinkRecipients(
        ("dana@müller.example", "Dana@xn--mller-kva.example"),
        ("DANA@MÜLLER.example",),
        ("dana@müller.example",),
    )
    send(payment_requests.resend(request_, recipients=twice, by=by, now=now()))
    (envelope,) = smtp_server.taken
    assert envelope.rcpt_tos == ["dana@xn--mller-kva.example"]


def test_customer_and_invitation_with_umlaut_domains_are_reached(
    organization: Organization, smtp_server: SmtpServer
) -> None:
    by = personas.owner_actor(organization)
    details = CustomerDetails("Jörg Weiß", "joerg@Weiß.example")
    made = customers.create(organization, details=details, by=by, now=now())
    assert made.email == "joerg@weiß.example"
    personas.sent_invoice(made)
    members.invite(organization, email="Eva@xn--mller-kva.example", role="reader", by=by, now=now())
    sending.send_due(now=now())
    assert [envelope.rcpt_tos for envelope in smtp_server.taken] == [
        ["joerg@xn--wei-7ka.example"],
        ["eva@xn--mller-kva.example"],
    ]


def test_shared_sender_with_umlaut_domain_is_sent_in_ascii(
    mail: Mail, settings: Settings, smtp_server: SmtpServer
) -> None:
    settings.PARTWAY_MAIL_FROM = '"Zahlung, schnell" <post@müller.example>'
    send(mail)
    (envelope,), (message,) = smtp_server.taken, smtp_server.messages()
    assert envelope.mail_from == "post@xn--mller-kva.example"
    assert str(message["From"]) == "Alder Joinery via Partway <post@xn--mller-kva.example>"


@pytest.mark.parametrize(
    "stored", ["jörg@customer.example", "dana@", "dana@x.example\nBcc: e@x.example", "a@b_c.d"]
)
def test_imported_recipient_that_is_no_address_fails_with_alert_and_blocks_no_other(
    stored: str, organization: Organization, invoice: Invoice, smtp_server: SmtpServer
) -> None:
    request = personas.request_payment(invoice)
    PaymentRequest.objects.update(to=[stored])
    mail = Mail.objects.get(payment_request=request)
    Mail.objects.filter(pk=mail.pk).update(to=[stored])
    other = personas.sent_invoice(personas.customer(organization, "Erin Vale"))
    assert send(mail).status == "failed"
    assert Mail.objects.get(invoice=other).status == "sent"
    assert Event.objects.filter(type="mail.failed", payment_request=request).count() == 1
    (alert,) = Alert.objects.all()
    assert (alert.kind, alert.invoice) == ("recipient_address_invalid", invoice)
    assert "is not a mail address" in alert_sentence(alert.kind, alert.params)
    assert (mail.attempt_count, len(smtp_server.taken)) == (1, 1)


def test_mails_of_imported_sender_wait_with_one_alert_until_it_is_corrected(
    organization: Organization, invoice: Invoice, smtp_server: SmtpServer
) -> None:
    Organization.objects.update(email="büro@alder.example")
    by = personas.owner_actor(organization)
    mail = Mail.objects.get(payment_request=personas.request_payment(invoice))
    invoices.resend(invoice, by=by, now=now())
    assert send(mail).status == "queued"
    alert = Alert.objects.get()
    assert (alert.kind, alert.params) == ("sender_address_invalid", {"address": "büro@alder.example"})
    organization.refresh_from_db()
    profile = Profile("Alder Joinery", "buero@alder.example")
    organizations.change(organization, profile=profile, by=by, now=now())
    alert.refresh_from_db()
    assert alert.resolved_at is not None
    sending.send_due(now=max(Mail.objects.values_list("next_attempt_at", flat=True)))
    assert {one.mail_from for one in smtp_server.taken} == {"buero@alder.example"}
    assert not Mail.objects.filter(status="queued").exists()


def test_imported_sender_does_not_stop_mail_about_signing_in(
    organization: Organization, smtp_server: SmtpServer
) -> None:
    Organization.objects.update(email="büro@alder.example")
    user = User.objects.get(name="Alice")
    assert send(outbox.queue_account_mail(user, "password_reset", now=now())).status == "sent"
    (envelope,) = smtp_server.taken
    assert (envelope.mail_from, envelope.rcpt_tos) == ("partway@127.0.0.1", [user.email])
    assert not Alert.objects.exists()
