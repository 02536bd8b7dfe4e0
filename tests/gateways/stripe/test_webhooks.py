"""Callbacks of Stripe: signature, age, mode and account are checked, and only the name of an object is taken."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
import stripe

from partway.gateways.protocol import BadCallback, VerifiedCallback
from partway.gateways.stripe import connection, webhooks

NOW = datetime.now(UTC).replace(microsecond=0)
SECRET = "whsec_new"


def read(
    event: dict[str, object],
    *,
    secret: str = SECRET,
    at: datetime = NOW,
    live: bool = False,
    account: str = "acct_1",
) -> VerifiedCallback:
    body = json.dumps(event).encode()
    signature = stripe.WebhookSignature.generate_signature_header(body.decode(), secret, int(at.timestamp()))
    credentials = {
        "signing_secret": SECRET,
        "previous_signing_secret": "whsec_old",
        "previous_until": (NOW + timedelta(hours=1)).isoformat(),
    }
    secrets = webhooks.signing_secrets(credentials, NOW)
    return webhooks.read(body, {"STRIPE-SIGNATURE": signature}, secrets, live=live, account=account, now=NOW)


def snapshot(kind: str, about: dict[str, object], **changes: object) -> dict[str, object]:
    event = {"id": "evt_1", "object": "event", "type": kind, "created": int(NOW.timestamp())}
    return {**event, "livemode": False, "data": {"object": about}, **changes}


def thin(kind: str, ref: str, **changes: object) -> dict[str, object]:
    event = {"id": "evt_2", "object": "v2.core.event", "type": f"v1.{kind}", "created": NOW.isoformat()}
    return {**event, "livemode": False, "related_object": {"id": ref, "type": "x"}, **changes}


@pytest.mark.parametrize(
    ("event", "named"),
    [
        (snapshot("checkout.session.completed", {"id": "cs_1"}), ("cs_1", "cs_1", "")),
        (thin("checkout.session.completed", "cs_1"), ("cs_1", "cs_1", "")),
        (snapshot("payment_intent.succeeded", {"id": "pi_1"}), ("", "pi_1", "")),
        (snapshot("charge.refunded", {"id": "ch_1", "payment_intent": "pi_1"}), ("", "pi_1", "")),
        (snapshot("charge.refunded", {"id": "ch_1", "payment_intent": None}), ("", "ch_1", "")),
        (snapshot("refund.failed", {"id": "re_1", "payment_intent": {"id": "pi_1"}}), ("", "pi_1", "")),
        (thin("charge.dispute.created", "dp_1"), ("", "dp_1", "")),
        (snapshot("payout.paid", {"id": "po_1"}), ("", "", "po_1")),
        (snapshot("account.updated", {"id": "acct_1"}), ("", "", "")),
    ],
)
def test_callback_names_what_it_is_about(event: dict[str, object], named: tuple[str, str, str]) -> None:
    callback = read(event)
    assert (callback.checkout_ref, callback.object_ref, callback.payout_ref) == named
    assert callback.kind in connection.EVENT_TYPES
    assert (callback.event_id, callback.at) == (event["id"], NOW)


@pytest.mark.parametrize("secret", [SECRET, "whsec_old"])
def test_callback_may_be_signed_by_both_secrets_while_one_replaces_the_other(secret: str) -> None:
    assert read(snapshot("payout.paid", {"id": "po_1"}), secret=secret)


def test_replaced_secret_ends() -> None:
    credentials = {
        "signing_secret": SECRET,
        "previous_signing_secret": "whsec_old",
        "previous_until": NOW.isoformat(),
    }
    assert webhooks.signing_secrets(credentials, NOW) == [SECRET]
    assert webhooks.signing_secrets({"signing_secret": ""}, NOW) == []


@pytest.mark.parametrize(
    "event",
    [
        snapshot("payout.paid", {"id": "po_1"}, livemode=True),
        snapshot("payout.paid", {"id": "po_1"}, livemode=None),
        snapshot("payout.paid", {"id": "po_1"}, account="acct_2"),
        thin("payout.paid", "po_1", context="acct_2"),
        thin("payout.paid", "po_1", related_object=None),
        thin("payout.paid", "po_1", created="2026-11-30T03:00:00"),
        snapshot("payout.paid", {"id": "po_1"}, created=None),
        snapshot("payout.paid", {"id": 7}),
        {"object": "event"},
    ],
)
def test_signed_callback_of_another_mode_account_or_shape_is_refused(event: dict[str, object]) -> None:
    with pytest.raises(BadCallback):
        read(event)


@pytest.mark.parametrize("seconds", [-webhooks.TOLERANCE - 60, webhooks.TOLERANCE + 60])
def test_callback_signed_at_another_time_is_refused(seconds: int) -> None:
    with pytest.raises(BadCallback):
        read(snapshot("payout.paid", {"id": "po_1"}), at=NOW + timedelta(seconds=seconds))


def test_callback_signed_by_another_secret_is_refused() -> None:
    with pytest.raises(BadCallback):
        read(snapshot("payout.paid", {"id": "po_1"}), secret="whsec_other")


def test_callback_of_the_live_mode_is_read_by_a_live_account() -> None:
    assert read(snapshot("payout.paid", {"id": "po_1"}, livemode=True), live=True)


def test_events_can_be_asked_for_in_one_list() -> None:
    assert len(connection.CHECKOUT_EVENT_TYPES) <= 20  # Stripe's limit of `types`
    assert len(set(connection.EVENT_TYPES)) == len(connection.EVENT_TYPES)
