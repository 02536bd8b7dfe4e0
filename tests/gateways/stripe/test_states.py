"""Facts that are concluded from a session, its intent, charge, refunds and disputes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from partway.gateways.protocol import CheckoutStatus, DisputeStatus, RefundStatus
from partway.gateways.stripe import states
from partway.lib.money import Money
from tests.gateways.stripe.objects import Json, balance, charge, dispute, intent, refund, session

OPEN, AUTHORIZED, PROCESSING = CheckoutStatus.OPEN, CheckoutStatus.AUTHORIZED, CheckoutStatus.PROCESSING
CAPTURED, CLOSED, FAILED = CheckoutStatus.CAPTURED, CheckoutStatus.CLOSED, CheckoutStatus.FAILED
DEBIT = {"type": "sepa_debit", "sepa_debit": {}}


@pytest.mark.parametrize(
    ("of_session", "of_intent", "expected"),
    [
        ("open", None, OPEN),
        ("open", "requires_payment_method", OPEN),
        ("open", "requires_action", OPEN),
        ("open", "requires_capture", AUTHORIZED),  # the intent counts, whatever its session says by now
        ("open", "succeeded", CAPTURED),
        ("complete", "requires_capture", AUTHORIZED),
        ("complete", "processing", PROCESSING),
        ("complete", "succeeded", CAPTURED),
        ("complete", "canceled", CLOSED),
        ("complete", "requires_payment_method", FAILED),
        ("complete", "requires_action", OPEN),
        ("expired", None, CLOSED),
        ("expired", "requires_payment_method", CLOSED),
        ("expired", "canceled", CLOSED),
        ("expired", "requires_action", OPEN),  # the customer is at the bank's page, and may still confirm
        ("expired", "requires_capture", AUTHORIZED),
        ("expired", "processing", PROCESSING),
        ("expired", "succeeded", CAPTURED),
    ],
)
def test_status_is_that_of_the_intent(of_session: str, of_intent: str | None, expected: str) -> None:
    about = intent(of_intent) if of_intent else None
    assert states.checkout_state(session(of_session, payment_intent=about)).status == expected


@pytest.mark.parametrize(
    "broken",
    [
        session("new", payment_intent=None),
        session(payment_intent=intent("melted")),
        session(payment_intent="pi_1"),  # not expanded: nothing is concluded
        session(payment_intent=intent(latest_charge="ch_1")),
        session(payment_intent=intent(currency="zzz")),
        session(payment_intent=intent(amount_received=-1)),
        session(payment_intent=intent(amount_received="12500")),
        session(payment_intent=intent(latest_charge=charge(balance_transaction="txn_1"))),
        session(payment_intent={"id": "pi_1"}),
    ],
)
def test_objects_that_are_not_as_documented_raise(broken: Json) -> None:
    with pytest.raises((ValueError, TypeError, KeyError)):
        states.checkout_state(broken)


def test_captured_is_what_the_intent_received() -> None:
    # Less was captured in Stripe's dashboard than was authorized.
    state = states.checkout_state(session(payment_intent=intent(amount_received=12_200)))
    assert (state.captured, state.authorized) == (Money(12_200, "USD"), None)
    assert states.checkout_state(session(payment_intent=intent(amount_received=None))).captured is None


def test_fee_is_in_the_currency_in_which_the_account_settles() -> None:
    in_euro = charge(balance_transaction=balance(11_600, 186, currency="eur"))
    assert states.checkout_state(session(payment_intent=intent(latest_charge=in_euro))).fee == Money(
        186, "EUR"
    )
    unknown = charge(balance_transaction=None)
    assert states.checkout_state(session(payment_intent=intent(latest_charge=unknown))).fee is None


def test_authorization_says_until_when_it_can_be_captured() -> None:
    details = {"type": "card", "card": {"capture_before": 1_800_000_000}}
    held = charge(payment_method_details=details, balance_transaction=None, amount_captured=0)
    state = states.checkout_state(session(payment_intent=intent("requires_capture", latest_charge=held)))
    assert (state.authorized, state.fee) == (Money(12_500, "USD"), None)
    assert state.authorized_until == datetime.fromtimestamp(1_800_000_000, UTC)


@pytest.mark.parametrize(
    ("details", "method"), [("card", "card"), ("klarna", "klarna"), ("us_bank_account", "bank_debit")]
)
def test_method_is_the_one_of_the_charge(details: str, method: str) -> None:
    by = charge(payment_method_details={"type": details, details: {}})
    assert states.checkout_state(session(payment_intent=intent(latest_charge=by))).method == method


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ({"code": "card_declined", "decline_code": "generic_decline"}, "card_declined"),
        ({"code": "card_declined", "decline_code": "insufficient_funds"}, "insufficient_funds"),
        ({"code": "card_declined", "decline_code": "stolen_card"}, "card_declined"),
        ({"code": "expired_card", "decline_code": None}, "expired_card"),
        ({"code": "payment_intent_authentication_failure"}, "authentication_failed"),
        ({"type": "api_error"}, "card_declined"),
    ],
)
def test_decline_leaves_checkout_open_with_code(error: Json, code: str) -> None:
    declined = intent("requires_payment_method", last_payment_error={**error, "message": "No."})
    state = states.checkout_state(session("open", payment_intent=declined))
    assert (state.status, state.code, state.message) == (OPEN, code, "No.")


def test_failed_bank_debit_is_said_as_such() -> None:
    back = intent(
        "requires_payment_method",
        last_payment_error={"code": "debit_not_authorized", "message": "The bank refused it."},
        latest_charge=charge(status="failed", payment_method_details=DEBIT),
    )
    state = states.checkout_state(session(payment_intent=back))
    assert (state.status, state.code, state.method) == (FAILED, "bank_debit_failed", "bank_debit")


@pytest.mark.parametrize(
    ("of_session", "changes", "code"),
    [
        ("expired", {}, "checkout_expired"),
        ("expired", {"cancellation_reason": "automatic"}, "checkout_expired"),  # never authorized
        ("complete", {"cancellation_reason": "automatic", "latest_charge": charge()}, "authorization_lapsed"),
        ("complete", {"cancellation_reason": "requested_by_customer", "latest_charge": charge()}, ""),
    ],
)
def test_end_of_checkout_has_its_reason(of_session: str, changes: Json, code: str) -> None:
    state = states.checkout_state(session(of_session, payment_intent=intent("canceled", **changes)))
    assert (state.status, state.code) == (CLOSED, code)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("pending", RefundStatus.PENDING),
        ("requires_action", RefundStatus.PENDING),
        ("succeeded", RefundStatus.SUCCEEDED),
        ("failed", RefundStatus.FAILED),
        ("canceled", RefundStatus.FAILED),
    ],
)
def test_refund_has_status_reference_and_fee(status: str, expected: RefundStatus) -> None:
    read = states.refund(refund(status=status))
    assert (read.status, read.amount, read.reference) == (expected, Money(2_500, "USD"), "ref_1:refund:1")
    assert read.fee == Money(0, "USD")


def test_refunds_are_listed_oldest_first_with_those_of_the_dashboard() -> None:
    rows = [refund(id="re_2", metadata={}, balance_transaction=None, status="pending"), refund()]
    state = states.checkout_state(session(), rows)
    assert [(one.ref, one.reference, one.fee) for one in state.refunds] == [
        ("re_1", "ref_1:refund:1", Money(0, "USD")),
        ("re_2", "", None),
    ]


def test_rest_of_partly_captured_authorization_is_no_refund() -> None:
    part = intent(amount_received=10_000, latest_charge=charge(amount_captured=10_000))
    released = refund(metadata={}, balance_transaction=None)
    sent_back = refund(id="re_2", metadata={})
    state = states.checkout_state(session(payment_intent=part), [sent_back, released])
    assert [one.ref for one in state.refunds] == ["re_2"]


def test_fee_of_failed_refund_is_both_bookings() -> None:
    back = refund(
        status="failed",
        balance_transaction=balance(-2_500, 30),
        failure_balance_transaction=balance(2_500, -30),
    )
    assert states.refund(back).fee == Money(0, "USD")


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("needs_response", DisputeStatus.OPEN),
        ("under_review", DisputeStatus.OPEN),
        ("won", DisputeStatus.WON),
        ("lost", DisputeStatus.LOST),
        ("appeal_under_review", DisputeStatus.LOST),
    ],
)
def test_dispute_has_all_that_a_member_needs(status: str, expected: DisputeStatus) -> None:
    [read] = states.checkout_state(session(), (), [dispute(status=status)]).disputes
    assert (read.status, read.amount, read.reason) == (expected, Money(12_500, "USD"), "not_received")
    assert read.evidence_due_at == datetime.fromtimestamp(1_800_000_000, UTC)
    assert read.fee == Money(1_500, "USD")


def test_fee_of_won_dispute_is_given_back() -> None:
    booked = [balance(-12_500, 1_500, currency="eur"), balance(12_500, -1_500, currency="eur")]
    assert states.dispute(dispute(status="won", balance_transactions=booked)).fee is None


@pytest.mark.parametrize(
    ("status", "booked", "left_minor"),
    [
        ("lost", [balance(-12_500, 1_500), balance(2_500, 0)], 10_000),  # a part was refunded before
        ("lost", [balance(-11_250, 1_500, currency="eur"), balance(2_250, 0, currency="eur")], 10_000),
        ("lost", [balance(-12_500, 1_500), balance(12_500, -1_500)], 12_500),  # lost after it was won
        ("lost", [balance(-12_500, 1_500), balance(12_500, -1_500), balance(-12_500, 1_500)], 12_500),
        ("prevented", [balance(-12_500, 0)], 12_500),
    ],
)
def test_lost_dispute_takes_what_stays_with_the_customer(
    status: str, booked: list[Json], left_minor: int
) -> None:
    row = dispute(status=status, balance_transactions=booked)
    [read] = states.checkout_state(session(), (), [row]).disputes
    assert (read.status, read.amount) == (DisputeStatus.LOST, Money(left_minor, "USD"))


@pytest.mark.parametrize("status", ["warning_needs_response", "warning_closed", "prevented"])
def test_inquiry_that_moves_no_money_is_no_dispute(status: str) -> None:
    row: dict[str, Any] = dispute(status=status, balance_transactions=[])
    assert states.checkout_state(session(), (), [row]).disputes == ()
