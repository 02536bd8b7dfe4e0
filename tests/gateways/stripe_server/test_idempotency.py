"""Idempotency keys: the first response again, also a 500, for 24 hours and for the same parameters only."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import stripe

from tests.gateways.stripe_server.client import StandInAccount
from tests.gateways.stripe_server.conftest import session_params
from tests.support.sandbox_server import wait_until


def start(sdk: stripe.StripeClient, key: str, amount: int = 12_500) -> stripe.checkout.Session:
    return sdk.v1.checkout.sessions.create(session_params(amount), {"idempotency_key": key})


def test_same_key_gets_the_first_response_again(sdk: stripe.StripeClient) -> None:
    first, again = start(sdk, "k"), start(sdk, "k")
    assert first.to_dict() == again.to_dict()
    headers = again.last_response.headers  # type: ignore[union-attr]
    assert headers["Idempotent-Replayed"] == "true"
    assert headers["Original-Request"] == first.last_response.request_id  # type: ignore[union-attr]
    assert len(sdk.v1.checkout.sessions.list().data) == 1


def test_same_key_with_other_parameters_is_refused(sdk: stripe.StripeClient) -> None:
    start(sdk, "k")
    with pytest.raises(stripe.IdempotencyError) as refused:
        start(sdk, "k", amount=99_900)
    assert refused.value.http_status == 400


def test_replayed_500_stays_a_500_and_what_it_did_stays_done(
    sdk: stripe.StripeClient, account: StandInAccount
) -> None:
    account.inject("error_after_success", on="checkout.sessions.create")
    for _ in range(2):
        with pytest.raises(stripe.APIError):
            start(sdk, "k")
    assert len(sdk.v1.checkout.sessions.list().data) == 1


def test_refusal_is_kept_too(sdk: stripe.StripeClient, account: StandInAccount) -> None:
    account.control("change_account", charges_enabled=False)
    for enabled in (False, True):
        account.control("change_account", charges_enabled=enabled)
        with pytest.raises(stripe.InvalidRequestError):
            start(sdk, "k")


def test_nothing_is_kept_of_a_request_with_invalid_parameters(sdk: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError):
        sdk.v1.checkout.sessions.create(session_params(colour="red"), {"idempotency_key": "k"})
    start(sdk, "k")


@pytest.mark.parametrize("kind", ["rate_limited", "lock_timeout", "bad_gateway"])
def test_nothing_is_kept_of_a_request_that_was_not_executed(
    sdk: stripe.StripeClient, account: StandInAccount, kind: str
) -> None:
    account.inject(kind, on="checkout.sessions.create")
    with pytest.raises(stripe.StripeError):
        start(sdk, "k")
    start(sdk, "k")
    assert len(sdk.v1.checkout.sessions.list().data) == 1


def test_dropped_response_is_found_by_its_key(sdk: stripe.StripeClient, account: StandInAccount) -> None:
    account.inject("dropped", on="checkout.sessions.create")
    with pytest.raises(stripe.APIConnectionError):
        start(sdk, "k")
    assert [start(sdk, "k").id] == [row.id for row in sdk.v1.checkout.sessions.list().data]


def test_two_requests_with_one_key_at_once_are_a_conflict(
    sdk: stripe.StripeClient, account: StandInAccount
) -> None:
    account.inject("slow", on="checkout.sessions.create", delay=0.3)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(start, sdk, "k")
        wait_until(lambda: account.control("keys_in_use"))
        with pytest.raises(stripe.APIError) as conflict:
            start(sdk, "k")
    assert (conflict.value.http_status, conflict.value.error.code) == (409, "idempotency_key_in_use")
    assert first.result().id == start(sdk, "k").id


def test_key_is_forgotten_after_24_hours(sdk: stripe.StripeClient, account: StandInAccount) -> None:
    first = start(sdk, "k")
    account.control("shift_clock", seconds=86_400)
    assert start(sdk, "k").id != first.id


def test_same_key_at_another_endpoint_is_refused(sdk: stripe.StripeClient) -> None:
    session = start(sdk, "k")
    with pytest.raises(stripe.IdempotencyError, match="same endpoint"):
        sdk.v1.checkout.sessions.expire(session.id, {}, {"idempotency_key": "k"})


def test_defect_of_the_stand_in_leaves_the_key_free(
    sdk: stripe.StripeClient, account: StandInAccount, capfd: pytest.CaptureFixture[str]
) -> None:
    account.inject("slow", delay="soon")
    with pytest.raises(stripe.APIError, match="The stand-in failed"):
        start(sdk, "k")
    assert "Traceback" in capfd.readouterr().err
    assert start(sdk, "k")
