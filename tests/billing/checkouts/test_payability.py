"""The whitelist of what may be paid: each of its conditions refuses by itself, in its own words."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from partway.billing.checkouts import payability
from partway.billing.errors import NotPayable
from partway.billing.models import Invoice, Payment, PaymentRequest
from partway.lib.clock import now as present


@pytest.fixture
def _verify_books(db: None) -> None:
    """One thing is wrong with our rows at a time here, which the books would show as well."""


def request(**columns: object) -> Callable[[PaymentRequest], object]:
    return lambda asked: PaymentRequest.objects.filter(pk=asked.pk).update(**columns)


def invoice(**columns: object) -> Callable[[PaymentRequest], object]:
    return lambda asked: Invoice.objects.filter(pk=asked.invoice_id).update(**columns)


WRONG: dict[str, Callable[[PaymentRequest], object]] = {
    "canceled": request(status="canceled", cancel_reason="by_member", ended_at=present()),
    "expired": request(expires_at=present()),
    "void": invoice(status="void"),
    "payments_off": lambda asked: type(asked.organization).objects.update(payments_enabled=False),
    "settled": invoice(amount_paid_minor=100_000),
    "changed": invoice(amount_paid_minor=70_001),
}


def ask(asked: PaymentRequest) -> None:
    fresh = PaymentRequest.objects.get(pk=asked.pk)
    payability.check(fresh.invoice, fresh, checkout_started_at=present())


@pytest.mark.parametrize("reason", WRONG)
def test_unpayable_link_raises_not_payable_with_reason(asked: PaymentRequest, reason: str) -> None:
    ask(asked)
    WRONG[reason](asked)
    with pytest.raises(NotPayable) as refusal:
        ask(asked)
    assert refusal.value.reason == reason


def test_capture_above_amount_due_is_not_payable(asked: PaymentRequest) -> None:
    payment = Payment(
        invoice=asked.invoice, amount_minor=asked.invoice.amount_due_minor, created_at=present()
    )
    payability.check_capture(payment)
    payment.amount_minor += 1
    with pytest.raises(NotPayable):
        payability.check_capture(payment)
