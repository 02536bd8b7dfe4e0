"""Intents: captured once and never above what was authorized, canceled while that is possible, lapsed by time."""

from __future__ import annotations

from typing import Any

import pytest
import stripe

from tests.gateways.stripe_server.client import StandInAccount
from tests.gateways.stripe_server.conftest import pay

DAY = 86_400


@pytest.mark.parametrize(("amount", "code"), [(12_501, "amount_too_large"), (0, "parameter_invalid_integer")])
def test_capture_of_nothing_or_above_the_authorization_is_refused(
    sdk: stripe.StripeClient, account: StandInAccount, amount: int, code: str
) -> None:
    intent = pay(sdk, account)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        sdk.v1.payment_intents.capture(intent.id, {"amount_to_capture": amount})
    assert refused.value.code == code


def test_partial_capture_releases_the_rest(sdk: stripe.StripeClient, account: StandInAccount) -> None:
    params = {"amount_to_capture": 5_000, "expand": ["latest_charge"]}
    captured = sdk.v1.payment_intents.capture(pay(sdk, account).id, params)  # type: ignore[arg-type]
    charge = captured.latest_charge
    assert isinstance(charge, stripe.Charge)
    assert (captured.amount_received, captured.amount_capturable) == (5_000, 0)
    assert (charge.amount, charge.amount_captured) == (12_500, 5_000)
    assert released(sdk, captured) == [(7_500, None, None)]
    refund = sdk.v1.refunds.create({"payment_intent": captured.id})
    assert refund.amount == 5_000


@pytest.mark.parametrize("act", ["capture", "cancel"])
def test_succeeded_intent_is_in_the_error_of_what_came_too_late(
    sdk: stripe.StripeClient, account: StandInAccount, act: str
) -> None:
    intent = pay(sdk, account)
    sdk.v1.payment_intents.capture(intent.id)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        getattr(sdk.v1.payment_intents, act)(intent.id)
    assert (refused.value.http_status, refused.value.code) == (400, "payment_intent_unexpected_state")
    assert refused.value.error.payment_intent.status == "succeeded"


def released(
    sdk: stripe.StripeClient, intent: stripe.PaymentIntent
) -> list[tuple[int, str | None, object | None]]:
    refunds = sdk.v1.refunds.list({"payment_intent": intent.id}).data
    return [(refund.amount, refund.reason, refund.balance_transaction) for refund in refunds]


def test_canceled_intent_shows_a_refund_that_moves_no_money(
    sdk: stripe.StripeClient, account: StandInAccount
) -> None:
    intent = pay(sdk, account)
    params = {"cancellation_reason": "abandoned", "expand": ["latest_charge"]}
    canceled = sdk.v1.payment_intents.cancel(intent.id, params)  # type: ignore[arg-type]
    assert (canceled.status, canceled.cancellation_reason) == ("canceled", "abandoned")
    charge = canceled.latest_charge
    assert isinstance(charge, stripe.Charge)
    assert (charge.refunded, charge.captured, charge.balance_transaction) == (True, False, None)
    assert released(sdk, intent) == [(12_500, None, None)]


def test_intent_of_an_open_session_cannot_be_canceled(
    sdk: stripe.StripeClient, account: StandInAccount
) -> None:
    intent = pay(sdk, account, "4000000000000002")
    with pytest.raises(stripe.InvalidRequestError, match="Expire the Checkout Session instead"):
        sdk.v1.payment_intents.cancel(intent.id)


def test_authorization_lapses_at_capture_before(sdk: stripe.StripeClient, account: StandInAccount) -> None:
    intent = pay(sdk, account)
    charge = intent.latest_charge
    assert isinstance(charge, stripe.Charge)
    before = charge.payment_method_details.card.capture_before  # type: ignore[union-attr]
    assert before == charge.created + 7 * DAY
    account.control("shift_clock", seconds=7 * DAY)
    lapsed = sdk.v1.payment_intents.retrieve(intent.id)
    assert (lapsed.status, lapsed.cancellation_reason) == ("canceled", "automatic")
    assert released(sdk, intent) == [(12_500, "expired_uncaptured_charge", None)]
    kinds = [event.type for event in sdk.v1.events.list({"limit": 3}).data]
    assert kinds == ["payment_intent.canceled", "charge.expired", "refund.created"]


@pytest.mark.parametrize(
    ("number", "decision", "status"),
    [
        ("4000002500003155", "confirm", "requires_capture"),
        ("4000002500003155", "decline", "requires_payment_method"),
        ("4000008400001629", "confirm", "requires_payment_method"),
    ],
)
def test_authentication_of_a_card_is_the_customers(
    sdk: stripe.StripeClient, account: StandInAccount, number: str, decision: str, status: str
) -> None:
    intent = pay(sdk, account, number)
    assert (intent.status, intent.latest_charge) == ("requires_action", None)
    [session] = sdk.v1.checkout.sessions.list({"payment_intent": intent.id}).data
    assert session.status == "open"
    account.authenticate(session.url or "", decision)
    assert sdk.v1.payment_intents.retrieve(intent.id).status == status


