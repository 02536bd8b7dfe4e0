"""Deleting drafts of invoices and quotes: only what was never sent, and the books keep what it was."""

from __future__ import annotations

import pytest

from partway.billing.documents import invoices, quotes
from partway.billing.errors import Conflict, Stale
from partway.billing.events import Actor
from partway.billing.models import Customer, Event, Invoice, InvoiceLine, Quote, QuoteLine
from partway.billing.verification import verify
from partway.lib.clock import now
from tests.support import personas


def test_deleted_invoice_draft_leaves_an_event_with_its_content(dana: Customer, alice: Actor) -> None:
    draft = personas.draft_invoice(dana)
    invoices.delete_draft(draft, by=alice, now=now(), expected_version=1)
    assert not Invoice.objects.exists()
    assert not InvoiceLine.objects.exists()
    deleted = Event.objects.get(type="invoice.deleted")
    assert (deleted.customer, deleted.data["invoice"], deleted.data["total_minor"]) == (
        dana,
        draft.pk,
        100_000,
    )
    assert deleted.data["before"]["lines"][0]["unit_amount_minor"] == 100_000
    assert Event.objects.get(type="invoice.created").customer == dana
    assert list(verify()) == []


def test_deleted_draft_uses_up_no_number(dana: Customer, alice: Actor) -> None:
    invoices.delete_draft(personas.draft_invoice(dana), by=alice, now=now())
    assert personas.sent_invoice(dana).number == "INV-0001"


def test_deleted_quote_draft_leaves_an_event_with_its_content(dana: Customer, alice: Actor) -> None:
    draft = personas.draft_quote(dana)
    quotes.delete_draft(draft, by=alice, now=now(), expected_version=1)
    assert not Quote.objects.exists()
    assert not QuoteLine.objects.exists()
    data = Event.objects.get(type="quote.deleted", customer=dana).data
    assert (data["quote"], data["deposit_minor"], len(data["lines"])) == (draft.pk, 30_000, 1)
    assert list(verify()) == []


def test_quote_of_a_deleted_invoice_draft_can_be_invoiced_again(dana: Customer, alice: Actor) -> None:
    quote = personas.accept_quote(personas.sent_quote(dana))
    personas.record_deposit_check(quote)
    first = quotes.create_invoice(quote, by=alice, now=now())
    invoices.delete_draft(first, by=alice, now=now())
    quote.refresh_from_db()
    assert quote.status == "accepted"
    second = quotes.create_invoice(quote, by=alice, now=now())
    assert invoices.send(second, by=alice, now=now()).amount_paid_minor == 30_000
    assert list(verify()) == []


def test_draft_that_was_changed_since_the_question_is_not_deleted(dana: Customer, alice: Actor) -> None:
    invoice, quote = personas.edit_invoice(personas.draft_invoice(dana), 90_000), personas.draft_quote(dana)
    with pytest.raises(Stale):
        invoices.delete_draft(invoice, by=alice, now=now(), expected_version=1)
    with pytest.raises(Stale):
        quotes.delete_draft(quote, by=alice, now=now(), expected_version=2)
    assert Invoice.objects.exists()
    assert Quote.objects.exists()


def test_sent_documents_cannot_be_deleted(dana: Customer, alice: Actor) -> None:
    with pytest.raises(Conflict, match="delete_sent_invoice"):
        invoices.delete_draft(personas.sent_invoice(dana), by=alice, now=now())
    with pytest.raises(Conflict, match="delete_sent_quote"):
        quotes.delete_draft(personas.sent_quote(dana), by=alice, now=now())


def test_acts_on_a_deleted_draft_are_refused(dana: Customer, alice: Actor) -> None:
    invoice, quote = personas.draft_invoice(dana), personas.draft_quote(dana)
    stale_invoice, stale_quote = Invoice.objects.get(), Quote.objects.get()
    invoices.delete_draft(invoice, by=alice, now=now())
    quotes.delete_draft(quote, by=alice, now=now())
    for act, draft in ((invoices.send, stale_invoice), (quotes.send, stale_quote)):
        with pytest.raises(Conflict, match="draft_deleted"):
            act(draft, by=alice, now=now())
