"""Tests of sending an invoice: its number and the mail with its link."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.db import IntegrityError

from partway.accounts.models import Organization
from partway.billing import links
from partway.billing.documents import invoices
from partway.billing.errors import Conflict, Invalid, InvoiceNotSent
from partway.billing.events import Actor
from partway.billing.models import Customer, Event, Invoice, Mail
from partway.delivery.mail import kinds
from partway.lib.clock import now as present
from partway.lib.clock import today
from tests.support import personas


def send(invoice: Invoice, by: Actor) -> Invoice:
    return invoices.send(invoice, by=by, now=present())


def test_a_sent_invoice_has_a_number_a_mail_and_a_link(dana: Customer, alice: Actor) -> None:
    invoice = send(personas.draft_invoice(dana), alice)
    assert (invoice.status, invoice.number) == ("sent", "INV-0001")
    mail = Mail.objects.get(invoice=invoice)
    assert (mail.kind, mail.to) == ("invoice_sent", [dana.email])
    assert links.invoice_by_token(links.invoice_url(invoice).split("/")[-2]) == invoice


def test_invoice_numbers_are_consecutive_per_organization(dana: Customer, alice: Actor) -> None:
    mallory = personas.mallory()
    hers = personas.sent_invoice(personas.customer(mallory.organization, "Eve"))
    ours = [personas.sent_invoice(dana).number for _ in range(3)]
    assert (ours, hers.number) == (["INV-0001", "INV-0002", "INV-0003"], "INV-0001")


def test_refused_invoice_send_uses_no_number(dana: Customer, alice: Actor) -> None:
    with pytest.raises(Invalid):
        send(personas.draft_invoice(dana, 0), alice)
    assert send(personas.draft_invoice(dana), alice).number == "INV-0001"


@pytest.mark.django_db(transaction=True)
def test_failed_invoice_send_uses_no_number(dana: Customer, alice: Actor) -> None:
    draft = personas.draft_invoice(dana)
    with pytest.raises(IntegrityError):
        invoices.send(draft, by=alice, now=None)  # type: ignore[arg-type]
    assert send(draft, alice).number == "INV-0001"


def test_invoice_with_zero_total_cannot_be_sent(dana: Customer, alice: Actor) -> None:
    with pytest.raises(Invalid) as refusal:
        send(personas.draft_invoice(dana, 0), alice)
    assert set(refusal.value.fields) == {"lines"}


def test_sent_invoice_cannot_be_sent_again(invoice: Invoice, alice: Actor) -> None:
    with pytest.raises(Conflict):
        send(invoice, alice)
    assert Mail.objects.filter(invoice=invoice).count() == 1


def test_invoice_number_uses_organization_prefix(
    dana: Customer, organization: Organization, alice: Actor
) -> None:
    Organization.objects.filter(pk=organization.pk).update(invoice_prefix="2026/")
    assert send(personas.draft_invoice(dana), alice).number == "2026/0001"


def test_resending_invoice_mails_link_again(invoice: Invoice, alice: Actor) -> None:
    invoices.resend(invoice, by=alice, now=present())
    assert Mail.objects.filter(invoice=invoice, kind="invoice_sent").count() == 2
    assert Event.objects.filter(invoice=invoice, type="invoice.resent").exists()


def test_draft_invoice_cannot_be_resent(dana: Customer, alice: Actor) -> None:
    with pytest.raises(InvoiceNotSent):
        invoices.resend(personas.draft_invoice(dana), by=alice, now=present())


def test_queued_mail_of_void_invoice_is_dropped(invoice: Invoice, alice: Actor) -> None:
    invoices.void(invoice, by=alice, now=present())
    assert not kinds.is_valid(Mail.objects.get(invoice=invoice), now=present())


def test_invoice_opened_event_is_recorded_once(invoice: Invoice) -> None:
    first = present()
    invoices.mark_opened(invoice, now=first)
    invoices.mark_opened(invoice, now=present())
    invoice.refresh_from_db()
    assert invoice.opened_at == first
    assert Event.objects.filter(type="invoice.opened").count() == 1


def test_invoice_overdue_follows_organization_time_zone(invoice: Invoice) -> None:
    invoice.due_on = datetime(2026, 3, 1, tzinfo=UTC).date()
    just_after_midnight_utc = datetime(2026, 3, 2, 0, 30, tzinfo=UTC)
    assert not invoice.is_overdue(today(just_after_midnight_utc, "America/New_York"))
    assert invoice.is_overdue(today(just_after_midnight_utc, "Asia/Tokyo"))
