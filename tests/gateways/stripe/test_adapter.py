"""The adapter on Stripe's stand-in: what it sends, and what others do there behind its back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from partway.gateways.protocol import (
    CheckoutStatus,
    CloseOutcome,
    DisputeStatus,
    OutcomeUnknown,
    PayoutItemKind,
    Refused,
)
from partway.gateways.stripe import STRIPE, adapter, amounts
from partway.lib.money import Money
from tests.gateways.harnesses import StripeHarness
from tests.gateways.stripe.acts import FULL, LONG_AGO, authorized, call, intent_of, paid, sent

# Starting


def test_session_is_for_exactly_one_line_of_exactly_the_amount(stripe_harness: StripeHarness) -> None:
    stripe_harness.gateway.start(
        stripe_harness.checkout_request(
            reference="pay_7",
            statement="INV-2026-00042",
            customer_email="dana@example.com",
            locale="pt_BR",
            cancel_url="https://acme.test/p/1/",
        )
    )
    [params] = sent(stripe_harness, "checkout.sessions.create")
    [line] = params["line_items"]
    assert (line["quantity"], line["price_data"]["unit_amount"], line["price_data"]["currency"]) == (
        1,
        12_500,
        "usd",
    )
    assert params["adaptive_pricing"] == {"enabled": False}
    assert params["metadata"] == params["payment_intent_data"]["metadata"] == {"partway_payment": "pay_7"}
    assert "receipt_email" not in params["payment_intent_data"]
    assert params["payment_intent_data"]["statement_descriptor_suffix"] == "NO 6-00042"
    assert (params["customer_email"], params["locale"]) == ("dana@example.com", "pt-BR")
    assert (params["success_url"], params["cancel_url"]) == (
        "http://merchant.test/back",
        "https://acme.test/p/1/",
    )
    # A debit that could be authorized first would never be captured by its bank.
    assert params["payment_method_options"]["card"] == {"capture_method": "manual"}
    assert "capture_method" not in params["payment_method_options"].get("us_bank_account", {})


@pytest.mark.parametrize(
    ("amount", "methods", "offered"),
    [
        (FULL, ("card", "sepa_debit"), ["card"]),
        (Money(12_500, "EUR"), ("card", "sepa_debit"), ["card", "sepa_debit"]),
        (Money(12_500, "EUR"), ("unheard_of", "card"), ["card"]),
    ],
)
def test_session_offers_allowed_methods_of_its_currency(
    stripe_harness: StripeHarness, amount: Money, methods: tuple[str, ...], offered: list[str]
) -> None:
    stripe_harness.gateway.start(stripe_harness.checkout_request(amount=amount, methods=methods))
    [params] = sent(stripe_harness, "checkout.sessions.create")
    assert params["allowed_payment_method_types"] == offered


def test_checkout_without_a_method_for_its_currency_is_refused(stripe_harness: StripeHarness) -> None:
    with pytest.raises(Refused) as refused:
        stripe_harness.gateway.start(
            stripe_harness.checkout_request(amount=Money(500, "JPY"), methods=("sepa_debit",))
        )
    assert refused.value.code == "method_not_supported"


def test_start_goes_on_after_an_error_that_stripe_would_repeat_for_a_day(
    stripe_harness: StripeHarness,
) -> None:
    request = stripe_harness.checkout_request(reference="pay_500")
    stripe_harness.account.inject("server_error", on="checkout.sessions.create")
    with pytest.raises(OutcomeUnknown):
        stripe_harness.gateway.start(request)
    checkout = stripe_harness.gateway.start(request)
    assert stripe_harness.gateway.start(request) == checkout
    assert [line.ref for line in stripe_harness.gateway.list_since(LONG_AGO)] == [checkout.ref]
    # It said 500 and did it all the same: that session is the one.
    other = stripe_harness.checkout_request(reference="pay_501")
    stripe_harness.account.inject("error_after_success", on="checkout.sessions.create")
    with pytest.raises(OutcomeUnknown):
        stripe_harness.gateway.start(other)
    again = stripe_harness.gateway.start(other)
    assert [line.reference for line in stripe_harness.gateway.list_since(LONG_AGO)] == ["pay_500", "pay_501"]
    assert stripe_harness.gateway.fetch(again.ref).status == CheckoutStatus.OPEN


@pytest.mark.parametrize("kind", ["server_error", "error_after_success"])
def test_refund_goes_on_after_an_error_that_stripe_would_repeat_for_a_day(
    stripe_harness: StripeHarness, kind: str
) -> None:
    checkout = paid(stripe_harness)
    stripe_harness.account.inject(kind, on="refunds.create")
    with pytest.raises(OutcomeUnknown):
        stripe_harness.gateway.refund(checkout.ref, Money(500, "USD"), "refund")
    again = stripe_harness.gateway.refund(checkout.ref, Money(500, "USD"), "refund")
    assert stripe_harness.gateway.refund(checkout.ref, Money(500, "USD"), "refund") == again
    assert stripe_harness.gateway.fetch(checkout.ref).refunds == (again,)


def test_key_without_a_permission_is_refused_with_its_name(stripe_harness: StripeHarness) -> None:
    key = stripe_harness.account.control("issue_key", permissions=["checkout_session_read"])["key"]
    restricted = STRIPE.open(stripe_harness.stand_in.url, {**stripe_harness.credentials, "api_key": key})
    with pytest.raises(Refused) as refused:
        restricted.start(stripe_harness.checkout_request())
    assert refused.value.code == "permission_missing"
    assert "checkout_session_write" in refused.value.message
    stripe_harness.account.control("revoke_key", secret=key)
    with pytest.raises(Refused) as refused:
        restricted.start(stripe_harness.checkout_request())
    assert refused.value.code == "unauthenticated"


# Behind our back


def test_less_captured_in_the_dashboard_is_what_was_captured(stripe_harness: StripeHarness) -> None:
    checkout = authorized(stripe_harness)
    call(
        stripe_harness,
        "POST",
        f"payment_intents/{intent_of(stripe_harness, checkout)}/capture",
        amount_to_capture="10000",
    )
    state = stripe_harness.gateway.fetch(checkout.ref)
    assert (state.status, state.captured, state.refunds) == (
        CheckoutStatus.CAPTURED,
        Money(10_000, "USD"),
        (),
    )
    with pytest.raises(Refused) as refused:
        stripe_harness.gateway.capture(checkout.ref, FULL, "capture")
    assert refused.value.code == "already_captured"


def test_refund_and_dispute_of_the_dashboard_are_listed_long_after_the_payment(
    stripe_harness: StripeHarness,
) -> None:
    refunded, disputed = paid(stripe_harness), paid(stripe_harness)
    stripe_harness.account.control("shift_clock", seconds=86_400)
    at = stripe_harness.moment()
    made = call(
        stripe_harness,
        "POST",
        "refunds",
        payment_intent=intent_of(stripe_harness, refunded),
        amount="500",
    )
    stripe_harness.dispute(disputed, 2_500)
    states = {line.ref: line.state for line in stripe_harness.gateway.list_since(at)}
    assert set(states) == {refunded.ref, disputed.ref}
    [refund] = states[refunded.ref].refunds
    assert (refund.ref, refund.reference, refund.amount) == (made["id"], "", Money(500, "USD"))
    assert [one.status for one in states[disputed.ref].disputes] == [DisputeStatus.OPEN]


def test_objects_of_another_application_are_none_of_ours(stripe_harness: StripeHarness) -> None:
    price = "line_items[0][price_data]"
    theirs = call(
        stripe_harness,
        "POST",
        "checkout/sessions",
        **{
            "mode": "payment",
            "success_url": "https://till.example/",
            f"{price}[currency]": "usd",
            f"{price}[unit_amount]": "4500",
            f"{price}[product_data][name]": "till 4",
            "line_items[0][quantity]": "1",
        },
    )
    stripe_harness.account.pay(theirs["url"])
    intent = call(stripe_harness, "GET", f"checkout/sessions/{theirs['id']}")["payment_intent"]
    call(stripe_harness, "POST", "refunds", payment_intent=intent, amount="500")
    assert list(stripe_harness.gateway.list_since(LONG_AGO)) == []
    assert [stripe_harness.gateway.find_checkout(ref) for ref in (theirs["id"], intent)] == [None, None]


def test_checkout_is_found_by_each_object_that_a_callback_may_name(stripe_harness: StripeHarness) -> None:
    checkout = paid(stripe_harness, reference="pay_9", organization="org_3")
    intent = intent_of(stripe_harness, checkout)
    charge = call(stripe_harness, "GET", f"payment_intents/{intent}")["latest_charge"]
    refund = stripe_harness.gateway.refund(checkout.ref, Money(500, "USD"), "refund").ref
    dispute = stripe_harness.dispute(checkout, 2_500)
    for ref in (checkout.ref, intent, charge, refund, dispute):
        assert stripe_harness.gateway.find_checkout(ref) == (checkout.ref, "pay_9", "org_3")
    with pytest.raises(Refused) as refused:
        stripe_harness.gateway.find_checkout("re_nothing")
    assert refused.value.code == "not_found"


def test_authorization_that_stripe_cancels_has_lapsed(stripe_harness: StripeHarness) -> None:
    checkout = authorized(stripe_harness)
    until = stripe_harness.gateway.fetch(checkout.ref).authorized_until
    assert until is not None
    assert until > datetime.now(UTC) + timedelta(days=6)
    at = stripe_harness.moment()
    stripe_harness.account.control("shift_clock", seconds=8 * 86_400)
    [line] = stripe_harness.gateway.list_since(at)
    assert (line.state.status, line.state.code) == (CheckoutStatus.CLOSED, "authorization_lapsed")
    assert stripe_harness.gateway.close(checkout.ref, "close") == CloseOutcome.CLOSED


def test_session_that_expires_while_the_bank_asks_is_closed_with_its_intent(
    stripe_harness: StripeHarness,
) -> None:
    checkout = stripe_harness.gateway.start(stripe_harness.checkout_request())
    stripe_harness.account.pay(checkout.url, number="4000002500003155")
    stripe_harness.let_expire(checkout)
    assert stripe_harness.gateway.close(checkout.ref, "close") == CloseOutcome.CLOSED
    stripe_harness.account.authenticate(checkout.url)
    state = stripe_harness.gateway.fetch(checkout.ref)
    assert (state.status, state.authorized) == (CheckoutStatus.CLOSED, None)
    assert stripe_harness.captures(checkout) == []


@pytest.mark.parametrize(
    "route", ["checkout.sessions.retrieve", "checkout.sessions.expire", "payment_intents.cancel"]
)
@pytest.mark.parametrize("kind", ["dropped", "rate_limited", "server_error", "garbage"])
def test_close_is_done_or_unknown_whatever_call_is_lost(
    stripe_harness: StripeHarness, route: str, kind: str
) -> None:
    checkout = authorized(stripe_harness)
    stripe_harness.account.inject(kind, on=route)
    first = stripe_harness.gateway.close(checkout.ref, "close:1")
    assert first in (CloseOutcome.CLOSED, CloseOutcome.UNKNOWN)
    assert stripe_harness.gateway.close(checkout.ref, "close:2") == CloseOutcome.CLOSED
    assert stripe_harness.captures(checkout) == []


@pytest.mark.parametrize("kind", ["rate_limited", "lock_timeout"])
def test_close_under_a_constant_limit_is_unknown_at_once(stripe_harness: StripeHarness, kind: str) -> None:
    checkout = authorized(stripe_harness)
    stripe_harness.account.inject(kind, on="payment_intents.cancel", count=9)
    before = len(stripe_harness.account.control("requests"))
    assert stripe_harness.gateway.close(checkout.ref, "close:1") == CloseOutcome.UNKNOWN
    assert len(stripe_harness.account.control("requests")) == before + 2
    stripe_harness.account.control("clear_faults")
    assert stripe_harness.gateway.close(checkout.ref, "close:2") == CloseOutcome.CLOSED


def test_slow_calls_of_closing_end_together(
    stripe_harness: StripeHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout = authorized(stripe_harness)
    with monkeypatch.context() as patched:
        patched.setattr(adapter, "_CLOSE_SECONDS", 0.5)
        stripe_harness.account.inject("slow", delay=0.3, count=3)  # in time each, and not together
        assert stripe_harness.gateway.close(checkout.ref, "close:1") == CloseOutcome.UNKNOWN
    assert stripe_harness.gateway.close(checkout.ref, "close:2") == CloseOutcome.CLOSED


# Money in another currency


@pytest.mark.parametrize(
    ("currency", "settled", "rate"),
    [
        ("EUR", "USD", 1.1),
        ("ISK", "USD", 0.0072),  # of units that have two decimals there, as at home
        ("UGX", "EUR", 0.0025),
        ("JPY", "USD", 0.67),
        ("KWD", "USD", 0.33),
        ("USD", "KWD", 3.1),
        ("USD", "JPY", 1.5),
    ],
)
def test_fees_refunds_and_disputes_are_in_the_currency_of_settlement(
    stripe_harness: StripeHarness, currency: str, settled: str, rate: float
) -> None:
    converts = {currency.lower(): [settled.lower(), rate]}
    stripe_harness.account.control("change_settings", converts=converts)
    whole, part, disputed = (Money(minor, currency) for minor in (500_000, 1_000, 2_000))
    checkout = paid(stripe_harness, amount=whole, reference="pay_eur", methods=("card",))
    refund = stripe_harness.gateway.refund(checkout.ref, part, "refund")
    stripe_harness.dispute(checkout, amounts.part_to_stripe(disputed))
    state = stripe_harness.gateway.fetch(checkout.ref)
    assert (state.captured, state.refunds[0].amount, state.disputes[0].amount) == (whole, part, disputed)
    assert state.fee is not None
    assert state.disputes[0].fee is not None
    assert (state.fee.currency, state.disputes[0].fee.currency) == (settled, settled)
    assert refund.fee == Money(0, settled)
    stripe_harness.pay_out()
    [payout] = stripe_harness.gateway.payouts_since(LONG_AGO)
    assert payout.amount.currency == settled
    assert payout.amount == sum((item.net for item in payout.items), Money(0, settled))
    kinds = (PayoutItemKind.PAYMENT, PayoutItemKind.REFUND, PayoutItemKind.DISPUTE)
    assert [(item.kind, item.reference) for item in payout.items] == [(kind, "pay_eur") for kind in kinds]
    assert payout.items[2].source_ref == state.disputes[0].ref


def test_checkout_that_cannot_be_read_does_not_hide_the_others(stripe_harness: StripeHarness) -> None:
    broken = authorized(stripe_harness)
    stripe_harness.inject_fault("wrong_currency", currency="ZZZ")
    with pytest.raises(OutcomeUnknown):
        stripe_harness.gateway.capture(broken.ref, FULL, "capture")
    good = paid(stripe_harness)
    lines = stripe_harness.gateway.list_since(LONG_AGO)
    assert next(lines).ref == good.ref
    with pytest.raises(OutcomeUnknown):
        next(lines)


@pytest.mark.parametrize(
    "detail", [{"customer_email": "dana@localhost"}, {"customer_email": "dana@müller.example"}]
)
def test_detail_that_stripe_refuses_keeps_no_payment_from_starting(
    stripe_harness: StripeHarness, detail: dict[str, str]
) -> None:
    request = stripe_harness.checkout_request(statement="INV-0042", **detail)
    checkout = stripe_harness.gateway.start(request)
    assert stripe_harness.gateway.start(request) == checkout
    assert call(stripe_harness, "GET", f"checkout/sessions/{checkout.ref}")["customer_email"] is None
