"""Payability is a whitelist: each condition refuses by itself, with its own reason."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from partway.billing.checkouts import payability
from partway.billing.errors import NotPayable
from partway.billing.models import Invoice, Payment, PaymentRequest
from partway.lib.clock import now as present


@pytest.fixture
def _verify_books(db: None) -> None:
    """Replaces the check of the books, which would report the row that each test damages."""


def request(**columns: object) -> Callable[[PaymentRequest], object]:
    return lambda open_request: PaymentRequest.objects.filter(pk=open_request.pk).update(**columns)


def invoice(**columns: object) -> Callable[[PaymentRequest], object]:
    return lambda open_request: Invoice.objects.filter(pk=open_request.invoice_id).update(**columns)


WRONG: dict[str, Callable[[PaymentRequest], object]] = {
    "canceled": request(status="canceled", cancel_reason="by_member", ended_at=present()),
    "expired": request(expires_at=present()),
    "void": invoice(status="void"),
    "payments_off": lambda open_request: type(open_request.organization).objects.update(
        payments_enabled=False
    ),
    "settled": invoice(amount_paid_minor=100_000),
    "changed": invoice(amount_paid_minor=70_001),
}


def ask(open_request: PaymentRequest) -> None:
    fresh = PaymentRequest.objects.get(pk=open_request.pk)
    payability.check(fresh.invoice, fresh, checkout_started_at=present())


@pytest.mark.parametrize("reason", WRONG)
def test_unpayable_link_raises_not_payable_with_reason(open_request: PaymentRequest, reason: str) -> None:
    ask(open_request)
    WRONG[reason](open_request)
    with pytest.raises(NotPayable) as refusal:
        ask(open_request)
    assert refusal.value.reason == reason


def test_capture_above_amount_due_is_not_payable(open_request: PaymentRequest) -> None:
    payment = Payment(
        invoice=open_request.invoice, amount_minor=open_request.invoice.amount_due_minor, created_at=present()
    )
    payability.check_capture(payment)
    payment.amount_minor += 1
    with pytest.raises(NotPayable):
        payability.check_capture(payment)