def test_failed_authentication_has_a_code_of_its_own(
    sdk: stripe.StripeClient, account: StandInAccount
) -> None:
    intent = pay(sdk, account, "4000000000003220")
    [session] = sdk.v1.checkout.sessions.list().data
    account.authenticate(session.url or "", "decline")
    error = sdk.v1.payment_intents.retrieve(intent.id).last_payment_error
    assert error is not None
    assert error.code == "payment_intent_authentication_failure"


@pytest.mark.parametrize(
    ("method", "number", "currency", "failure"),
    [
        ("us_bank_account", "000123456789", "usd", None),
        ("us_bank_account", "000111111116", "usd", "no_account"),
        ("us_bank_account", "000222222227", "usd", "insufficient_funds"),
        ("us_bank_account", "000777777771", "usd", "charge_exceeds_source_limit"),
        ("sepa_debit", "DE89370400440532013000", "eur", None),
        ("sepa_debit", "DE62370400440532013001", "eur", "payment_intent_payment_attempt_failed"),
    ],
)
def test_bank_debit_is_processing_for_days(
    sdk: stripe.StripeClient,
    account: StandInAccount,
    method: str,
    number: str,
    currency: str,
    failure: str | None,
) -> None:
    intent = pay(sdk, account, currency=currency, method=method, account=number)
    assert intent.status == "processing"
    assert intent.latest_charge.balance_transaction is None  # type: ignore[union-attr]
    [session] = sdk.v1.checkout.sessions.list().data
    assert (session.status, session.payment_status) == ("complete", "unpaid")
    account.control("shift_clock", seconds=7 * DAY)
    [session] = sdk.v1.checkout.sessions.list({"expand": ["data.payment_intent.latest_charge"]}).data
    charge = session.payment_intent.latest_charge  # type: ignore[union-attr]
    assert charge.failure_code == failure  # type: ignore[union-attr]
    assert (charge.balance_transaction is None) == bool(failure)  # type: ignore[union-attr]
    assert session.payment_status == ("unpaid" if failure else "paid")
    assert session.payment_intent.status == ("requires_payment_method" if failure else "succeeded")  # type: ignore[union-attr]
    end = "failed" if failure else "succeeded"
    assert sdk.v1.events.list().data[0].type == f"checkout.session.async_payment_{end}"


def test_processing_debit_cannot_be_canceled(sdk: stripe.StripeClient, account: StandInAccount) -> None:
    intent = pay(sdk, account, method="us_bank_account", account="000123456789")
    with pytest.raises(stripe.InvalidRequestError) as refused:
        sdk.v1.payment_intents.cancel(intent.id)
    assert refused.value.error.payment_intent.status == "processing"


def create(
    sdk: stripe.StripeClient, method: str | None = "pm_card_visa", **changes: object
) -> stripe.PaymentIntent:
    params: Any = {
        "amount": 500,
        "currency": "usd",
        "capture_method": "manual",
        "payment_method": method,
        "confirm": True,
        "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
        **changes,
    }
    return sdk.v1.payment_intents.create(params)


def test_test_payment_method_pays_without_a_page(sdk: stripe.StripeClient) -> None:
    intent = create(sdk)
    assert intent.status == "requires_capture"
    assert sdk.v1.payment_intents.capture(intent.id).amount_received == 500
    later = create(sdk, confirm=False)
    assert later.status == "requires_confirmation"
    assert sdk.v1.payment_intents.confirm(later.id).status == "requires_capture"


def test_declined_confirmation_is_a_card_error_with_the_intent(sdk: stripe.StripeClient) -> None:
    with pytest.raises(stripe.CardError) as declined:
        create(sdk, "pm_card_visa_chargeDeclinedInsufficientFunds")
    error = declined.value.error
    assert (declined.value.http_status, error.code, error.decline_code) == (
        *(402, "card_declined", "insufficient_funds"),
    )
    assert error.payment_intent.status == "requires_payment_method"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"automatic_payment_methods": {"enabled": True}}, "you must provide a `return_url`"),
        ({"payment_method": "pm_1"}, "No such PaymentMethod"),
        ({"payment_method": None}, "missing a payment method"),
        ({"amount": 49}, "must convert to at least"),
    ],
)
def test_confirmation_that_cannot_be_is_refused(
    sdk: stripe.StripeClient, changes: dict[str, object], message: str
) -> None:
    with pytest.raises(stripe.InvalidRequestError, match=message):
        create(sdk, **changes)
