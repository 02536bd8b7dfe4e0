"""The stand-in takes a payment as Stripe does: a session, an intent, a charge, a balance transaction."""

from __future__ import annotations

import pytest
import stripe

from tests.gateways.stripe_server.client import StandInAccount
from tests.gateways.stripe_server.conftest import session_params


def paid_session(sdk: stripe.StripeClient, account: StandInAccount, **form: str) -> stripe.checkout.Session:
    """Returns a session after its page was submitted, with its intent and charge."""
    session = sdk.v1.checkout.sessions.create(session_params())
    account.pay(session.url or "", **form)
    return sdk.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent.latest_charge"]})


def test_session_has_no_intent_until_the_customer_submits(
    sdk: stripe.StripeClient, account: StandInAccount
) -> None:
    session = sdk.v1.checkout.sessions.create(session_params())
    assert session.payment_intent is None
    response = account.pay(session.url or "")
    assert response.headers["location"] == f"http://merchant.test/paid?session={session.id}"
    assert sdk.v1.checkout.sessions.retrieve(session.id).payment_intent is not None


def test_completed_session_with_manual_capture_stays_unpaid(
    sdk: stripe.StripeClient, account: StandInAccount
) -> None:
    session = paid_session(sdk, account)
    assert (session.status, session.payment_status) == ("complete", "unpaid")
    assert session.payment_intent.status == "requires_capture"  # type: ignore[union-attr]
    sdk.v1.payment_intents.capture(session.payment_intent.id)  # type: ignore[union-attr]
    assert sdk.v1.checkout.sessions.retrieve(session.id).payment_status == "unpaid"


def test_balance_transaction_with_the_fee_comes_with_the_capture(
    sdk: stripe.StripeClient, account: StandInAccount
) -> None:
    intent = paid_session(sdk, account).payment_intent
    assert isinstance(intent, stripe.PaymentIntent)
    assert intent.latest_charge.balance_transaction is None  # type: ignore[union-attr]
    captured = sdk.v1.payment_intents.capture(intent.id, {"expand": ["latest_charge.balance_transaction"]})
    transaction = captured.latest_charge.balance_transaction  # type: ignore[union-attr]
    assert (transaction.amount, transaction.fee, transaction.net) == (12_500, 200, 12_300)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("number", "code", "decline_code"),
    [
        ("4000000000000002", "card_declined", "generic_decline"),
        ("4000000000009995", "card_declined", "insufficient_funds"),
        ("4000000000000069", "expired_card", None),
        ("4111111111111111", "card_declined", "test_mode_live_card"),
        ("4242424242424241", "incorrect_number", None),
    ],
)
def test_decline_leaves_the_session_open_with_the_reason_on_the_intent(
    sdk: stripe.StripeClient, account: StandInAccount, number: str, code: str, decline_code: str | None
) -> None:
    session = paid_session(sdk, account, number=number)
    assert session.status == "open"
    error = session.payment_intent.last_payment_error  # type: ignore[union-attr]
    assert (error.code, getattr(error, "decline_code", None)) == (code, decline_code)  # type: ignore[union-attr]
