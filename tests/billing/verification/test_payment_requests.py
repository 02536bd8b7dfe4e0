"""Tests of the checks of payment requests and the payments of them (R1 to R8)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from partway.accounts.models import GatewayAccount
from partway.billing.models import Customer, GatewayCall, Invoice, Mail, Payment, PaymentRequest
from partway.lib.clock import now
from tests.billing.verification.corruption import (
    Case,
    differences_of,
    duplicate,
    is_detected,
    overwrite,
    reported_as,
    without_constraint,
)
from tests.support import personas

HOUR = timedelta(hours=1)
OPEN = PaymentRequest.objects.filter(status="open")
DONE = PaymentRequest.objects.filter(status="paid")
WAITING = Payment.objects.filter(status__in=("pending", "capturing", "processing"))
CAME_IN = Payment.objects.filter(status="succeeded")
LINKS = Mail.objects.filter(kind="payment_request", payment_request__status="paid")
MUCH = {"amount_minor": 70_001}
DEBIT = {"status": "processing", "accepted": True}
CANCELED = {"status": "canceled", "cancel_reason": "by_member", "ended_at": now() + HOUR}

CORRUPTIONS: dict[str, Case] = {
    "two open requests": (
        "R1",
        "open beside another one",
        without_constraint(PaymentRequest, "one_open_payment_request_per_invoice", duplicate(OPEN)),
    ),
    "a request for more than is due": (
        "R2",
        "open for 70001 of",
        overwrite(OPEN, amount_requested_minor=70_001),
    ),
    "open request of void invoice": (
        "R2",
        "which is void",
        reported_as(OPEN, overwrite(Invoice, status="void")),
    ),
    "a request that expired before it was paid": (
        "R3",
        "the request had expired",
        reported_as(CAME_IN, overwrite(DONE, expires_at=now() - HOUR)),
    ),
    "expires_at differs from event": (
        "R3",
        "its event says None",
        overwrite(OPEN, expires_at=now() + HOUR),
    ),
    "pending payment above amount due": ("R3", "pending for 70001 of", overwrite(WAITING, **MUCH)),
    "capturing payment above amount due": (
        "R3",
        "capturing for 70001 of",
        overwrite(WAITING, status="capturing", **MUCH),
    ),
    "bank debit above amount due": ("R3", "processing for 70001 of", overwrite(WAITING, **DEBIT, **MUCH)),
    "pending payment of written-off invoice": (
        "R3",
        "which is written_off",
        reported_as(WAITING, overwrite(Invoice, status="written_off")),
    ),
    "pending payment of ended request": (
        "R4",
        "pending, but",
        reported_as(WAITING, overwrite(OPEN, **CANCELED)),
    ),
    "payment started after request ended": (
        "R4",
        "payment_request__ended_at",
        reported_as(CAME_IN, overwrite(DONE, ended_at=now() - HOUR)),
    ),
    "paid request without payment": (
        "R4",
        "paid, by 0 payments",
        overwrite(OPEN, status="paid", ended_at=now()),
    ),
    "canceled request with accepted payment": (
        "R4",
        "succeeded, but",
        reported_as(CAME_IN, overwrite(DONE, **CANCELED)),
    ),
    "mail queued after request ended": (
        "R5",
        "payment_request__ended_at",
        overwrite(LINKS, created_at=now() + HOUR),
    ),
    "unencrypted checkout URL": (
        "R8",
        "sealed_checkout_url can be read",
        overwrite(Payment, sealed_checkout_url="https://pay.example"),
    ),
    "unencrypted credentials": (
        "R8",
        "sealed_credentials can be read",
        overwrite(GatewayAccount, sealed_credentials="{}"),
    ),
}


@pytest.mark.parametrize("what", CORRUPTIONS)
def test_verify_finds_request_differences(waiting: Payment, what: str) -> None:
    assert is_detected(CORRUPTIONS[what])


def test_verify_finds_payment_by_request_of_another_invoice(paid: Payment, dana: Customer) -> None:
    other = personas.request_payment(personas.sent_invoice(dana))
    assert is_detected(("R3", "which is of another invoice", overwrite(Payment, payment_request=other)))


def test_verify_finds_open_request_after_pay_now(invoice: Invoice) -> None:
    request = personas.request_payment(invoice, 20_000)
    personas.captured_payment(invoice, 50_000)
    revived = {"status": "open", "cancel_reason": "", "ended_at": None, "created_at": now() - HOUR}
    assert is_detected(
        ("R6", "is before last_pay_now", overwrite(PaymentRequest.objects.filter(pk=request.pk), **revived))
    )


def test_verify_finds_gateway_call_with_unsealed_body(paid: Payment) -> None:
    GatewayCall.objects.create(payment=paid, operation="start", attempt=1, started_at=now())
    assert is_detected(("R8", "sealed_body can be read", overwrite(GatewayCall, sealed_body="{}")))


def test_verify_tolerates_delay_between_request_end_and_payment(paid: Payment) -> None:
    request = PaymentRequest.objects.get()
    Payment.objects.update(created_at=request.ended_at + timedelta(minutes=4))
    assert paid.pk not in {row for row, _ in differences_of("R4")}
