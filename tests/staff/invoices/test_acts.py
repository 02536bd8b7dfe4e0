"""Sending, resending, writing off, reopening and voiding an invoice."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client

from partway.billing.documents import quotes
from partway.billing.models import Customer, Invoice, Mail
from partway.delivery.formats import format_date
from partway.lib.clock import now, today
from partway.lib.money import Money
from tests.staff.confirmation_pages import confirm_page, hidden_fields
from tests.staff.invoices.test_detail import page_of, text_of
from tests.staff.invoices.test_editor import edit_url, typed
from tests.support import personas


def url(invoice: Invoice, act: str) -> str:
    return f"/o/alder/invoices/{invoice.pk}/{act}/"


def test_send_invoice_dialog_names_recipient(bob: Client, dana: Customer) -> None:
    draft = personas.draft_invoice(dana)
    page = bob.get(url(draft, "send")).content.decode()
    assert dana.email in page
    assert "Send $1,000.00" in page
    assert not Mail.objects.exists()


def test_sending_invoice_assigns_number_and_mails_customer(bob: Client, dana: Customer) -> None:
    draft = personas.draft_invoice(dana)
    response = confirm_page(bob, url(draft, "send"), follow=True)
    draft.refresh_from_db()
    assert (draft.status, draft.number) == ("sent", "INV-0001")
    assert Mail.objects.get().to == [dana.email]
    assert "is on its way to" in response.content.decode()


def test_sending_invoice_twice_is_refused_and_mails_once(bob: Client, dana: Customer) -> None:
    draft = personas.draft_invoice(dana)
    confirm_page(bob, url(draft, "send"))
    response = confirm_page(bob, url(draft, "send"))
    assert response.status_code == 409
    assert "already sent" in response.content.decode()
    assert Mail.objects.count() == 1


def test_invoice_with_zero_total_cannot_be_sent(bob: Client, dana: Customer) -> None:
    draft = personas.draft_invoice(dana, 0)
    response = confirm_page(bob, url(draft, "send"))
    assert response.status_code == 422
    assert "Nothing is due on this invoice" in response.content.decode()


def test_send_page_says_on_which_day_days_to_pay_end(bob: Client, dana: Customer) -> None:
    draft = quotes.create_invoice(
        personas.accept_quote(personas.sent_quote(dana)),
        by=personas.owner_actor(dana.organization),
        now=now() - timedelta(days=30),
    )
    due = today(now(), dana.organization.time_zone) + timedelta(days=14)
    page = text_of(bob.get(url(draft, "send")).content.decode())
    assert f"{format_date(due)} (14 days after sending)" in page
    assert "overdue" not in page


def test_invoice_past_its_due_date_is_sent_only_with_tick(bob: Client, dana: Customer) -> None:
    draft = personas.draft_invoice(dana, due_in=-1)
    page = bob.get(url(draft, "send")).content.decode()
    assert "would be overdue the moment it is sent" in page
    assert f'href="{url(draft, "edit")}"' in page
    refused = confirm_page(bob, url(draft, "send"))
    assert (refused.status_code, "Nothing was sent" in refused.content.decode()) == (422, True)
    assert Invoice.objects.get().status == "draft"
    bob.post(url(draft, "send"), {**hidden_fields(refused), "allow_overdue": "yes"})
    assert Invoice.objects.get().status == "sent"


def test_resending_invoice_mails_again(bob: Client, invoice: Invoice) -> None:
    assert invoice.customer.email in bob.get(url(invoice, "resend")).content.decode()
    bob.post(url(invoice, "resend"))
    assert Mail.objects.filter(kind="invoice_sent").count() == 2


def test_voiding_invoice_asks_first_and_cancels_request(alice: Client, invoice: Invoice) -> None:
    open_request = personas.request_payment(invoice)
    assert "cannot be undone" in alice.get(url(invoice, "void")).content.decode()
    confirm_page(alice, url(invoice, "void"))
    invoice.refresh_from_db()
    open_request.refresh_from_db()
    assert (invoice.status, open_request.cancel_reason) == ("void", "invoice_voided")


# A stale page


def test_draft_invoice_edited_meanwhile_is_shown_again_before_send(
    alice: Client, bob: Client, dana: Customer
) -> None:
    draft = personas.draft_invoice(dana)
    page = alice.get(url(draft, "send"))
    other = personas.customer(dana.organization, "Eli Other")
    bob.post(edit_url(draft), typed(other, version="1", lines__0__unit_amount="9,000.00"))
    response = alice.post(url(draft, "send"), hidden_fields(page))
    text = text_of(response.content.decode())
    assert response.status_code == 409
    for message in ("This was changed in the meantime", "Send $9,000.00", other.email):
        assert message in text
    assert not Mail.objects.exists()
    assert alice.post(url(draft, "send"), hidden_fields(response)).status_code == 302


def test_invoice_sent_meanwhile_is_not_voided_from_draft_page(
    alice: Client, bob: Client, dana: Customer
) -> None:
    draft = personas.draft_invoice(dana)
    page = alice.get(url(draft, "void"))
    confirm_page(bob, url(draft, "send"))
    open_request = personas.request_payment(Invoice.objects.get())
    response = alice.post(url(draft, "void"), hidden_fields(page))
    open_request.refresh_from_db()
    assert (response.status_code, open_request.status) == (409, "open")
    assert "Void INV-0001?" in text_of(response.content.decode())


@pytest.mark.parametrize(
    "change", [personas.edit_invoice, personas.record_check], ids=["edited", "part paid"]
)
def test_write_off_of_outdated_amount_due_is_refused(
    alice: Client, invoice: Invoice, change: Callable[[Invoice, int], object]
) -> None:
    page = alice.get(url(invoice, "write-off"))
    change(invoice, 40_000)
    response = alice.post(url(invoice, "write-off"), hidden_fields(page))
    invoice.refresh_from_db()
    assert (response.status_code, invoice.status) == (409, "sent")
    assert f"Write Off {invoice.amount_due}" in response.content.decode()
    assert alice.post(url(invoice, "write-off"), hidden_fields(response)).status_code == 302


def test_reopen_from_outdated_page_is_refused(alice: Client, invoice: Invoice) -> None:
    confirm_page(alice, url(invoice, "write-off"))
    page = alice.get(url(invoice, "reopen"))
    confirm_page(alice, url(invoice, "reopen"))
    personas.edit_invoice(invoice, 5_000)
    confirm_page(alice, url(invoice, "write-off"))
    response = alice.post(url(invoice, "reopen"), hidden_fields(page))
    assert response.status_code == 409
    assert "Reopen $50.00" in response.content.decode()


@pytest.mark.parametrize("name", ["send", "void"])
def test_confirmation_without_version_is_refused(alice: Client, dana: Customer, name: str) -> None:
    draft = personas.draft_invoice(dana)
    for fields in ({}, {"version": "x"}):
        assert alice.post(url(draft, name), fields).status_code == 409
    draft.refresh_from_db()
    assert draft.status == "draft"


# Writing off and reopening


def test_write_off_dialog_shows_amount_and_open_request(alice: Client, invoice: Invoice) -> None:
    personas.captured_payment(invoice, 40_000)
    personas.request_payment(invoice)
    page = text_of(alice.get(url(invoice, "write-off")).content.decode())
    for message in (
        "You stop collecting $600.00",
        "The open request for $300.00 is canceled",
        "The $400.00 that was paid stays",
        "Write Off $600.00",
    ):
        assert message in page


def test_written_off_invoice_page_shows_member_and_options(
    alice: Client, bob: Client, invoice: Invoice
) -> None:
    response = confirm_page(alice, url(invoice, "write-off"), follow=True)
    text = text_of(response.content.decode())
    assert "$1,000.00 of INV-0001 is written off" in text
    assert "Alice wrote this invoice off on" in text
    assert "record the payment" in text
    assert url(invoice, "reopen") in response.content.decode()
    theirs = page_of(bob, invoice)
    assert "an owner can reopen it" in theirs
    assert url(invoice, "reopen") not in theirs
    assert "Total Amount Due" not in theirs


def test_written_off_invoice_page_offers_neither_edit_nor_void(alice: Client, invoice: Invoice) -> None:
    confirm_page(alice, url(invoice, "write-off"))
    page = page_of(alice, invoice)
    for act in ("Edit Invoice", "Void Invoice", "Write Off<", "Request Payment", "Resend Invoice"):
        assert act not in page


def test_reopened_invoice_is_due_again(alice: Client, dana: Customer) -> None:
    invoice = personas.sent_invoice(dana, due_in=-3)
    confirm_page(alice, url(invoice, "write-off"))
    assert "overdue at once" in alice.get(url(invoice, "reopen")).content.decode()
    response = confirm_page(alice, url(invoice, "reopen"), follow=True)
    assert "INV-0001 is open again: $1,000.00 is due." in response.content.decode()
    assert "Alice reopened the invoice" in page_of(alice, invoice)


def test_reopen_of_sent_invoice_is_refused(alice: Client, invoice: Invoice) -> None:
    response = confirm_page(alice, url(invoice, "reopen"))
    assert response.status_code == 409
    assert "only one that was written off can be reopened" in response.content.decode()


def test_write_off_of_draft_invoice_is_refused(alice: Client, dana: Customer) -> None:
    response = alice.post(url(personas.draft_invoice(dana), "write-off"))
    assert response.status_code == 409
    assert "there is nothing to write off" in response.content.decode()


def test_only_owners_can_write_off_and_reopen(alice: Client, bob: Client, invoice: Invoice) -> None:
    assert "Write Off" in page_of(alice, invoice)
    assert "Write Off" not in page_of(bob, invoice)
    assert "Edit Invoice" in page_of(bob, invoice)
    confirm_page(alice, url(invoice, "write-off"))
    assert ">Reopen<" in page_of(alice, invoice)
    assert ">Reopen<" not in page_of(bob, invoice)


def test_written_off_invoice_is_not_counted_as_due_in_lists(alice: Client, invoice: Invoice) -> None:
    confirm_page(alice, url(invoice, "write-off"))
    assert alice.get("/o/alder/").context["figures"].due.count == 0
    listed = alice.get("/o/alder/invoices/?status=written_off")
    assert [row.pk for row in listed.context["page"].entries] == [invoice.pk]
    assert listed.context["totals"][0].due == Money(0, "USD")
    assert "Written off" in listed.content.decode()
    assert b",Written off," in (rows := alice.get("/o/alder/invoices/csv/").getvalue())
    assert b",1000.00,0.00,0.00,0.00," in rows


# Delete and duplicate


def test_draft_is_deleted_after_a_question(bob: Client, dana: Customer) -> None:
    draft = personas.draft_invoice(dana)
    url = f"/o/alder/invoices/{draft.pk}/delete/"
    assert url in bob.get(f"/o/alder/invoices/{draft.pk}/").content.decode()
    assert "The draft for Dana Whitfield over $1,000.00" in bob.get(url).content.decode()
    assert confirm_page(bob, url, follow=True).redirect_chain == [("/o/alder/invoices/", 302)]
    assert not Invoice.objects.exists()


def test_deletion_is_in_the_audit_log(alice: Client, dana: Customer) -> None:
    for kind, draft in (("invoices", personas.draft_invoice(dana)), ("quotes", personas.draft_quote(dana))):
        confirm_page(alice, f"/o/alder/{kind}/{draft.pk}/delete/")
    page = alice.get("/o/alder/settings/audit/").content.decode()
    assert "Alice deleted a draft invoice over $1,000.00" in page
    assert "Alice deleted a draft quote over $1,000.00" in page


def test_sent_invoice_offers_no_deletion(bob: Client, invoice: Invoice) -> None:
    url = f"/o/alder/invoices/{invoice.pk}/delete/"
    assert url not in bob.get(f"/o/alder/invoices/{invoice.pk}/").content.decode()
    assert "Void it instead" in bob.get(url).content.decode()
    assert bob.post(url, {"version": str(invoice.version)}).status_code == 409


def test_any_invoice_can_be_duplicated_as_a_new_draft(bob: Client, invoice: Invoice) -> None:
    url = f"/o/alder/invoices/new/?from={invoice.pk}"
    assert url in bob.get(f"/o/alder/invoices/{invoice.pk}/").content.decode()
    form = bob.get(url).context["form"]
    lines = {line.add_prefix(name): line[name].value() for line in form.lines for name in line.fields}
    assert (lines["lines.0.unit_amount"], form["customer"].value()) == ("1000.00", invoice.customer_id)
    assert (form["due_kind"].value(), form["due_days"].value()) == ("days", "14")
    assert 'name="version"' not in bob.get(url).content.decode()


def test_invoice_of_another_organization_cannot_be_duplicated(mallory: Client, invoice: Invoice) -> None:
    assert mallory.get(f"/o/birch/invoices/new/?from={invoice.pk}").status_code == 404
