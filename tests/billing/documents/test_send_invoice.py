"""Tests of sending an invoice: its number and the mail with its link."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError

from partway.accounts.models import Organization
from partway.billing import links
from partway.billing.documents import invoices, quotes
from partway.billing.documents.drafts import LineDraft
from partway.billing.errors import Conflict, Invalid, InvoiceNotSent, field_error
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
        send(draft, replace(alice, kind=None))  # type: ignore[arg-type]
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


# The due date

EVENING = datetime(2026, 11, 30, 23, 0, tzinfo=UTC)  # in Auckland it is December 1 already


def draft_due(owes: Customer, by: Actor, *, at: datetime = EVENING, **due: object) -> Invoice:
    lines = (LineDraft("Oak staircase", Decimal(1), 100_000, Decimal(0)),)
    content = invoices.InvoiceDraft(customer=owes, currency="USD", lines=lines, **due)  # type: ignore[arg-type]
    return invoices.create(owes.organization, draft=content, by=by, now=at)


@pytest.mark.parametrize(
    ("zone", "due_on"), [("UTC", date(2026, 12, 28)), ("Pacific/Auckland", date(2026, 12, 29))]
)
def test_days_to_pay_count_from_day_of_sending_where_organization_is(
    organization: Organization, dana: Customer, alice: Actor, zone: str, due_on: date
) -> None:
    Organization.objects.update(time_zone=zone)
    draft = draft_due(dana, alice, at=EVENING - timedelta(days=20), due_days=28)
    sent = invoices.send(draft, by=alice, now=EVENING)
    assert (sent.due_on, sent.due_days) == (due_on, None)
    assert Invoice.objects.get().due_on == due_on
    assert Event.objects.get(type="invoice.sent").data["due_on"] == due_on.isoformat()


def test_named_due_date_stays_when_invoice_is_sent(dana: Customer, alice: Actor) -> None:
    draft = draft_due(dana, alice, due_on=date(2026, 12, 24))
    assert invoices.send(draft, by=alice, now=EVENING).due_on == date(2026, 12, 24)


def test_invoice_past_its_due_date_is_sent_only_when_allowed(dana: Customer, alice: Actor) -> None:
    draft = draft_due(dana, alice, due_on=date(2026, 11, 30))
    tomorrow = EVENING + timedelta(days=1)
    with pytest.raises(Invalid) as refusal:
        invoices.send(draft, by=alice, now=tomorrow)
    error = refusal.value.fields["due_on"]
    assert error == field_error("due_on_in_past", due_on=date(2026, 11, 30))
    assert invoices.send(draft, by=alice, now=tomorrow, allow_overdue=True).number == "INV-0001"


def test_invoice_of_zero_days_to_pay_is_due_today_and_not_overdue(dana: Customer, alice: Actor) -> None:
    sent = invoices.send(draft_due(dana, alice, due_days=0), by=alice, now=EVENING)
    assert not sent.is_overdue(today(EVENING, sent.organization.time_zone))


@pytest.mark.parametrize(
    ("due", "field"), [({}, "due_on"), ({"due_days": 366}, "due_days"), ({"due_days": -1}, "due_days")]
)
def test_draft_needs_due_date_or_days_within_a_year(
    dana: Customer, alice: Actor, due: dict[str, int], field: str
) -> None:
    with pytest.raises(Invalid) as refusal:
        draft_due(dana, alice, **due)
    assert list(refusal.value.fields) == [field]


def test_edited_draft_changes_between_date_and_days(dana: Customer, alice: Actor) -> None:
    draft = draft_due(dana, alice, due_on=date(2026, 12, 24))
    lines = (LineDraft("Oak staircase", Decimal(1), 100_000, Decimal(0)),)
    content = invoices.InvoiceDraft(customer=dana, currency="USD", lines=lines, due_days=7)
    edited = invoices.edit(draft, draft=content, expected_version=1, by=alice, now=EVENING)
    assert (edited.due_days, edited.due_on) == (7, date(2026, 12, 7))


def test_sent_invoice_keeps_date_whatever_days_an_edit_names(dana: Customer, alice: Actor) -> None:
    sent = invoices.send(draft_due(dana, alice, due_days=7), by=alice, now=EVENING)
    lines = (LineDraft("Oak staircase", Decimal(1), 90_000, Decimal(0)),)
    content = invoices.InvoiceDraft(
        customer=dana, currency="USD", lines=lines, due_on=date(2026, 12, 31), due_days=90
    )
    edited = invoices.edit(sent, draft=content, expected_version=2, by=alice, now=EVENING)
    assert (edited.due_days, edited.due_on) == (None, date(2026, 12, 31))


def test_invoice_of_quote_has_usual_days_to_pay(dana: Customer, alice: Actor) -> None:
    quote = personas.accept_quote(personas.sent_quote(dana))
    made = quotes.create_invoice(quote, by=alice, now=present())
    assert made.due_days == dana.organization.default_due_days
    sent = invoices.send(made, by=alice, now=present() + timedelta(days=40))
    zone = dana.organization.time_zone
    assert sent.due_on == today(present() + timedelta(days=40), zone) + timedelta(days=14)
