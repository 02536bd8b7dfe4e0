"""The customer's page of a quote: accepting, declining, and paying the deposit."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client

from partway.accounts.models import Organization
from partway.billing import events, links
from partway.billing.documents import invoices, quote_decisions, quotes
from partway.billing.documents.quote_decisions import SpokenDecision
from partway.billing.models import Event, Payment, Quote
from partway.lib.clock import now, today
from tests.pay.customer_browser import BANK_DEBIT, DECLINED_CARD, GOOD_CARD, CustomerBrowser
from tests.support import personas
from tests.support.sandbox_server import wait_until


@pytest.fixture
def quote(organization: Organization) -> Quote:
    """A quote over $1,000.00 with a deposit of $300.00, sent to Dana."""
    return personas.sent_quote(personas.customer(organization))


@pytest.fixture
def link(quote: Quote) -> str:
    return links.quote_url(quote)


def reloaded(quote: Quote) -> Quote:
    return Quote.objects.get(pk=quote.pk)


# A quote that is withdrawn, and one whose invoice was voided


def test_page_of_withdrawn_quote_says_so_and_nothing_else(dana: Client, quote: Quote, link: str) -> None:
    by = personas.owner_actor(quote.organization)
    quote_decisions.withdraw(personas.accept_quote(quote), by=by, now=now())
    for path in (link, f"{link}pdf/"):
        page = dana.get(path)
        assert page.status_code == 410
        assert "This quote was withdrawn" in page.text
        assert "$" not in page.text


def test_quote_page_after_its_invoice_was_voided_asks_for_deposit_again(
    dana: Client, quote: Quote, link: str
) -> None:
    by = personas.owner_actor(quote.organization)
    made = quotes.create_invoice(personas.accept_quote(quote), by=by, now=now())
    invoices.void(invoices.send(made, by=by, now=now()), by=by, now=now())
    text = dana.get(link).text
    assert "Invoice INV-0001, made of this quote, was voided" in text
    assert "Pay $300.00" in text


def test_quote_page_names_person_of_recorded_acceptance(dana: Client, quote: Quote, link: str) -> None:
    decision = SpokenDecision("Dana W.", today(now(), quote.organization.time_zone))
    by = personas.owner_actor(quote.organization)
    quote_decisions.record_acceptance(quote, decision=decision, by=by, now=now())
    text = dana.get(link).text
    assert "by Dana W., as told to Alder Joinery" in text
    assert "Pay $300.00" in text


# Reading


def test_quote_page_shows_lines_total_and_deposit(dana: Client, quote: Quote, link: str) -> None:
    text = dana.get(link).text
    for words in (
        "QUO-0001",
        "Oak staircase",
        "Alder Joinery",
        "Dana Whitfield",
        "30%",
        "$300.00",
        "valid until",
    ):
        assert words in re.sub(r"<[^>]+>", "", text)
    assert "Accept $1,000.00</button>" in text
    assert "Pay $" not in text


def test_quote_page_shows_lines_before_accept_form(dana: Client, link: str) -> None:
    text = dana.get(link).text
    assert text.index("Oak staircase") < text.index('name="name"')


def test_quote_page_without_deposit_mentions_no_deposit(dana: Client, organization: Organization) -> None:
    quote = personas.sent_quote(personas.customer(organization), percent="0")
    text = dana.get(links.quote_url(quote)).text
    assert "deposit" not in text.lower()
    assert "Accepting charges nothing" in text


def test_draft_quote_page_is_404(dana: Client, organization: Organization) -> None:
    draft = personas.draft_quote(personas.customer(organization))
    assert dana.get(links.quote_url(draft)).status_code == 404


def test_quote_opened_event_is_recorded_once_by_page_post(dana: Client, link: str) -> None:
    for _ in range(2):
        assert dana.post(link + "opened/").status_code == 204
    assert Event.objects.filter(type="quote.opened").count() == 1


# Accepting


def test_accepting_quote_stores_name_time_and_ip_address(dana: Client, quote: Quote, link: str) -> None:
    response = dana.post(link + "accept/", {"name": "Dana Whitfield"}, REMOTE_ADDR="203.0.113.9")
    assert response.status_code == 302
    assert (reloaded(quote).accepted_by, reloaded(quote).accepted_ip) == ("Dana Whitfield", "203.0.113.9")
    text = dana.get(link).text
    assert "Accepted" in text
    assert "Pay $300.00</button>" in text


@pytest.mark.parametrize("name", ["", "  ", "\x00", "x" * 121])
def test_accepting_quote_without_name_is_refused(dana: Client, quote: Quote, link: str, name: str) -> None:
    response = dana.post(link + "accept/", {"name": name})
    assert response.status_code == 422
    assert "Type your name to accept." in response.text
    assert reloaded(quote).status == "sent"


def test_accepting_quote_twice_keeps_first_name(dana: Client, quote: Quote, link: str) -> None:
    for name in ("First", "Second"):
        assert dana.post(link + "accept/", {"name": name}).status_code == 302
    assert reloaded(quote).accepted_by == "First"


def test_accepted_quote_without_deposit_has_no_pay_button(dana: Client, organization: Organization) -> None:
    quote = personas.accept_quote(personas.sent_quote(personas.customer(organization), percent="0"))
    text = dana.get(links.quote_url(quote)).text
    assert "there is nothing to pay now" in text
    assert "button-primary" not in text


def test_quote_page_with_payments_disabled_shows_contact(dana: Client, quote: Quote, link: str) -> None:
    personas.accept_quote(quote)
    Organization.objects.update(payments_enabled=False)
    text = dana.get(link).text
    assert "not payable online" in text
    assert "+1 555 010 4477" in text
    assert "button-primary" not in text


@pytest.mark.parametrize("act", ["accept", "decline", "pay"])
def test_get_of_quote_form_url_redirects_to_page(dana: Client, link: str, act: str) -> None:
    assert dana.get(f"{link}{act}/").headers["Location"] == re.sub(r"^https?://[^/]+", "", link)


@pytest.mark.parametrize("act", ["accept", "decline", "pay", "opened"])
def test_post_to_unknown_quote_link_is_404(dana: Client, organization: Organization, act: str) -> None:
    assert dana.post(f"/q/unknown/{act}/", {"name": "Dana"}).status_code == 404


@pytest.mark.parametrize("door", ["p", "i", "r"])
def test_quote_token_opens_no_other_page_kind(dana: Client, link: str, door: str) -> None:
    assert dana.get(link.replace("/q/", f"/{door}/")).status_code == 404


# Declining, and other ends


def test_declining_quote_stores_reason(dana: Client, quote: Quote, link: str) -> None:
    assert dana.post(link + "decline/", {"reason": "Too <b>dear</b>."}).status_code == 302
    assert reloaded(quote).status == "declined"
    assert Event.objects.get(type="quote.declined").data["reason"] == "Too <b>dear</b>."


def leaks(text: str) -> list[str]:
    return [words for words in ("$", "Oak", "QUO-", "Dana", "<form", "button") if words in text]


def test_declined_quote_page_leaks_no_details(dana: Client, link: str) -> None:
    dana.post(link + "decline/")
    response = dana.get(link)
    assert response.status_code == 410
    assert "declined" in response.text
    assert leaks(response.text) == []


@pytest.mark.parametrize("worked_off", [True, False])
def test_expired_quote_page_leaks_no_details_even_before_worker_ran(
    dana: Client, quote: Quote, link: str, worked_off: bool
) -> None:
    Quote.objects.update(valid_until=now().date() - timedelta(days=2))
    if worked_off:
        quotes.expire(quote, now=now())
    response = dana.get(link)
    assert response.status_code == 410
    assert "expired" in response.text
    assert leaks(response.text) == []
    late = dana.post(link + "accept/", {"name": "Dana"})
    assert late.status_code == 410
    assert reloaded(quote).accepted_at is None


def test_invoiced_quote_page_shows_terms_and_no_invoice_link(dana: Client, quote: Quote, link: str) -> None:
    personas.record_deposit_check(personas.accept_quote(quote))
    invoice = quotes.create_invoice(quote, by=personas.owner_actor(quote.organization), now=now())
    text = dana.get(link).text
    assert "an invoice was made of this quote" in text
    for words in ("/i/", "/p/", "/r/", invoice.pk, "button-primary"):
        assert words not in text


def test_late_answer_to_quote_shows_current_state(dana: Client, quote: Quote, link: str) -> None:
    personas.accept_quote(quote)
    late = dana.post(link + "decline/")
    assert late.status_code == 409
    assert "Pay $300.00" in late.text
    declined = personas.sent_quote(quote.customer)
    quotes.decline(declined, reason="", by=events.customer_actor(quote.customer), now=now())
    assert dana.post(links.quote_url(declined) + "accept/", {"name": "Dana"}).status_code == 410


# The deposit


def test_deposit_form_has_no_amount_field(dana: Client, quote: Quote, link: str) -> None:
    personas.accept_quote(quote)
    assert "amount" not in re.findall(r'name="([^"]+)"', dana.get(link).text)
    assert "amount_minor" not in dana.get(link).text


@pytest.mark.parametrize("forged", ["1", "10000", "100000", "-5", "x", ""])
def test_deposit_payment_ignores_forged_amount(customer_browser: CustomerBrowser, forged: str) -> None:
    quote = personas.accept_quote(personas.sent_quote(personas.customer(customer_browser.organization)))
    page = customer_browser.open(links.quote_url(quote))
    response = customer_browser.submit(
        page, "/pay/", amount_minor=forged, amount=forged, deposit_minor=forged
    )
    assert response.status_code == 303
    assert Payment.objects.get().amount_minor == 30_000
    assert "300.00" in customer_browser.open(response.headers["location"]).text


def test_deposit_cannot_be_paid_before_quote_is_accepted(dana: Client, quote: Quote, link: str) -> None:
    assert dana.post(link + "pay/").status_code == 409
    assert not Payment.objects.exists()


def test_paying_deposit_leads_to_deposit_receipt(customer_browser: CustomerBrowser) -> None:
    quote = personas.accept_quote(personas.sent_quote(personas.customer(customer_browser.organization)))
    back = customer_browser.pay(links.quote_url(quote), GOOD_CARD)
    wait_until(lambda: "Receipt from" in customer_browser.open(back).text)
    text = " ".join(re.sub(r"<[^>]+>", " ", customer_browser.open(back).text).split())
    for words in (
        "Deposit of quote QUO-0001",
        "Total of the quote $1,000 .00",
        "Left after the deposit $700 .00",
    ):
        assert words in text
    assert "of it was more than" not in text
    assert "the deposit is paid, thank you" in customer_browser.open(links.quote_url(quote)).text


def test_declined_card_on_deposit_leads_back_to_quote(customer_browser: CustomerBrowser) -> None:
    quote = personas.accept_quote(personas.sent_quote(personas.customer(customer_browser.organization)))
    customer_browser.pay(links.quote_url(quote), DECLINED_CARD)
    assert "Pay $300.00" in customer_browser.open(links.quote_url(quote)).text
    receipt = customer_browser.open(links.receipt_url(Payment.objects.get()))
    assert receipt.status_code == 200
    assert f'action="{links.link_path(quote)}pay/"' in receipt.text


def test_quote_page_with_processing_bank_debit_has_no_pay_button(customer_browser: CustomerBrowser) -> None:
    quote = personas.accept_quote(personas.sent_quote(personas.customer(customer_browser.organization)))
    back = customer_browser.pay(links.quote_url(quote), BANK_DEBIT)
    wait_until(lambda: "on its way" in customer_browser.open(back).text)
    text = customer_browser.open(links.quote_url(quote)).text
    assert "A bank is paying the deposit" in text
    assert "button-primary" not in text


def test_receipt_page_of_offline_deposit_names_method_without_reference(dana: Client, quote: Quote) -> None:
    payment = personas.record_deposit_check(personas.accept_quote(quote))
    text = dana.get(links.receipt_url(payment)).text
    assert "by check" in text
    assert "Deposit of quote" in text
    assert "No. 118" not in text


def test_quote_page_with_paid_deposit_leads_to_its_receipt(dana: Client, quote: Quote, link: str) -> None:
    payment = personas.record_deposit_check(personas.accept_quote(quote))
    assert f'href="{links.link_path(payment)}"' in dana.get(link).text
