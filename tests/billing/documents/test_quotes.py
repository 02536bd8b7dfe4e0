"""Tests of creating, sending, accepting, declining and expiring quotes, with every refusal."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from partway.accounts.models import Organization
from partway.billing import events
from partway.billing.documents import quote_terms, quotes
from partway.billing.documents.drafts import LineDraft
from partway.billing.documents.quotes import AcceptanceEvidence, QuoteDraft
from partway.billing.errors import Conflict, DepositNotDivisible, Invalid, Stale, TooLate
from partway.billing.events import Actor
from partway.billing.models import Customer, Event, Mail, Quote, QuoteTerms
from partway.billing.reconciliation import due_work
from partway.billing.requests import payment_requests
from partway.delivery.mail import kinds as mail_kinds
from partway.lib.clock import now as present
from partway.lib.clock import today
from partway.lib.money import Money
from tests.support import personas


@pytest.fixture
def quote_draft(dana: Customer) -> QuoteDraft:
    """A staircase for $1,000.00, with a deposit of 30 %."""
    day = today(present(), dana.organization.time_zone) + timedelta(days=14)
    lines = (LineDraft("Oak staircase", Decimal(1), 100_000, Decimal(0)),)
    return QuoteDraft(
        customer=dana,
        currency="USD",
        valid_until=day,
        lines=lines,
        deposit_kind="percent",
        deposit_percent=Decimal(30),
    )


@pytest.fixture
def draft(dana: Customer) -> Quote:
    return personas.draft_quote(dana)


@pytest.fixture
def quote(dana: Customer) -> Quote:
    return personas.sent_quote(dana)


def write(quote_draft: QuoteDraft, by: Actor, **changes: Any) -> Quote:
    return quotes.create(
        quote_draft.customer.organization, draft=replace(quote_draft, **changes), by=by, now=present()
    )


def accept(quote: Quote, name: str = "Dana W.", days: int = 0) -> Quote:
    by = events.customer_actor(quote.customer)
    evidence = AcceptanceEvidence(name, "192.0.2.7")
    return quotes.accept(quote, evidence=evidence, by=by, now=present() + timedelta(days=days))


def decline(quote: Quote, reason: str = "", days: int = 0) -> Quote:
    by = events.customer_actor(quote.customer)
    return quotes.decline(quote, reason=reason, by=by, now=present() + timedelta(days=days))


def kinds(quote: Quote) -> list[str]:
    return list(Mail.objects.filter(quote=quote).order_by("pk").values_list("kind", flat=True))


# Creating and editing


def test_draft_quote_has_deposit_and_no_number(quote_draft: QuoteDraft, alice: Actor) -> None:
    draft = write(quote_draft, alice)
    assert (draft.status, draft.number, draft.deposit) == ("draft", None, Money(30_000, "USD"))
    assert draft.events.get().type == "quote.created"


@pytest.mark.parametrize(
    ("total_minor", "percent", "deposit_minor"),
    [
        (1, "50", 1),  # half a cent rounds up
        (5, "10", 1),
        (4, "10", 0),
        (33_333, "33.3333", 11_111),
        (99_999, "12.5", 12_500),
        (100_000, "0.0001", 0),
        (10**13, "99.9999", 9_999_990_000_000),
        (3, "100", 3),
    ],
)
def test_percent_deposit_rounds_half_up(
    quote_draft: QuoteDraft, alice: Actor, total_minor: int, percent: str, deposit_minor: int
) -> None:
    lines = (LineDraft("Oak staircase", Decimal(1), total_minor, Decimal(0)),)
    draft = write(quote_draft, alice, lines=lines, deposit_percent=Decimal(percent))
    assert draft.deposit_minor == deposit_minor <= draft.total_minor


def test_percent_deposit_is_of_total_with_tax_and_discount(quote_draft: QuoteDraft, alice: Actor) -> None:
    lines = (LineDraft("Oak staircase", Decimal(1), 100_000, Decimal("8.25")),)
    draft = write(quote_draft, alice, lines=lines, discount_kind="percent", discount_percent=Decimal(10))
    assert (draft.total_minor, draft.deposit_minor) == (97_425, 29_228)


@pytest.mark.parametrize(("currency", "deposit"), [("JPY", 300), ("KWD", 300)])
def test_deposit_is_in_quote_currency(
    quote_draft: QuoteDraft, alice: Actor, currency: str, deposit: int
) -> None:
    lines = (LineDraft("Oak staircase", Decimal(1), 1_000, Decimal(0)),)
    assert write(quote_draft, alice, currency=currency, lines=lines).deposit == Money(deposit, currency)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"deposit_percent": Decimal(0)}, "deposit_percent"),
        ({"deposit_percent": Decimal("100.0001")}, "deposit_percent"),
        ({"deposit_percent": Decimal("1.00001")}, "deposit_percent"),
        ({"deposit_percent": Decimal("NaN")}, "deposit_percent"),
        ({"deposit_kind": "half"}, "deposit_kind"),
        ({"deposit_kind": "amount", "deposit_amount_minor": 0}, "deposit_amount"),
        ({"deposit_kind": "amount", "deposit_amount_minor": -1}, "deposit_amount"),
        ({"deposit_kind": "amount", "deposit_amount_minor": 100_001}, "deposit_amount"),
        ({"lines": ()}, "lines"),
        ({"currency": "XXX"}, "currency"),
    ],
)
def test_quote_with_invalid_field_is_refused_by_field(
    quote_draft: QuoteDraft, alice: Actor, changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid) as refusal:
        write(quote_draft, alice, **changes)
    assert list(refusal.value.fields) == [field]
    assert not Quote.objects.exists()


def test_quote_edit_recomputes_deposit(quote_draft: QuoteDraft, draft: Quote, alice: Actor) -> None:
    lines = (LineDraft("Oak staircase", Decimal(2), 100_000, Decimal(0)),)
    edited = quotes.edit(
        draft, draft=replace(quote_draft, lines=lines), expected_version=1, by=alice, now=present()
    )
    assert (edited.deposit_minor, edited.version) == (60_000, 2)


def test_quote_edit_of_outdated_version_raises_stale(
    quote_draft: QuoteDraft, draft: Quote, alice: Actor
) -> None:
    quotes.edit(draft, draft=quote_draft, expected_version=1, by=alice, now=present())
    with pytest.raises(Stale):
        quotes.edit(draft, draft=quote_draft, expected_version=1, by=alice, now=present())


def test_sent_quote_cannot_be_edited(quote_draft: QuoteDraft, quote: Quote, alice: Actor) -> None:
    with pytest.raises(Conflict):
        quotes.edit(quote, draft=quote_draft, expected_version=1, by=alice, now=present())
    assert Quote.objects.get().deposit_minor == 30_000


# Sending


def test_sending_quote_assigns_number_and_mails_link(draft: Quote, alice: Actor) -> None:
    sent = quotes.send(draft, by=alice, now=present())
    assert (sent.status, sent.number) == ("sent", "QUO-0001")
    assert kinds(sent) == ["quote_sent"]
    assert Mail.objects.get().to == [sent.customer.email]


def test_sent_quote_cannot_be_sent_again(quote: Quote, alice: Actor) -> None:
    with pytest.raises(Conflict):
        quotes.send(quote, by=alice, now=present())


def test_quote_with_zero_total_cannot_be_sent(dana: Customer, alice: Actor) -> None:
    with pytest.raises(Invalid):
        quotes.send(personas.draft_quote(dana, 0), by=alice, now=present())


def test_quote_past_valid_until_cannot_be_sent(dana: Customer, alice: Actor) -> None:
    draft = personas.draft_quote(dana, valid_in=0)
    with pytest.raises(Invalid) as refusal:
        quotes.send(draft, by=alice, now=present() + timedelta(days=1))
    assert list(refusal.value.fields) == ["valid_until"]
    assert quotes.send(draft, by=alice, now=present()).status == "sent"


def test_quote_with_deposit_below_gateway_minimum_cannot_be_sent(dana: Customer, alice: Actor) -> None:
    with pytest.raises(Invalid) as refusal:
        quotes.send(personas.draft_quote(dana, 100), by=alice, now=present())
    assert list(refusal.value.fields) == ["deposit"]


def test_resending_quote_mails_link_again(quote: Quote, alice: Actor) -> None:
    quotes.resend(quote, by=alice, now=present())
    quotes.resend(accept(quote), by=alice, now=present())
    assert kinds(quote) == ["quote_sent", "quote_sent", "quote_accepted", "quote_sent"]


def test_draft_expired_or_declined_quote_cannot_be_resent(quote: Quote, draft: Quote, alice: Actor) -> None:
    with pytest.raises(Conflict):
        quotes.resend(draft, by=alice, now=present())
    with pytest.raises(TooLate):
        quotes.resend(quote, by=alice, now=present() + timedelta(days=20))
    with pytest.raises(TooLate):
        quotes.resend(decline(quote), by=alice, now=present())


def test_queued_mail_of_declined_quote_is_dropped(quote: Quote) -> None:
    mail = Mail.objects.get()
    assert mail_kinds.is_valid(mail, now=present())
    decline(quote)
    assert not mail_kinds.is_valid(Mail.objects.get(pk=mail.pk), now=present())


def test_payment_request_for_quote_is_refused(quote: Quote, alice: Actor) -> None:
    ask = payment_requests.NewPaymentRequest(Money(10_000, "USD"), to=(quote.customer.email,))
    for offered in (quote, accept(quote)):
        with pytest.raises(DepositNotDivisible) as refusal:
            payment_requests.create(offered, new_request=ask, by=alice, now=present())
        assert refusal.value.code == "deposit_not_divisible"


# Accepting and declining


def test_accepting_quote_stores_name_time_and_ip_address(quote: Quote) -> None:
    accepted = accept(quote, "  Dana Whitfield ")
    stored = Quote.objects.get()
    assert (stored.status, stored.accepted_by, stored.accepted_ip) == (
        "accepted",
        "Dana Whitfield",
        "192.0.2.7",
    )
    assert stored.accepted_at is not None
    event = accepted.events.get(type="quote.accepted")
    assert (event.data["name"], event.actor_kind) == ("Dana Whitfield", "customer")
    assert kinds(quote) == ["quote_sent", "quote_accepted"]


@pytest.mark.parametrize("name", ["", "   ", "x" * 121])
def test_accepting_quote_requires_name(quote: Quote, name: str) -> None:
    with pytest.raises(Invalid) as refusal:
        accept(quote, name)
    assert list(refusal.value.fields) == ["name"]
    assert Quote.objects.get().status == "sent"


def test_accepting_quote_twice_is_idempotent(quote: Quote) -> None:
    accept(quote, "First")
    assert accept(quote, "Second").accepted_by == "First"
    assert Event.objects.filter(type="quote.accepted").count() == 1


def test_declining_quote_stores_reason_and_mails_organization(quote: Quote) -> None:
    assert decline(quote, " Too dear. ").status == "declined"
    assert decline(quote).status == "declined"
    assert Event.objects.get(type="quote.declined").data["reason"] == "Too dear."
    assert kinds(quote) == ["quote_sent", "quote_declined"]


def test_quote_cannot_be_both_accepted_and_declined(dana: Customer) -> None:
    with pytest.raises(TooLate):
        decline(accept(personas.sent_quote(dana)))
    with pytest.raises(TooLate):
        accept(decline(personas.sent_quote(dana)))


def test_draft_quote_can_be_neither_accepted_nor_declined(draft: Quote) -> None:
    for response in (accept, decline):
        with pytest.raises(Conflict):
            response(draft)


def test_quote_past_valid_until_can_be_neither_accepted_nor_declined(quote: Quote) -> None:
    assert accept(personas.sent_quote(quote.customer), days=14).status == "accepted"
    for response in (accept, decline):
        with pytest.raises(TooLate):
            response(quote, days=15)


def test_expire_job_expires_unanswered_quotes(quote: Quote, dana: Customer) -> None:
    kept = accept(personas.sent_quote(dana))
    assert due_work.expire_quotes(now=present() + timedelta(days=14)) == 0
    assert due_work.expire_quotes(now=present() + timedelta(days=16)) == 1
    assert due_work.expire_quotes(now=present() + timedelta(days=16)) == 0
    assert [Quote.objects.get(pk=one.pk).status for one in (quote, kept)] == ["expired", "accepted"]


def test_quote_valid_until_follows_organization_time_zone(organization: Organization, dana: Customer) -> None:
    quote = personas.sent_quote(dana, valid_in=0)
    midnight_utc = present().replace(hour=0, minute=0) + timedelta(days=1)
    Organization.objects.update(time_zone="Pacific/Honolulu")
    quote = Quote.objects.select_related("organization").get(pk=quote.pk)
    Quote.objects.update(valid_until=today(midnight_utc, "Pacific/Honolulu"))
    quote.refresh_from_db(fields=["valid_until"])
    assert not quotes.is_past_valid_until(quote, midnight_utc)
    assert not quotes.expire(quote, now=midnight_utc)
    Organization.objects.update(time_zone="Pacific/Kiritimati")
    assert quotes.is_past_valid_until(Quote.objects.select_related("organization").get(), midnight_utc)


def test_quote_opened_event_is_recorded_once(quote: Quote) -> None:
    for _ in range(2):
        quotes.mark_opened(quote, now=present())
    assert Event.objects.filter(type="quote.opened").count() == 1


# The default terms


def terms(**columns: Any) -> QuoteTerms:
    return QuoteTerms(
        **{"prefix": "Q-", "deposit_kind": "percent", "deposit_percent": Decimal(25), **columns}
    )


def test_quote_terms_set_next_number_and_default_deposit(
    organization: Organization, dana: Customer, alice: Actor
) -> None:
    first = personas.sent_quote(dana)
    quote_terms.change(organization, terms=terms(), by=alice, now=present())
    assert (first.number, personas.sent_quote(dana).number) == ("QUO-0001", "Q-0002")
    assert quote_terms.default_deposit(organization, Money(100_000, "USD")) == ("percent", Decimal(25), 0)


def test_quote_terms_never_lower_next_number(
    organization: Organization, dana: Customer, alice: Actor
) -> None:
    personas.sent_quote(dana)
    quote_terms.change(organization, terms=terms(next_number=1), by=alice, now=present())
    assert QuoteTerms.objects.get().next_number == 2


def test_no_default_deposit_below_threshold(organization: Organization, alice: Actor) -> None:
    quote_terms.change(organization, terms=terms(deposit_threshold_minor=50_000), by=alice, now=present())
    kinds = [quote_terms.default_deposit(organization, Money(minor, "USD"))[0] for minor in (49_999, 50_000)]
    assert kinds == ["", "percent"]


def test_default_deposit_amount_is_capped_at_total_and_bound_to_currency(
    organization: Organization, alice: Actor
) -> None:
    usual = terms(deposit_kind="amount", deposit_amount_minor=20_000)
    quote_terms.change(organization, terms=usual, by=alice, now=present())
    totals = (Money(50_000, "USD"), Money(15_000, "USD"), Money(0, "USD"), Money(50_000, "EUR"))
    assert [quote_terms.default_deposit(organization, total)[2] for total in totals] == [20_000, 15_000, 0, 0]


@pytest.mark.parametrize(
    ("columns", "field"),
    [
        ({"deposit_percent": Decimal(0)}, "deposit_percent"),
        ({"deposit_percent": Decimal(101)}, "deposit_percent"),
        ({"deposit_kind": "amount"}, "deposit_amount"),
        ({"deposit_kind": "all"}, "deposit_kind"),
        ({"deposit_threshold_minor": -1}, "deposit_threshold"),
        ({"prefix": "x" * 13}, "prefix"),
        ({"prefix": "Q1"}, "prefix"),
    ],
)
def test_invalid_quote_terms_are_refused_by_field(
    organization: Organization, alice: Actor, columns: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid) as refusal:
        quote_terms.change(organization, terms=terms(**columns), by=alice, now=present())
    assert list(refusal.value.fields) == [field]


def test_quote_terms_event_keeps_previous_values(organization: Organization, alice: Actor) -> None:
    for _ in range(2):
        quote_terms.change(organization, terms=terms(), by=alice, now=present())
    event = Event.objects.get(type="organization.quote_terms_changed")
    assert event.data["before"] == {"prefix": "QUO-", "deposit_kind": "", "deposit_percent": "0"}
