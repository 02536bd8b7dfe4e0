"""The pages that record a spoken yes or no, withdraw a quote, and copy one that has ended."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.http import HttpResponse
from django.test import Client

from partway.billing.documents import invoices, quote_decisions, quotes
from partway.billing.models import Customer, Event, Invoice, Quote
from partway.billing.receivables import credit
from partway.lib.clock import now, today
from tests.staff.confirmation_pages import confirm_page, hidden_fields
from tests.staff.quotes.test_quotes import act, page_of, text_of
from tests.support import personas


@pytest.fixture
def quote(dana: Customer) -> Quote:
    """A quote over $1,000.00 with a deposit of $300.00, in Sent status."""
    return personas.sent_quote(dana)


def decide(client: Client, quote: Quote, decision: str, **changes: str) -> HttpResponse:
    """Records a spoken decision, accept or decline, on its page."""
    day = today(now(), quote.organization.time_zone).isoformat()
    form = {"name": "Dana W.", "decided_on": day, "note": "By phone.", **changes}
    return client.post(f"/o/alder/quotes/{quote.pk}/{decision}/", form)


def menu(client: Client, quote: Quote) -> set[str]:
    """Returns the acts of these that the page of the quote offers."""
    page = client.get(f"/o/alder/quotes/{quote.pk}/").content.decode()
    return {name for name in ("accept", "decline", "withdraw") if f"/quotes/{quote.pk}/{name}/" in page}


def test_quote_page_offers_decisions_only_while_they_can_be_recorded(
    bob: Client, charlie: Client, dana: Customer, quote: Quote
) -> None:
    assert menu(bob, quote) == {"accept", "decline", "withdraw"}
    assert menu(charlie, quote) == set()
    assert menu(bob, personas.draft_quote(dana)) == set()
    assert menu(bob, personas.accept_quote(quote)) == {"withdraw"}
    personas.record_deposit_check(quote)
    assert menu(bob, quote) == set()


def test_spoken_acceptance_is_recorded_with_member_as_witness(bob: Client, quote: Quote) -> None:
    assert "asks for the deposit of $300.00" in text_of(bob.get(f"/o/alder/quotes/{quote.pk}/accept/"))
    response = decide(bob, quote, "accept")
    assert response.status_code == 302
    text = page_of(bob, quote)
    for words in (
        "Dana W.",
        "recorded by Bob",
        "By phone.",
        "Bob recorded that Dana W. accepted the quote on",
    ):
        assert words in text


def test_spoken_decline_is_recorded_with_its_reason(bob: Client, quote: Quote) -> None:
    assert decide(bob, quote, "decline", note="Too dear.").status_code == 302
    text = page_of(bob, quote)
    assert "Bob recorded that Dana W. declined the quote on" in text
    assert "Too dear." in text


@pytest.mark.parametrize("decision", ["accept", "decline"])
@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"decided_on": "2100-01-01"}, "decided_on"),
        ({"decided_on": ""}, "decided_on"),
    ],
)
def test_invalid_spoken_decision_is_marked_and_kept(
    bob: Client, quote: Quote, decision: str, changes: dict[str, str], field: str
) -> None:
    response = decide(bob, quote, decision, **changes)
    page = response.content.decode()
    assert (response.status_code, f'id="id-{field}-error"' in page) == (422, True)
    assert "By phone." in page
    assert Quote.objects.get().status == "sent"


def test_decision_pages_of_decided_quote_say_why_they_offer_nothing(bob: Client, quote: Quote) -> None:
    personas.accept_quote(quote)
    for name in ("accept", "decline"):
        page = text_of(bob.get(f"/o/alder/quotes/{quote.pk}/{name}/"))
        assert "This quote is accepted already." in page


def test_withdrawn_quote_offers_new_quote_from_it(bob: Client, quote: Quote) -> None:
    assert "link stops working at once" in text_of(bob.get(f"/o/alder/quotes/{quote.pk}/withdraw/"))
    confirm_page(bob, f"/o/alder/quotes/{quote.pk}/withdraw/")
    assert Quote.objects.get().status == "withdrawn"
    text = page_of(bob, quote)
    assert "Bob withdrew the quote" in text
    assert "Write a New Quote from This One" in text
    assert "QUO-0001" in text_of(bob.get("/o/alder/quotes/?status=withdrawn"))


def test_quote_accepted_meanwhile_is_shown_again_before_it_is_withdrawn(bob: Client, quote: Quote) -> None:
    page = bob.get(f"/o/alder/quotes/{quote.pk}/withdraw/")
    personas.accept_quote(quote)
    response = act(bob, quote, "withdraw", **hidden_fields(page))
    assert (response.status_code, Quote.objects.get().status) == (409, "accepted")
    assert "Dana W. accepted this quote. Withdraw it only if" in text_of(response)
    assert act(bob, quote, "withdraw", **hidden_fields(response)).status_code == 302


def test_quote_with_paid_deposit_says_how_it_can_be_withdrawn(bob: Client, quote: Quote) -> None:
    personas.record_deposit_check(personas.accept_quote(quote))
    page = text_of(bob.get(f"/o/alder/quotes/{quote.pk}/withdraw/"))
    assert "The deposit of $300.00 is paid." in page


def test_new_quote_starts_as_copy_of_ended_one(bob: Client, dana: Customer, quote: Quote) -> None:
    by = personas.owner_actor(quote.organization)
    quote_decisions.withdraw(quote, by=by, now=now())
    page = bob.get(f"/o/alder/quotes/new/?from={quote.pk}")
    form = page.context["form"]
    text = page.content.decode()
    assert 'value="Oak staircase"' in text
    assert 'name="deposit_percent" value="30"' in text
    assert (form["customer"].value(), form["version"].value()) == (dana.pk, "")
    day = today(now(), quote.organization.time_zone) + timedelta(days=30)
    assert form["valid_until"].value() == day.isoformat()


def test_quote_of_another_organization_cannot_be_copied(bob: Client, dana: Customer) -> None:
    mallory = personas.mallory().organization
    hers = personas.sent_quote(personas.customer(mallory, "Eve"))
    assert bob.get(f"/o/alder/quotes/new/?from={hers.pk}").status_code == 404


# After its invoice was voided


def test_quote_page_says_that_its_invoice_is_void_and_offers_another(alice: Client, quote: Quote) -> None:
    personas.accept_quote(quote)
    confirm_page(alice, f"/o/alder/quotes/{quote.pk}/invoice/")
    first = Invoice.objects.get()
    confirm_page(alice, f"/o/alder/invoices/{first.pk}/send/")
    assert "QUO-0001 can be invoiced again" in text_of(alice.get(f"/o/alder/invoices/{first.pk}/void/"))
    confirm_page(alice, f"/o/alder/invoices/{first.pk}/void/")
    text = page_of(alice, quote)
    assert "Invoice INV-0001, made of this quote, is void. Another one can be made." in text
    assert "Alice voided INV-0001, so another invoice can be made of this quote" in text
    assert "Make Invoice" in text
    confirm_page(alice, f"/o/alder/quotes/{quote.pk}/invoice/")
    assert Invoice.objects.count() == 2
    assert "Open the draft invoice" in page_of(alice, quote)


def test_pages_say_that_deposit_of_void_invoice_is_credit(alice: Client, quote: Quote) -> None:
    deposit = personas.record_deposit_check(personas.accept_quote(quote))
    by = personas.owner_actor(quote.organization)
    first = invoices.send(quotes.create_invoice(quote, by=by, now=now()), by=by, now=now())
    credit.deallocate(first, deposit, by=by, now=now())
    invoices.void(first, by=by, now=now())
    assert "The deposit of $300.00 is the customer's credit since then" in page_of(alice, quote)
    question = text_of(alice.get(f"/o/alder/quotes/{quote.pk}/invoice/"))
    assert "apply it to this one once it is sent" in question
    assert "is applied to it as soon as it is sent" not in question
    second = quotes.create_invoice(quote, by=by, now=now())
    assert "it is applied to this invoice" not in text_of(alice.get(f"/o/alder/invoices/{second.pk}/"))
    assert Event.objects.filter(type="quote.reopened").count() == 1
