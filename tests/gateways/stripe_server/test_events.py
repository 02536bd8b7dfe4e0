"""Events: signed, as snapshots or thin, to the endpoints that want their type, lost or late where a test says so."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
import stripe

from tests.gateways.stripe_server.client import StandInAccount
from tests.gateways.stripe_server.conftest import open_sdk, session_params
from tests.support.sandbox_server import CallbackReceiver, ReceivedCallback, wait_until

OF_A_CARD = [
    "payment_intent.created",
    "charge.succeeded",
    "payment_intent.amount_capturable_updated",
    "checkout.session.completed",
]


@pytest.fixture
def receiver() -> Iterator[CallbackReceiver]:
    with CallbackReceiver() as receiver:
        yield receiver


def pay(sdk: stripe.StripeClient, account: StandInAccount, **form: str) -> stripe.checkout.Session:
    session = sdk.v1.checkout.sessions.create(session_params())
    account.pay(session.url or "", **form)
    return session


def wait_for(receiver: CallbackReceiver, number: int) -> list[str]:
    wait_until(lambda: len(receiver.received) >= number)
    return [one.event["type"] for one in receiver.received]


def test_events_of_a_payment_arrive_signed_in_order(
    sdk: stripe.StripeClient, account: StandInAccount, receiver: CallbackReceiver
) -> None:
    endpoint = sdk.v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["*"]})
    session = pay(sdk, account)
    assert wait_for(receiver, 4) == OF_A_CARD
    last = receiver.received[-1]
    event = sdk.construct_event(last.body, last.headers["Stripe-Signature"], endpoint.secret or "")
    assert event.data.object.id == session.id
    assert (event.livemode, event.api_version, event.to_dict().get("account")) == (
        False,
        "2026-10-28.endive",
        None,
    )
    with pytest.raises(stripe.SignatureVerificationError):
        sdk.construct_event(last.body + b" ", last.headers["Stripe-Signature"], endpoint.secret or "")


def test_endpoint_gets_the_types_it_asked_for_and_its_secret_is_shown_once(
    sdk: stripe.StripeClient, account: StandInAccount, receiver: CallbackReceiver
) -> None:
    wanted: Any = ["checkout.session.completed"]
    endpoint = sdk.v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": wanted})
    assert (endpoint.secret or "").startswith("whsec_")
    assert not hasattr(sdk.v1.webhook_endpoints.retrieve(endpoint.id), "secret")
    pay(sdk, account)
    assert wait_for(receiver, 1) == wanted
    for disabled in (True, False):
        sdk.v1.webhook_endpoints.update(endpoint.id, {"disabled": disabled})
        last = pay(sdk, account)
    assert wait_for(receiver, 2) == wanted * 2
    assert receiver.received[-1].event["data"]["object"]["id"] == last.id
    assert sdk.v1.webhook_endpoints.delete(endpoint.id).deleted


def test_unknown_event_type_is_refused(sdk: stripe.StripeClient) -> None:
    wanted: Any = ["checkout.session.painted"]
    with pytest.raises(stripe.InvalidRequestError) as refused:
        sdk.v1.webhook_endpoints.create({"url": "http://127.0.0.1:9/", "enabled_events": wanted})
    assert refused.value.param == "enabled_events[0]"


def test_account_has_sixteen_endpoints_at_most(sdk: stripe.StripeClient) -> None:
    params: Any = {"url": "http://127.0.0.1:9/", "enabled_events": ["*"]}
    for _ in range(16):
        sdk.v1.webhook_endpoints.create(params)
    with pytest.raises(stripe.InvalidRequestError, match="maximum of 16"):
        sdk.v1.webhook_endpoints.create(params)


def test_thin_notification_names_the_object_and_leads_to_it(
    sdk: stripe.StripeClient, account: StandInAccount, receiver: CallbackReceiver
) -> None:
    endpoint = account.control(
        "add_endpoint", url=receiver.url, payload="thin", enabled_events=["checkout.session.completed"]
    )
    session = pay(sdk, account)
    wait_for(receiver, 1)
    [received] = receiver.received
    note = sdk.parse_event_notification(
        received.body, received.headers["Stripe-Signature"], endpoint["secret"]
    )
    assert (note.type, note.related_object.id) == ("v1.checkout.session.completed", session.id)  # type: ignore[union-attr]
    assert note.fetch_related_object().id == session.id  # type: ignore[union-attr]
    assert note.fetch_event().id == note.id


def test_rotated_secrets_sign_side_by_side(
    sdk: stripe.StripeClient, account: StandInAccount, receiver: CallbackReceiver
) -> None:
    endpoint = account.control(
        "add_endpoint", url=receiver.url, enabled_events=["checkout.session.completed"]
    )
    new = account.control("roll_secret", id=endpoint["id"])["secret"]
    pay(sdk, account)
    wait_for(receiver, 1)
    for secret in (endpoint["secret"], new):
        [received] = receiver.received
        assert sdk.construct_event(received.body, received.headers["Stripe-Signature"], secret)


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("event_lost", [*OF_A_CARD[:1], *OF_A_CARD[2:]]),
        ("event_twice", [*OF_A_CARD[:2], *OF_A_CARD[1:]]),
        ("event_out_of_order", [OF_A_CARD[0], OF_A_CARD[2], OF_A_CARD[1], OF_A_CARD[3]]),
    ],
)
def test_events_can_be_lost_doubled_and_disordered(
    sdk: stripe.StripeClient,
    account: StandInAccount,
    receiver: CallbackReceiver,
    fault: str,
    expected: list[str],
) -> None:
    account.control("add_endpoint", url=receiver.url)
    account.inject(fault, on="charge.succeeded")
    pay(sdk, account)
    assert wait_for(receiver, len(expected)) == expected


def test_late_event_arrives_later_and_lost_one_can_be_sent_again(
    sdk: stripe.StripeClient, account: StandInAccount, receiver: CallbackReceiver
) -> None:
    account.control("add_endpoint", url=receiver.url)
    account.inject("event_late", on="checkout.session.completed", delay=60)
    account.inject("event_lost", on="charge.*")
    pay(sdk, account)
    assert wait_for(receiver, 2) == [OF_A_CARD[0], OF_A_CARD[2]]
    account.control("shift_clock", seconds=61)
    [lost] = sdk.v1.events.list({"type": "charge.succeeded"}).data
    account.control("resend", id=lost.id)
    assert set(wait_for(receiver, 4)[2:]) == {OF_A_CARD[1], OF_A_CARD[3]}


def test_event_can_arrive_before_the_response_and_be_asked_about(
    sdk: stripe.StripeClient, account: StandInAccount
) -> None:
    asked = []

    class Asking(CallbackReceiver):
        def receive(self, received: ReceivedCallback) -> int:
            asked.append(sdk.v1.checkout.sessions.retrieve(received.event["data"]["object"]["id"]).status)
            return super().receive(received)

    with Asking() as receiver:
        account.control("add_endpoint", url=receiver.url, enabled_events=["checkout.session.expired"])
        account.inject("event_first", on="checkout.session.expired")
        sdk.v1.checkout.sessions.expire(sdk.v1.checkout.sessions.create(session_params()).id)
        assert asked == ["expired"]


def test_unacknowledged_event_is_sent_again(
    sdk: stripe.StripeClient, account: StandInAccount, receiver: CallbackReceiver
) -> None:
    account.control("add_endpoint", url=receiver.url, enabled_events=["checkout.session.completed"])
    receiver.failures_left = 1
    pay(sdk, account)
    wait_for(receiver, 1)
    wait_until(lambda: account.control("shift_clock", seconds=301) and len(receiver.received) == 2)
    first, again = receiver.received
    assert first.event["id"] == again.event["id"]


def test_signature_is_of_the_time_of_sending_even_when_the_clock_is_ahead(
    sdk: stripe.StripeClient, account: StandInAccount, receiver: CallbackReceiver
) -> None:
    account.control("add_endpoint", url=receiver.url)
    account.control("shift_clock", seconds=86_400)
    pay(sdk, account)
    wait_for(receiver, 1)
    signed_at = receiver.received[0].headers["Stripe-Signature"].partition(",")[0].removeprefix("t=")
    assert abs(time.time() - int(signed_at)) < 60


def test_live_endpoint_must_be_https(account: StandInAccount) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        open_sdk(account, account.live_key).v1.webhook_endpoints.create(
            {"url": "http://merchant.test/", "enabled_events": ["*"]}
        )
    assert refused.value.code == "url_invalid"


def test_local_endpoint_is_refused_where_the_account_says_so(
    sdk: stripe.StripeClient, account: StandInAccount
) -> None:
    account.control("change_settings", refuses_local_urls=True)
    with pytest.raises(stripe.InvalidRequestError, match="publicly accessible"):
        sdk.v1.webhook_endpoints.create({"url": "http://127.0.0.1:8000/", "enabled_events": ["*"]})


def test_live_event_says_so(account: StandInAccount) -> None:
    live = open_sdk(account, account.live_key)
    session = live.v1.checkout.sessions.create(session_params())
    live.v1.checkout.sessions.expire(session.id)
    [event] = live.v1.events.list().data
    assert json.loads(str(event))["livemode"] is True


def test_events_are_kept_for_thirty_days(sdk: stripe.StripeClient, account: StandInAccount) -> None:
    sdk.v1.checkout.sessions.expire(sdk.v1.checkout.sessions.create(session_params()).id)
    [event] = sdk.v1.events.list().data
    account.control("shift_clock", seconds=30 * 86_400 + 1)
    assert sdk.v1.events.list().data == []
    with pytest.raises(stripe.InvalidRequestError) as refused:
        sdk.v1.events.retrieve(event.id)
    assert refused.value.code == "resource_missing"


def test_twenty_types_of_events_can_be_listed_at_once(sdk: stripe.StripeClient) -> None:
    types = [f"payout.kind_{number}" for number in range(21)]
    assert sdk.v1.events.list({"types": types[:20]}).data == []
    with pytest.raises(stripe.InvalidRequestError) as refused:
        sdk.v1.events.list({"types": types})
    assert refused.value.param == "types"
