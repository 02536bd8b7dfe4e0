"""Sessions: methods, amounts, expiry, and what closes them."""

from __future__ import annotations

import time
from typing import Any

import pytest
import stripe

from tests.gateways.stripe_server.client import StandInAccount
from tests.gateways.stripe_server.conftest import open_sdk, session_params

MINUTE = 60


@pytest.mark.parametrize(
    ("amount", "currency", "code"),
    [
        (49, "usd", "amount_too_small"),
        (29, "gbp", "amount_too_small"),
        (17_499, "huf", "amount_too_small"),
        (49, "jpy", "amount_too_small"),
        (100_000_000, "usd", "amount_too_large"),
        (12_501, "kwd", "invalid_charge_amount"),
        (12_350, "isk", "invalid_charge_amount"),
        (12_350, "ugx", "invalid_charge_amount"),
        (500, "xxz1", None),
    ],
)
def test_amount_that_cannot_be_charged_is_refused(
    sdk: stripe.StripeClient, amount: int, currency: str, code: str | None
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        sdk.v1.checkout.sessions.create(session_params(amount, currency))
    assert refused.value.code == code


@pytest.mark.parametrize(("amount", "currency"), [(50, "usd"), (30, "gbp"), (12_510, "kwd"), (12_300, "isk")])
def test_least_amount_and_step_are_accepted(sdk: stripe.StripeClient, amount: int, currency: str) -> None:
    assert sdk.v1.checkout.sessions.create(session_params(amount, currency)).amount_total == amount


def test_minimum_is_that_of_the_currency_of_settlement(
    sdk: stripe.StripeClient, account: StandInAccount
) -> None:
    account.control("change_settings", converts={"jpy": ["usd", 0.65]})
    with pytest.raises(stripe.InvalidRequestError) as refused:
        sdk.v1.checkout.sessions.create(session_params(75, "jpy"))
    assert refused.value.code == "amount_too_small"
    assert sdk.v1.checkout.sessions.create(session_params(77, "jpy"))


@pytest.mark.parametrize("minutes", [29, 24 * 60 + 1])
def test_expiry_outside_of_30_minutes_to_24_hours_is_refused(sdk: stripe.StripeClient, minutes: int) -> None:
    expires_at = int(time.time()) + minutes * MINUTE
    with pytest.raises(stripe.InvalidRequestError) as refused:
        sdk.v1.checkout.sessions.create(session_params(expires_at=expires_at))
    assert refused.value.param == "expires_at"


def test_session_expires_by_itself_with_an_event(sdk: stripe.StripeClient, account: StandInAccount) -> None:
    expires_at = int(time.time()) + 31 * MINUTE
    session = sdk.v1.checkout.sessions.create(session_params(expires_at=expires_at))
    account.control("shift_clock", seconds=31 * MINUTE)
    assert sdk.v1.checkout.sessions.retrieve(session.id).status == "expired"
    assert [event.type for event in sdk.v1.events.list().data] == ["checkout.session.expired"]
    assert account.pay(session.url or "").status_code == 410


def test_expired_session_cancels_the_intent_of_a_declined_attempt(
    sdk: stripe.StripeClient, account: StandInAccount
) -> None:
    session = sdk.v1.checkout.sessions.create(session_params())
    account.pay(session.url or "", "4000000000000002")
    expired = sdk.v1.checkout.sessions.expire(session.id, {"expand": ["payment_intent"]})
    assert isinstance(expired.payment_intent, stripe.PaymentIntent)
    assert (expired.status, expired.url, expired.payment_intent.status) == ("expired", None, "canceled")


def test_completed_session_cannot_be_expired(sdk: stripe.StripeClient, account: StandInAccount) -> None:
    session = sdk.v1.checkout.sessions.create(session_params())
    account.pay(session.url or "")
    with pytest.raises(stripe.InvalidRequestError) as refused:
        sdk.v1.checkout.sessions.expire(session.id)
    assert (refused.value.http_status, "status of `complete`" in str(refused.value)) == (400, True)


def test_customer_can_be_quicker_than_the_expiry(sdk: stripe.StripeClient, account: StandInAccount) -> None:
    session = sdk.v1.checkout.sessions.create(session_params())
    account.inject("pay_before_expiry")
    with pytest.raises(stripe.InvalidRequestError):
        sdk.v1.checkout.sessions.expire(session.id)
    found = sdk.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent"]})
    assert found.payment_intent.status == "processing"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("currency", "changes", "offered"),
    [
        ("usd", {}, ["card", "link", "us_bank_account"]),
        ("eur", {}, ["card", "link", "sepa_debit"]),
        ("usd", {"payment_intent_data": {"capture_method": "manual"}}, ["card", "link"]),
        ("usd", {"allowed_payment_method_types": ["card", "sepa_debit", "klarna"]}, ["card"]),
        ("usd", {"excluded_payment_method_types": ["us_bank_account"]}, ["card", "link"]),
    ],
)
def test_methods_are_those_that_the_account_the_currency_and_we_allow(
    sdk: stripe.StripeClient, currency: str, changes: dict[str, Any], offered: list[str]
) -> None:
    session = sdk.v1.checkout.sessions.create(session_params(currency=currency, **changes))
    assert session.payment_method_types == offered


