"""Tests of decisions that a customer gave to a member, and of withdrawing quotes."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from partway.billing.documents import deposits, invoices, quote_decisions, quotes
from partway.billing.documents.quote_decisions import SpokenDecision
from partway.billing.errors import (
    BillingError,
    Conflict,
    Invalid,
    NotPayable,
    PaymentInProgress,
    Stale,
    TooLate,
)
from partway.billing.events import Actor
from partway.billing.models import Customer, Event, Mail, Quote
from partway.billing.payments.refresh import refresh_payment
from partway.billing.receivables import credit
from partway.delivery.mail import kinds as mail_kinds
from partway.lib.clock import now as present
from partway.lib.clock import today
from tests.support import personas
from tests.support.gateway_driver import GatewayDriver


@pytest.fixture
def quote(dana: Customer) -> Quote:
    """A quote over $1,000.00 with a deposit of $300.00, in Sent status."""
    return personas.sent_quote(dana)


@pytest.fixture
def accepted(quote: Quote) -> Quote:
    return personas.accept_quote(quote)


def this_day(quote: Quote) -> date:
    return today(present(), quote.organization.time_zone)


def record_acceptance(quote: Quote, by: Actor, *, days: int = 0, **changes: Any) -> Quote:
    typed = {"name": " Dana W. ", "decided_on": this_day(quote), "note": "By phone.", **changes}
    at = present() + timedelta(days=days)
    return quote_decisions.record_acceptance(quote, decision=SpokenDecision(**typed), by=by, now=at)


def record_decline(quote: Quote, by: Actor, **changes: Any) -> Quote:
    typed = {"name": "Dana W.", "decided_on": this_day(quote), "note": "Too dear.", **changes}
    return quote_decisions.record_decline(quote, decision=SpokenDecision(**typed), by=by, now=present())


def withdraw(quote: Quote, by: Actor, expected_status: str | None = None) -> Quote:
    return quote_decisions.withdraw(quote, expected_status=expected_status, by=by, now=present())


def kinds(quote: Quote) -> list[str]:
    return list(quote.mails.order_by("created_at", "pk").values_list("kind", flat=True))


# A yes or no that was spoken


def test_recorded_acceptance_names_person_day_and_member(quote: Quote, alice: Actor) -> None:
    record_acceptance(quote, alice)
    stored = Quote.objects.get()
    assert (stored.status, stored.accepted_by, stored.accepted_on) == ("accepted", "Dana W.", this_day(quote))
    assert (stored.acceptance_recorded_by, stored.acceptance_note) == (alice.label, "By phone.")
    assert stored.accepted_ip is None
    event = Event.objects.get(type="quote.accepted")
    assert (event.actor_kind, event.data["name"]) == ("member", "Dana W.")


def test_recorded_acceptance_mails_organization_and_customer(quote: Quote, alice: Actor) -> None:
    record_acceptance(quote, alice)
    assert sorted(kinds(quote)) == ["quote_accepted", "quote_sent", "quote_sent"]
    assert Mail.objects.filter(kind="quote_sent").latest("pk").to == [quote.customer.email]


def test_deposit_is_due_after_recorded_acceptance(
    gateway_driver: GatewayDriver, quote: Quote, alice: Actor
) -> None:
    assert gateway_driver.start_and_pay(record_acceptance(quote, alice)).status == "succeeded"


def test_recorded_decline_keeps_person_and_reason(quote: Quote, alice: Actor) -> None:
    assert record_decline(quote, alice).status == "declined"
    event = Event.objects.get(type="quote.declined")
    assert (event.actor_kind, event.data["name"], event.data["reason"]) == ("member", "Dana W.", "Too dear.")
    assert kinds(quote) == ["quote_sent", "quote_declined"]


@pytest.mark.parametrize("record", [record_acceptance, record_decline])
@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": "  "}, "name"),
        ({"name": "x" * 121}, "name"),
        ({"note": "x" * 401}, "note"),
        ({"decided_on": date(2020, 1, 1)}, "decided_on"),
        ({"decided_on": date(2100, 1, 1)}, "decided_on"),
    ],
)
def test_recorded_decision_with_invalid_field_is_refused_by_field(
    quote: Quote, alice: Actor, record: Any, changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid) as refusal:
        record(quote, alice, **changes)
    assert list(refusal.value.fields) == [field]
    assert Quote.objects.get().status == "sent"


@pytest.mark.parametrize("record", [record_acceptance, record_decline])
def test_decision_of_draft_or_decided_quote_cannot_be_recorded(
    dana: Customer, accepted: Quote, alice: Actor, record: Any
) -> None:
    with pytest.raises(Conflict):
        record(personas.draft_quote(dana), alice)
    with pytest.raises(TooLate) as refusal:
        record(accepted, alice)
    assert refusal.value.reason == "quote_accepted"


def test_acceptance_past_valid_until_cannot_be_recorded(quote: Quote, alice: Actor) -> None:
    with pytest.raises(TooLate) as refusal:
        record_acceptance(quote, alice, days=15)
    assert refusal.value.reason == "quote_past_valid_until"


# Withdrawing


def test_withdrawn_quote_can_be_neither_accepted_nor_declined(quote: Quote, alice: Actor) -> None:
    assert withdraw(quote, alice).status == "withdrawn"
    for response in (personas.accept_quote, lambda offered: record_decline(offered, alice)):
        with pytest.raises(TooLate):
            response(quote)
    assert Event.objects.get(type="quote.withdrawn").actor_kind == "member"


def test_quote_is_withdrawn_once(quote: Quote, alice: Actor) -> None:
    withdraw(quote, alice)
    assert withdraw(quote, alice).status == "withdrawn"
    assert Event.objects.filter(type="quote.withdrawn").count() == 1


def test_queued_mail_of_withdrawn_quote_is_dropped(quote: Quote, alice: Actor) -> None:
    assert mail_kinds.is_valid(Mail.objects.get(), now=present())
    withdraw(quote, alice)
    assert not mail_kinds.is_valid(Mail.objects.get(), now=present())
    with pytest.raises(TooLate):
        quotes.resend(quote, by=alice, now=present())


def test_withdrawing_accepted_quote_closes_open_deposit_checkout(
    gateway_driver: GatewayDriver, accepted: Quote, alice: Actor
) -> None:
    payment = gateway_driver.start(accepted)
    withdrawn = withdraw(accepted, alice)
    payment.refresh_from_db()
    assert (payment.status, gateway_driver.pay(payment).status_code) == ("canceled", 410)
    with pytest.raises(NotPayable) as refusal:
        gateway_driver.start(withdrawn)
    assert refusal.value.reason == "withdrawn"
    assert withdrawn.accepted_by  # the evidence stays


def test_quote_with_processing_deposit_cannot_be_withdrawn(
    gateway_driver: GatewayDriver, accepted: Quote, alice: Actor
) -> None:
    payment = gateway_driver.start_and_pay(accepted, "debit")
    with pytest.raises(PaymentInProgress):
        withdraw(accepted, alice)
    gateway_driver.settle_bank_debit(payment, "failed")
    refresh_payment(payment, now=present())
    assert withdraw(accepted, alice).status == "withdrawn"


def test_quote_with_paid_deposit_can_be_withdrawn_after_refusal_was_followed(
    accepted: Quote, alice: Actor
) -> None:
    deposit = personas.record_deposit_check(accepted)
    with pytest.raises(TooLate) as refusal:
        withdraw(accepted, alice)
    assert refusal.value.reason == "withdraw_paid_deposit"
    invoice = invoices.send(quotes.create_invoice(accepted, by=alice, now=present()), by=alice, now=present())
    with pytest.raises(TooLate):
        withdraw(accepted, alice)
    credit.deallocate(invoice, deposit, by=alice, now=present())
    invoices.void(invoice, by=alice, now=present())
    assert withdraw(accepted, alice).status == "withdrawn"
    assert credit.balances(accepted.customer) == [accepted.deposit]


def test_withdrawing_refuses_state_that_page_did_not_show(quote: Quote, alice: Actor) -> None:
    personas.accept_quote(quote)
    with pytest.raises(Stale):
        withdraw(quote, alice, expected_status="sent")
    assert withdraw(quote, alice, expected_status="accepted").status == "withdrawn"


def test_draft_or_ended_quote_cannot_be_withdrawn(dana: Customer, quote: Quote, alice: Actor) -> None:
    with pytest.raises(Conflict):
        withdraw(personas.draft_quote(dana), alice)
    record_decline(quote, alice)
    with pytest.raises(TooLate) as refusal:
        withdraw(quote, alice)
    assert refusal.value.reason == "withdraw_declined_quote"


def test_deposit_of_withdrawn_quote_cannot_be_recorded(accepted: Quote, alice: Actor) -> None:
    withdraw(accepted, alice)
    assert deposits.unavailable_reason(Quote.objects.get(pk=accepted.pk))
    with pytest.raises(BillingError):
        personas.record_deposit_check(accepted)
