"""The content and the validity of mails about quotes and deposits."""

from __future__ import annotations

from datetime import timedelta

import pytest

from partway.accounts.models import Organization
from partway.billing import events, links
from partway.billing.documents import quote_decisions, quotes
from partway.billing.documents.quote_decisions import SpokenDecision
from partway.billing.models import Mail, Quote
from partway.delivery.mail import rendering, sending
from partway.delivery.receipt_figures import receipt
from partway.lib.clock import now, today
from partway.lib.money import Money
from tests.support import personas


@pytest.fixture
def quote(organization: Organization) -> Quote:
    """A quote over $1,000.00 with a deposit of $300.00, sent."""
    return personas.sent_quote(personas.customer(organization))


def texts(kind: str) -> tuple[str, str, str]:
    """(subject, plain text, HTML) of the latest mail of this kind."""
    message = rendering.message(rendering.with_related_rows().filter(kind=kind).latest("pk"))
    return str(message.subject), str(message.body), str(message.alternatives[0][0])


def test_quote_mail_shows_total_deposit_and_valid_until(quote: Quote) -> None:
    subject, *bodies = texts("quote_sent")
    assert subject == "Quote QUO-0001 from Alder Joinery: $1,000.00"
    for text in bodies:
        for words in (
            "$1,000.00",
            "$300.00",
            "$700.00",
            "once you accept",
            "Valid until",
            links.quote_url(quote),
        ):
            assert words in text


def test_quote_mail_resent_after_acceptance_asks_for_deposit(quote: Quote) -> None:
    quotes.resend(personas.accept_quote(quote), by=personas.owner_actor(quote.organization), now=now())
    subject, *bodies = texts("quote_sent")
    assert subject == "Quote QUO-0001 from Alder Joinery: deposit of $300.00 due"
    for text in bodies:
        assert "Pay $300.00" in text
        assert "Valid until" not in text


def test_quote_mail_with_paid_deposit_asks_for_no_payment(quote: Quote) -> None:
    personas.record_deposit_check(personas.accept_quote(quote))
    subject, *bodies = texts("quote_sent")
    assert subject.endswith(": $1,000.00")
    for text in bodies:
        assert "paid" in text
        assert "due now" not in text


def test_quote_mail_without_deposit_mentions_no_deposit(organization: Organization) -> None:
    personas.sent_quote(personas.customer(organization), percent="0")
    for text in texts("quote_sent"):
        assert "eposit" not in text


def test_quote_accepted_mail_goes_to_organization(quote: Quote) -> None:
    personas.accept_quote(quote)
    subject, *bodies = texts("quote_accepted")
    assert subject == "Dana Whitfield accepted QUO-0001 ($1,000.00)"
    assert Mail.objects.get(kind="quote_accepted").reply_to == quote.customer.email
    for text in bodies:
        for words in ("Dana W.", "192.0.2.7", "$300.00", f"/o/alder/quotes/{quote.pk}/"):
            assert words in text


def test_quote_declined_mail_contains_reason(quote: Quote) -> None:
    by = events.customer_actor(quote.customer)
    quotes.decline(quote, reason="Too <dear> & late.", by=by, now=now())
    subject, plain, html = texts("quote_declined")
    assert subject == "Dana Whitfield declined QUO-0001 ($1,000.00)"
    assert "Too <dear> & late." in plain
    assert "Too &lt;dear&gt; &amp; late." in html


def test_recorded_acceptance_is_confirmed_to_customer_and_told_to_organization(quote: Quote) -> None:
    decision = SpokenDecision("Dana W.", today(now(), quote.organization.time_zone))
    by = personas.owner_actor(quote.organization)
    quote_decisions.record_acceptance(quote, decision=decision, by=by, now=now())
    for text in texts("quote_sent")[1:]:
        assert "Alder Joinery has recorded that quote QUO-0001 was accepted: Dana W. said so on" in text
        assert "Pay $300.00" in text
    for text in texts("quote_accepted")[1:]:
        assert "as Alice recorded" in text
        assert "signed" not in text