def test_session_without_a_method_that_fits_is_refused(sdk: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="No valid payment method types"):
        sdk.v1.checkout.sessions.create(session_params(allowed_payment_method_types=["sepa_debit"]))


def test_explicit_payment_method_types_are_no_parameter_any_more(sdk: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        sdk.v1.checkout.sessions.create(session_params(payment_method_types=["card"]))
    assert (refused.value.code, refused.value.param) == ("parameter_unknown", "payment_method_types")


def test_account_that_may_not_charge_opens_no_session(
    sdk: stripe.StripeClient, account: StandInAccount
) -> None:
    account.control("change_account", charges_enabled=False)
    with pytest.raises(stripe.InvalidRequestError, match="cannot currently make charges"):
        sdk.v1.checkout.sessions.create(session_params())
    assert sdk.v1.events.list().data[0].type == "account.updated"


def test_lists_are_newest_first_in_pages(sdk: stripe.StripeClient, account: StandInAccount) -> None:
    made = []
    for _ in range(5):
        made.insert(0, sdk.v1.checkout.sessions.create(session_params()).id)
        account.control("shift_clock", seconds=10)
    first = sdk.v1.checkout.sessions.list({"limit": 2})
    assert ([row.id for row in first.data], first.has_more) == (made[:2], True)
    assert [row.id for row in first.auto_paging_iter()] == made
    middle = sdk.v1.checkout.sessions.retrieve(made[2])
    newer = sdk.v1.checkout.sessions.list({"ending_before": middle.id})
    assert ([row.id for row in newer.data], newer.has_more) == (made[:2], False)
    since = sdk.v1.checkout.sessions.list({"created": {"gte": middle.created}})
    assert [row.id for row in since.data] == made[:3]


@pytest.mark.parametrize(
    ("params", "param"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": 101}, "limit"),
        ({"expand": ["data.payment_intent.latest_charge.payment_intent.latest_charge"]}, "expand"),
        ({"expand": ["data.colour"]}, "expand[0]"),
        ({"starting_after": "cs_test_1"}, "starting_after"),
    ],
)
def test_list_that_cannot_be_shown_is_refused(
    sdk: stripe.StripeClient, params: dict[str, Any], param: str
) -> None:
    sdk.v1.checkout.sessions.create(session_params())
    with pytest.raises(stripe.InvalidRequestError) as refused:
        sdk.v1.checkout.sessions.list(params)  # type: ignore[arg-type]
    assert refused.value.param == param


def test_bounds_of_a_time_can_be_open(sdk: stripe.StripeClient) -> None:
    created = sdk.v1.checkout.sessions.create(session_params()).created
    found = {
        bound: len(sdk.v1.checkout.sessions.list({"created": {bound: created}}).data)  # type: ignore[misc]
        for bound in ("gte", "lte", "gt", "lt")
    }
    assert found == {"gte": 1, "lte": 1, "gt": 0, "lt": 0}


def test_lines_have_one_currency_and_are_shown_on_request(sdk: stripe.StripeClient) -> None:
    params = session_params()
    session = sdk.v1.checkout.sessions.create({**params, "expand": ["line_items"]})
    assert [line.description for line in session.line_items.data] == ["Invoice INV-0042"]  # type: ignore[union-attr]
    params["line_items"] += session_params(currency="eur")["line_items"]
    with pytest.raises(stripe.InvalidRequestError, match="same currency"):
        sdk.v1.checkout.sessions.create(params)


def test_page_takes_one_payment_by_a_method_that_is_offered(
    sdk: stripe.StripeClient, account: StandInAccount
) -> None:
    session = sdk.v1.checkout.sessions.create(session_params())
    assert account.pay(session.url or "", method="sepa_debit").status_code == 422
    assert account.pay(session.url or "").status_code == 303
    assert account.pay(session.url or "").status_code == 409
    assert len(sdk.v1.charges.list().data) == 1


def test_test_card_is_declined_in_live_mode(account: StandInAccount) -> None:
    live = open_sdk(account, account.live_key)
    session = live.v1.checkout.sessions.create(session_params())
    assert account.pay(session.url or "").status_code == 402
    error = live.v1.payment_intents.list().data[0].last_payment_error
    assert error is not None
    assert error.decline_code == "live_mode_test_card"
    assert account.pay(session.url or "", "4111111111111111").status_code == 303
