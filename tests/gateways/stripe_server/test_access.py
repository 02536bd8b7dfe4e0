"""Keys, permissions, modes and versions: who may ask for what."""

from __future__ import annotations

import httpx
import pytest
import stripe

from tests.gateways.stripe_server.client import StandIn, StandInAccount
from tests.gateways.stripe_server.conftest import open_sdk, session_params


def test_wrong_key_is_unauthenticated_and_quoted_without_its_middle(account: StandInAccount) -> None:
    with pytest.raises(stripe.AuthenticationError) as refused:
        open_sdk(account, "sk_test_nobodyknowsthis").v1.accounts.retrieve_current()
    assert refused.value.http_status == 401
    assert "nobodyknows" not in str(refused.value)


def test_request_without_key_is_unauthenticated(stand_in: StandIn) -> None:
    assert httpx.get(f"{stand_in.url}/v1/account", trust_env=False).status_code == 401


def test_revoked_key_is_unauthenticated(sdk: stripe.StripeClient, account: StandInAccount) -> None:
    account.control("revoke_key", secret=account.test_key)
    with pytest.raises(stripe.AuthenticationError):
        sdk.v1.accounts.retrieve_current()


def test_restricted_key_without_permission_is_told_which_one(account: StandInAccount) -> None:
    key = account.control("issue_key", permissions=["checkout_session_write"])["key"]
    restricted = open_sdk(account, key)
    session = restricted.v1.checkout.sessions.create(session_params())
    assert restricted.v1.checkout.sessions.retrieve(session.id).id == session.id
    with pytest.raises(stripe.PermissionError) as refused:
        restricted.v1.refunds.create({"payment_intent": "pi_1"})
    assert refused.value.http_status == 403
    assert "'rak_charge_write'" in str(refused.value)


def test_restricted_key_may_not_see_by_expansion_what_it_may_not_read(account: StandInAccount) -> None:
    key = account.control("issue_key", permissions=["checkout_session_write"])["key"]
    restricted = open_sdk(account, key)
    session = restricted.v1.checkout.sessions.create(session_params())
    account.pay(session.url or "")
    with pytest.raises(stripe.PermissionError) as refused:
        restricted.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent"]})
    assert "'rak_payment_intent_read'" in str(refused.value)


def test_test_mode_sees_nothing_of_live_mode(sdk: stripe.StripeClient, account: StandInAccount) -> None:
    live = open_sdk(account, account.live_key).v1.checkout.sessions.create(session_params())
    assert (live.livemode, live.id[:8]) == (True, "cs_live_")
    with pytest.raises(stripe.InvalidRequestError) as refused:
        sdk.v1.checkout.sessions.retrieve(live.id)
    assert (refused.value.http_status, refused.value.code) == (404, "resource_missing")
    assert "a similar object exists in live mode, but a test mode key was used" in str(refused.value)


def test_account_sees_nothing_of_another(sdk: stripe.StripeClient, stand_in: StandIn) -> None:
    session = sdk.v1.checkout.sessions.create(session_params())
    other = stand_in.open_account()
    with pytest.raises(stripe.InvalidRequestError) as refused:
        open_sdk(other, other.test_key).v1.checkout.sessions.retrieve(session.id)
    assert refused.value.code == "resource_missing"


def test_unknown_version_of_the_api_is_refused(sdk: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="Invalid Stripe API version"):
        sdk.v1.accounts.retrieve_current({}, {"stripe_version": "2031-01-01"})


def test_rate_limit_says_that_a_repeat_is_fine(sdk: stripe.StripeClient, account: StandInAccount) -> None:
    account.inject("rate_limited", on="*.list")
    with pytest.raises(stripe.RateLimitError) as limited:
        sdk.v1.charges.list()
    assert (limited.value.http_status, limited.value.error.code) == (429, "rate_limit")
    assert limited.value.headers["Stripe-Should-Retry"] == "true"
    sdk.v1.charges.list()


def test_unknown_path_is_not_found(sdk: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="Unrecognized request URL") as refused:
        sdk.v1.customers.list()
    assert refused.value.http_status == 404