def test_quote_mail_that_waited_while_acceptance_was_recorded_is_dropped(quote: Quote) -> None:
    decision = SpokenDecision("Dana W.", today(now(), quote.organization.time_zone))
    by = personas.owner_actor(quote.organization)
    quote_decisions.record_acceptance(quote, decision=decision, by=by, now=now())
    sending.send_due(now=now())
    mails = Mail.objects.filter(kind="quote_sent").order_by("pk")
    assert [mail.status for mail in mails] == ["dropped", "sent"]


def test_recorded_decline_names_person_in_mail(quote: Quote) -> None:
    decision = SpokenDecision("Dana W.", today(now(), quote.organization.time_zone), "Too dear.")
    by = personas.owner_actor(quote.organization)
    quote_decisions.record_decline(quote, decision=decision, by=by, now=now())
    for text in texts("quote_declined")[1:]:
        assert "Dana W. said so on" in text
        assert "Too dear." in text


def test_deposit_receipt_mail_names_quote_instead_of_invoice(quote: Quote) -> None:
    payment = personas.record_deposit_check(personas.accept_quote(quote))
    subject, *bodies = texts("receipt")
    assert subject == "Receipt: $300.00 paid to Alder Joinery (quote QUO-0001)"
    for text in bodies:
        for words in (
            "Deposit of quote",
            "QUO-0001",
            "Total of the quote",
            "$700.00",
            links.receipt_url(payment),
        ):
            assert words in text
        assert "Total of the invoice" not in text
        assert "Paid before" not in text


def test_payment_received_mail_of_deposit_names_quote(quote: Quote) -> None:
    personas.record_deposit_check(personas.accept_quote(quote))
    subject, *bodies = texts("payment_received")
    assert subject == "Dana Whitfield paid $300.00 (quote QUO-0001)"
    for text in bodies:
        assert "the deposit of quote" in text
        assert f"/o/alder/quotes/{quote.pk}/" in text


def test_mail_of_declined_quote_is_dropped(quote: Quote) -> None:
    quotes.decline(quote, reason="", by=events.customer_actor(quote.customer), now=now())
    sending.send_due(now=now())
    states = dict(Mail.objects.values_list("kind", "status"))
    assert states == {"quote_sent": "dropped", "quote_declined": "sent"}


def test_mail_of_quote_past_valid_until_is_dropped(quote: Quote) -> None:
    sending.send_due(now=now() + timedelta(days=365))  # as after a long failure of the mail server
    assert Mail.objects.get(kind="quote_sent").status == "dropped"


def test_deposit_receipt_amounts(quote: Quote) -> None:
    row = receipt(personas.record_deposit_check(personas.accept_quote(quote)))
    assert (row.applied, row.total, row.left) == tuple(
        Money(minor, "USD") for minor in (30_000, 100_000, 70_000)
    )
    assert (row.surplus, row.method) == (None, "Check")


def test_unaccepted_deposit_payment_is_all_surplus(quote: Quote) -> None:
    payment = personas.record_deposit_check(personas.accept_quote(quote))
    event = payment.events.get(type="payment.recorded")
    del event.data["deposit_minor"]
    event.save()
    assert (receipt(payment).applied.amount_minor, receipt(payment).surplus) == (0, Money(30_000, "USD"))
    for text in texts("receipt")[1:]:
        assert "$300.00 could not be taken as the deposit of this quote." in text
        assert "will be applied to your invoice" not in text


@pytest.mark.parametrize("kind", ["quote_sent", "quote_accepted", "receipt", "payment_received"])
def test_quote_mails_load_no_remote_content_and_store_no_link(quote: Quote, kind: str) -> None:
    personas.record_deposit_check(personas.accept_quote(quote))
    _, _, html = texts(kind)
    for loader in ("<img", "<link", "<script", "url(", "src="):
        assert loader not in html
    token = links.quote_url(quote).split("/")[-2]
    assert token.partition("-")[2] not in str(Mail.objects.values())
