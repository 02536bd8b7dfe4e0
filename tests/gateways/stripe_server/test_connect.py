"""Connect: a platform onboards accounts, charges on them, and takes a fee, which stays apart from their books."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import stripe

from tests.gateways.stripe_server.client import StandInAccount
from tests.gateways.stripe_server.conftest import session_params
from tests.gateways.stripe_server.sdk_types import differences_from_sdk
from tests.support.sandbox_server import CallbackReceiver, wait_until


@pytest.fixture
def connected(sdk: stripe.StripeClient, account: StandInAccount) -> str:
    """The id of an account that is connected to `account`, and onboarded."""
    ref = sdk.v1.accounts.create({"country": "US"}).id
    account.control("onboard", connected=ref)
    return ref


@pytest.fixture
def receiver() -> Iterator[CallbackReceiver]:
    with CallbackReceiver() as receiver:
        yield receiver


def pay(sdk: stripe.StripeClient, account: StandInAccount, connected: str) -> stripe.Charge:
    """Pays 125.00 on a connected account, of which the platform takes 5.00."""
    options: Any = {"stripe_account": connected}
    params = session_params(
        payment_intent_data={"application_fee_amount": 500, "capture_method": "automatic"},
        payment_method_options={},
    )
    session = sdk.v1.checkout.sessions.create(params, options)
    account.pay(session.url or "")
    return sdk.v1.charges.list({"expand": ["data.balance_transaction"]}, options).data[0]


def test_account_can_charge_after_its_owner_was_onboarded(
    sdk: stripe.StripeClient, account: StandInAccount
) -> None:
    made = sdk.v1.accounts.create({"country": "DE", "email": "owner@acme.example"})
    assert (made.charges_enabled, made.requirements.disabled_reason) == (False, "requirements.past_due")  # type: ignore[union-attr]
    params: Any = {
        "account": made.id,
        "type": "account_onboarding",
        "return_url": "http://partway.test/return",
        "refresh_url": "http://partway.test/refresh",
    }
    link = sdk.v1.account_links.create(params)
    client = account.stand_in.client
    assert client.get(link.url).status_code == 200
    assert client.post(link.url).headers["location"] == "http://partway.test/return"
    assert client.get(link.url).headers["location"] == "http://partway.test/refresh"
    onboarded = sdk.v1.accounts.retrieve(made.id)
    assert (onboarded.charges_enabled, onboarded.requirements.currently_due) == (True, [])  # type: ignore[union-attr]
    assert [row.id for row in sdk.v1.accounts.list().data] == [made.id]
    assert list(differences_from_sdk(stripe.Account, onboarded.to_dict(), "account")) == []


def test_application_fee_is_booked_with_the_platform(
    sdk: stripe.StripeClient, account: StandInAccount, connected: str
) -> None:
    charge = pay(sdk, account, connected)
    transaction = charge.balance_transaction
    assert isinstance(transaction, stripe.BalanceTransaction)
    assert {detail.type: detail.amount for detail in transaction.fee_details} == {
        "application_fee": 500,
        "stripe_fee": 200,
    }
    assert (transaction.fee, transaction.net) == (700, 11_800)
    [fee] = sdk.v1.application_fees.list().data
    assert (fee.account, fee.amount, fee.charge) == (connected, 500, charge.id)
    assert list(differences_from_sdk(stripe.ApplicationFee, fee.to_dict(), "fee")) == []
    assert sdk.v1.balance.retrieve().pending[0].amount == 500


def test_refund_returns_the_application_fee_only_when_it_is_asked_to(
    sdk: stripe.StripeClient, account: StandInAccount, connected: str
) -> None:
    charge = pay(sdk, account, connected)
    for asked, returned in ((False, 0), (True, 250)):  # the half of the charge, and so of the fee
        params: Any = {"charge": charge.id, "amount": 6_250, "refund_application_fee": asked}
        sdk.v1.refunds.create(params, {"stripe_account": connected})
        assert sdk.v1.application_fees.list().data[0].amount_refunded == returned


def test_platform_sees_the_account_only_by_its_header(
    sdk: stripe.StripeClient, account: StandInAccount, connected: str
) -> None:
    pay(sdk, account, connected)
    assert sdk.v1.charges.list().data == []
    stranger = account.stand_in.open_account()
    with pytest.raises(stripe.PermissionError) as refused:
        sdk.v1.charges.list({}, {"stripe_account": stranger.id})
    assert refused.value.error.code == "account_invalid"


def test_connect_endpoint_tells_accounts_apart(
    sdk: stripe.StripeClient, account: StandInAccount, connected: str, receiver: CallbackReceiver
) -> None:
    params: Any = {"url": receiver.url, "enabled_events": ["charge.succeeded"], "connect": True}
    endpoint = sdk.v1.webhook_endpoints.create(params)
    pay(sdk, account, connected)
    wait_until(lambda: receiver.received)
    [received] = receiver.received
    event = sdk.construct_event(received.body, received.headers["Stripe-Signature"], endpoint.secret or "")
    assert event.account == connected


def test_application_fee_without_a_platform_is_refused(sdk: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="Can only apply an application_fee_amount"):
        sdk.v1.checkout.sessions.create(session_params(payment_intent_data={"application_fee_amount": 5}))


def test_application_fee_above_the_amount_is_refused(sdk: stripe.StripeClient, connected: str) -> None:
    params = session_params(payment_intent_data={"application_fee_amount": 12_501})
    with pytest.raises(stripe.InvalidRequestError, match="at most the amount"):
        sdk.v1.checkout.sessions.create(params, {"stripe_account": connected})


def test_platform_may_not_act_for_an_account_that_left(
    sdk: stripe.StripeClient, account: StandInAccount, connected: str
) -> None:
    account.control("deauthorize", connected=connected)
    with pytest.raises(stripe.PermissionError):
        sdk.v1.charges.list({}, {"stripe_account": connected})
