"""Conclusions from Stripe's lists: about a start without a response, and of sessions while others are opened."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from partway.gateways.protocol import CheckoutRequest, CheckoutStatus, OutcomeUnknown, Refused
from partway.gateways.stripe import listing
from partway.gateways.stripe.client import client_for
from partway.lib.money import Money
from tests.gateways.harnesses import StripeHarness
from tests.gateways.stripe.acts import LONG_AGO, paid, sent


def start_without_response(harness: StripeHarness, **changes: Any) -> CheckoutRequest:
    """Returns a request whose session was opened, and whose response was lost."""
    request = harness.checkout_request(**changes)
    harness.inject_fault("timeout_after_success", act="start")
    with pytest.raises(OutcomeUnknown):
        harness.gateway.start(request)
    return request


def too_late(request: CheckoutRequest) -> CheckoutRequest:
    """Returns a request as Partway asks on the next day: a repeat of it would open a second session."""
    return replace(request, expires_at=datetime.now(UTC) - timedelta(minutes=10))


@pytest.mark.parametrize("hours_ahead", [0.7, 23])
def test_start_that_is_too_old_to_repeat_is_found_whatever_our_clock_says(
    stripe_harness: StripeHarness, hours_ahead: float
) -> None:
    stripe_harness.account.control("shift_clock", seconds=-hours_ahead * 3600)
    request = start_without_response(stripe_harness, reference="pay_old")
    stripe_harness.account.control("shift_clock", seconds=hours_ahead * 3600)
    found = stripe_harness.gateway.start(too_late(request))
    assert found.ref in [line.ref for line in stripe_harness.gateway.list_since(LONG_AGO)]
    assert len(sent(stripe_harness, "checkout.sessions.create")) == 1


@pytest.mark.parametrize("kind", ["rate_limited", "without"])
def test_start_without_response_is_unknown_until_all_of_the_list_is_read(
    stripe_harness: StripeHarness, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(listing, "PAGE", 1)
    request = start_without_response(stripe_harness, reference="pay_old")
    stripe_harness.gateway.start(stripe_harness.checkout_request(reference="pay_new"))
    stripe_harness.account.control("shift_clock", seconds=60)
    late = replace(too_late(request), expires_at=datetime.now(UTC) - timedelta(minutes=4))
    # The first page says that there are more, and the second one never comes.
    stripe_harness.account.inject("slow", on="checkout.sessions.list", delay=0)
    stripe_harness.account.inject(kind, on="checkout.sessions.list", fields=["has_more"])
    with pytest.raises(OutcomeUnknown):
        stripe_harness.gateway.start(late)


def test_start_without_response_is_unknown_to_a_key_that_may_not_list(stripe_harness: StripeHarness) -> None:
    request = start_without_response(stripe_harness)
    stripe_harness.account.control("revoke_key", secret=stripe_harness.account.test_key)
    with pytest.raises(OutcomeUnknown, match="refused"):
        stripe_harness.gateway.start(too_late(request))


def test_start_that_another_version_wrote_otherwise_is_found(stripe_harness: StripeHarness) -> None:
    request = start_without_response(stripe_harness, reference="pay_old")
    changed = replace(request, description="Invoice INV-0042, as a later version writes it")
    ref = stripe_harness.gateway.start(changed).ref
    assert stripe_harness.gateway.start(request).ref == ref
    assert stripe_harness.gateway.fetch(ref).status == CheckoutStatus.OPEN


def test_start_that_never_arrived_is_refused_once_it_is_too_old(stripe_harness: StripeHarness) -> None:
    late = replace(stripe_harness.checkout_request(), expires_at=datetime.now(UTC) - timedelta(minutes=10))
    with pytest.raises(Refused) as refused:
        stripe_harness.gateway.start(late)
    assert refused.value.code == "checkout_expired"
    # Not old enough to be left alone, and too old for Stripe: it says so, and then its list is read.
    soon = replace(late, expires_at=datetime.now(UTC) + timedelta(minutes=20))
    with pytest.raises(Refused) as refused:
        stripe_harness.gateway.start(soon)
    assert refused.value.code == "checkout_expired"
    assert list(stripe_harness.gateway.list_since(LONG_AGO)) == []


def test_session_that_is_opened_while_the_list_is_read_hides_no_other(
    stripe_harness: StripeHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "PAGE", 2)
    begun = [stripe_harness.gateway.start(stripe_harness.checkout_request()).ref for _ in range(5)]
    lines = stripe_harness.gateway.list_since(LONG_AGO)
    found = [next(lines).ref]
    stripe_harness.gateway.start(stripe_harness.checkout_request())
    assert [*found, *(line.ref for line in lines)] == begun


def test_refund_that_fails_in_a_long_outage_is_found_without_its_event(stripe_harness: StripeHarness) -> None:
    checkout = paid(stripe_harness)
    refund = stripe_harness.gateway.refund(checkout.ref, Money(500, "USD"), "refund")
    for days in (20, 80):
        stripe_harness.account.control("shift_clock", seconds=days * 86_400)
        stripe_harness.settle_refund(refund, "failed")
    api = client_for(stripe_harness.stand_in.url, stripe_harness.account.test_key)
    last_read, present = (datetime.now(UTC) + timedelta(days=days) for days in (10, 100))
    assert list(listing.sessions_changed_since(api, last_read, present)) == [checkout.ref]


# Rate limits


def test_list_waits_as_long_as_stripe_says(stripe_harness: StripeHarness) -> None:
    stripe_harness.gateway.start(stripe_harness.checkout_request())
    for headers in ({"Retry-After": "0"}, {"Retry-After": "Mon, 30 Nov 2026 08:00:00 GMT"}):
        stripe_harness.account.inject("rate_limited", on="checkout.sessions.list", headers=headers)
        assert len(list(stripe_harness.gateway.list_since(LONG_AGO))) == 1


def test_list_is_not_repeated_where_stripe_says_so(stripe_harness: StripeHarness) -> None:
    headers = {"Stripe-Should-Retry": "false"}
    stripe_harness.account.inject("rate_limited", on="checkout.sessions.list", headers=headers)
    with pytest.raises(OutcomeUnknown):
        list(stripe_harness.gateway.list_since(LONG_AGO))


def test_fetch_and_close_do_not_wait_for_a_list_that_is_limited(stripe_harness: StripeHarness) -> None:
    checkout = paid(stripe_harness)
    stripe_harness.gateway.refund(checkout.ref, Money(500, "USD"), "refund")
    stripe_harness.account.inject("rate_limited", on="refunds.list")
    with pytest.raises(OutcomeUnknown):
        stripe_harness.gateway.fetch(checkout.ref)
    assert len(stripe_harness.gateway.fetch(checkout.ref).refunds) == 1
