"""Booking of gateway states: the same states end the same in any order and however often they are applied."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from partway.accounts.models import Organization
from partway.billing.errors import BillingError
from partway.billing.events import Actor, customer_actor, gateway_actor, record
from partway.billing.models import Alert, Allocation, Customer, Event, Invoice, Payment, PaymentRequest
from partway.billing.payments import booking
from partway.billing.payments.booking import GatewayAction
from partway.billing.requests import payment_requests
from partway.gateways.protocol import CheckoutState, CheckoutStatus
from partway.gateways.sandbox.capabilities import SandboxCapabilities
from partway.lib.clock import now as present
from partway.lib.money import Money
from tests.support import incremental_verify, personas

CANCEL = "a member cancels"
MOMENT = timedelta(seconds=1)


def state(status: CheckoutStatus, captured_minor: int = 30_000, currency: str = "USD") -> CheckoutState:
    captured = Money(captured_minor, currency) if status == CheckoutStatus.CAPTURED else None
    return CheckoutState(status, captured, None, "card", "", "")


@transaction.atomic
def apply(payment: Payment, reported: CheckoutState) -> GatewayAction | None:
    """Applies one state of the checkout, as payments.refresh does."""
    fresh = Payment.objects.select_related("payment_request").get(pk=payment.pk)
    fresh.document = Invoice.objects.locked(payment.invoice_id)
    return booking.apply(
        fresh,
        state=reported,
        capabilities=SandboxCapabilities(),
        by=gateway_actor("sandbox"),
        now=present(),
    )


def started(open_request: PaymentRequest) -> Payment:
    """A started payment with an open checkout; no gateway is running."""
    at, amount = (
        present(),
        {"amount_minor": open_request.amount_requested_minor, "currency": open_request.currency},
    )
    with transaction.atomic():
        payment = Payment.objects.create(
            organization=open_request.organization,
            invoice=open_request.invoice,
            payment_request=open_request,
            gateway_account=open_request.organization.gateway_accounts.get(),
            **amount,
            created_at=at,
            next_refresh_at=at,
        )
        record(
            "payment.started", payment, by=customer_actor(open_request.invoice.customer), now=at, data=amount
        )
    return payment


@pytest.fixture
def payment(open_request: PaymentRequest) -> Payment:
    """The started payment of the open request."""
    return started(open_request)


def end(payment: Payment) -> tuple[str, int, str]:
    payment.refresh_from_db()
    request, invoice = payment.payment_request, payment.invoice
    assert request is not None
    request.refresh_from_db()
    invoice.refresh_from_db()
    return payment.status, invoice.amount_paid_minor, request.status


@pytest.mark.parametrize(
    "order",
    list(
        permutations(
            [
                CheckoutStatus.OPEN,
                CheckoutStatus.AUTHORIZED,
                CheckoutStatus.PROCESSING,
                CheckoutStatus.CAPTURED,
            ]
        )
    ),
)
def test_captured_state_wins_in_any_order_of_reports(
    payment: Payment, order: tuple[CheckoutStatus, ...]
) -> None:
    for status in order:
        apply(payment, state(status))
    assert end(payment) == ("succeeded", 30_000, "paid")


@pytest.mark.left_to("sqlite")
@pytest.mark.long(10)
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from([*CheckoutStatus, CANCEL]), max_size=8))
def test_any_sequence_of_gateway_reports_keeps_books_consistent(
    dana: Customer, alice: Actor, reports: list[str]
) -> None:
    payment = started(personas.request_payment(personas.sent_invoice(dana)))
    for step in reports:
        if step != CANCEL:
            apply(payment, state(CheckoutStatus(step)))
            continue
        with suppress(BillingError):
            payment_requests.cancel(payment.payment_request, by=alice, now=present())
    settled = Event.objects.filter(payment=payment, type="payment.succeeded").count()
    assert settled == (end(payment)[0] == "succeeded") == (CheckoutStatus.CAPTURED in reports)
    assert incremental_verify.differences() == []


def test_failure_reported_after_success_is_ignored(payment: Payment) -> None:
    for status in (CheckoutStatus.CAPTURED, CheckoutStatus.FAILED, CheckoutStatus.CLOSED):
        apply(payment, state(status))
    assert end(payment) == ("succeeded", 30_000, "paid")


def test_capture_reported_after_failure_becomes_credit_with_alert(payment: Payment) -> None:
    for status in (CheckoutStatus.FAILED, CheckoutStatus.CAPTURED):
        apply(payment, state(status))
    assert end(payment) == ("succeeded", 0, "open")
    assert Alert.objects.get(payment=payment).kind == "unwanted_payment"


def test_capture_reported_after_cancel_becomes_credit_with_alert(
    payment: Payment, open_request: PaymentRequest, alice: Actor
) -> None:
    payment_requests.cancel(open_request, by=alice, now=present())
    for status in (CheckoutStatus.CLOSED, CheckoutStatus.CAPTURED):
        apply(payment, state(status))
    assert end(payment) == ("succeeded", 0, "canceled")
    assert Alert.objects.get(payment=payment).kind == "unwanted_payment"


def test_capture_decision_is_stored_before_gateway_call(payment: Payment) -> None:
    assert apply(payment, state(CheckoutStatus.AUTHORIZED)) == GatewayAction.CAPTURE
    assert end(payment)[0] == "capturing"


def test_authorization_of_expired_request_is_released(
    payment: Payment, open_request: PaymentRequest, alice: Actor
) -> None:
    dead = PaymentRequest.objects.filter(pk=open_request.pk)
    dead.update(expires_at=payment.created_at)
    assert apply(payment, state(CheckoutStatus.AUTHORIZED)) == GatewayAction.CLOSE
    assert end(payment) == ("releasing", 0, "open")
    dead.update(expires_at=None)  # no checkout begins that late, and `verify` says so


def test_authorization_while_closing_is_released(
    payment: Payment, open_request: PaymentRequest, alice: Actor
) -> None:
    payment_requests.cancel(open_request, by=alice, now=present())
    assert apply(payment, state(CheckoutStatus.AUTHORIZED)) == GatewayAction.CLOSE
    assert end(payment) == ("releasing", 0, "canceled")


def test_authorization_is_released_when_payments_are_disabled(payment: Payment) -> None:
    organization = payment.organization
    organization.payments_enabled = False
    organization.save()
    assert apply(payment, state(CheckoutStatus.AUTHORIZED)) == GatewayAction.CLOSE


def test_capturing_payment_stays_accepted_after_payments_are_disabled(payment: Payment) -> None:
    apply(payment, state(CheckoutStatus.AUTHORIZED))
    Organization.objects.update(payments_enabled=False)
    apply(payment, state(CheckoutStatus.PROCESSING))
    payment.refresh_from_db()
    assert (payment.status, payment.accepted) == ("processing", True)


def test_capture_in_other_currency_is_booked_unallocated_with_alert(payment: Payment) -> None:
    apply(payment, state(CheckoutStatus.CAPTURED, 30_000, "CAD"))
    assert end(payment)[:2] == ("succeeded", 0)
    payment.refresh_from_db()
    assert payment.captured == Money(30_000, "CAD")
    assert Alert.objects.get(payment=payment).kind == "captured_amount_mismatch"


def test_capture_without_amount_is_booked_after_amount_is_reported(payment: Payment) -> None:
    apply(payment, CheckoutState(CheckoutStatus.CAPTURED, None, None, "card", "", ""))
    assert end(payment)[1] == 0
    apply(payment, state(CheckoutStatus.CAPTURED))
    assert end(payment) == ("succeeded", 30_000, "paid")


def test_releasing_payment_with_unknown_captured_amount_raises_alert(
    payment: Payment, open_request: PaymentRequest, alice: Actor
) -> None:
    payment_requests.cancel(open_request, by=alice, now=present())
    apply(payment, state(CheckoutStatus.AUTHORIZED))
    apply(payment, CheckoutState(CheckoutStatus.CAPTURED, None, None, "card", "", ""))
    assert end(payment)[0] == "releasing"
    assert Alert.objects.get(payment=payment).kind == "captured_amount_missing"
    apply(payment, state(CheckoutStatus.CAPTURED))
    assert end(payment) == ("succeeded", 0, "canceled")


@pytest.mark.parametrize(
    "before", [[], [CheckoutStatus.AUTHORIZED], [CheckoutStatus.PROCESSING], [CheckoutStatus.FAILED]]
)
def test_capture_of_zero_fails_payment(payment: Payment, before: list[CheckoutStatus]) -> None:
    for status in (*before, CheckoutStatus.CAPTURED, CheckoutStatus.CAPTURED):
        apply(payment, state(status, 0))
    assert end(payment) == ("failed", 0, "open")


def test_capture_of_zero_of_canceled_request_cancels_payment(
    payment: Payment, open_request: PaymentRequest, alice: Actor
) -> None:
    payment_requests.cancel(open_request, by=alice, now=present())
    for status in (CheckoutStatus.AUTHORIZED, CheckoutStatus.CAPTURED):
        apply(payment, state(status, 0))
    assert end(payment) == ("canceled", 0, "canceled")


def test_late_capture_allocates_nothing(payment: Payment, open_request: PaymentRequest, alice: Actor) -> None:
    payment_requests.cancel(open_request, by=alice, now=present())
    apply(payment, state(CheckoutStatus.CAPTURED))
    assert end(payment) == ("succeeded", 0, "canceled")
    assert not Allocation.objects.exists()


def test_booking_one_payment_leaves_payment_of_another_invoice_pending(
    payment: Payment, dana: Customer
) -> None:
    other = started(personas.request_payment(personas.sent_invoice(dana)))
    apply(payment, state(CheckoutStatus.CAPTURED))
    assert end(other) == ("pending", 0, "open")


def test_expected_outcome_of_debit_follows_reports_and_is_not_forgotten(open_request: PaymentRequest) -> None:
    payment, first = started(open_request), present() + timedelta(days=4)
    for expected, stored in ((first, first), (None, first), (first + MOMENT, first + MOMENT)):
        apply(payment, replace(state(CheckoutStatus.PROCESSING), settles_by=expected))
        payment.refresh_from_db()
        assert (payment.status, payment.settles_by) == ("processing", stored)
