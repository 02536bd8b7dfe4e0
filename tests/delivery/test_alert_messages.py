"""Sentences of alerts, made from their kind and params."""

from __future__ import annotations

from typing import Any

import pytest

from partway.billing.models import Alert
from partway.delivery.messages.alerts import alert_message, resolution_message

FULL = {"amount_minor": 30_000, "currency": "USD"}
PART = {"amount_minor": 5_000, "currency": "USD"}

SENTENCES: list[tuple[str, dict[str, Any], str]] = [
    (
        "unwanted_payment",
        {"captured": FULL},
        "$300.00 came in after it was no longer wanted. It is the customer's credit: "
        "use it, or give it back and record the refund.",
    ),
    (
        "captured_amount_mismatch",
        {"captured": PART, "amount": FULL},
        "$50.00 was taken where $300.00 was asked. It is booked as taken: check it with the gateway.",
    ),
    (
        "captured_amount_missing",
        {"amount": FULL},
        "$300.00 was asked and money was taken, but the payment service does not say how much: check it there.",
    ),
    (
        "deposit_unallocated",
        {"reason": "exceeds_invoice", "left": PART, "quote": "QUO-0001", "invoice": "INV-0001"},
        "$50.00 of the deposit of QUO-0001 found no room on INV-0001. It is the customer's credit.",
    ),
    (
        "deposit_unallocated",
        {"reason": "invoice_voided", "left": FULL, "quote": "QUO-0001"},
        "The invoice that was to take the deposit of QUO-0001 is void. $300.00 is the customer's credit.",
    ),
    (
        "gateway_refused",
        {"amount": FULL, "gateway_message": "Account closed."},
        "The payment service refuses to say what became of $300.00: Account closed. Check it there.",
    ),
    (
        "payment_unsettled",
        {"amount": FULL},
        "Nobody knows yet what became of $300.00: the payment service has not settled it. Look it up there.",
    ),
    (
        "gateway_list_unavailable",
        {"reason": "refused", "gateway_message": "Account closed."},
        "For over a day nobody could read the payment service’s list of payments: it refuses. Account closed.",
    ),
    (
        "unmatched_callback",
        {"event_type": "checkout.captured"},
        "The payment service reported “checkout.captured” for a checkout Partway does not know: check it there.",
    ),
    (
        "unmatched_checkout",
        {"reason": "captured", "captured": FULL, "reference": "pay_1", "checkout_ref": "co_1"},
        "$300.00 was taken at the payment service for pay_1, and these books know nothing of co_1.",
    ),
    (
        "unmatched_checkout",
        {"reason": "begun", "captured": None, "reference": "pay_1", "checkout_ref": "co_1"},
        "A payment was begun at the payment service for pay_1, and these books know nothing of co_1.",
    ),
    (
        "booked_amount_mismatch",
        {"booked": FULL, "captured": PART},
        "$300.00 is booked, and the payment service says it took $50.00. Check it there.",
    ),
    (
        "refunded_at_gateway",
        {"refunded": PART, "captured": FULL},
        "$50.00 of $300.00 was sent back at the payment service, and these books do not show it yet.",
    ),
]


@pytest.mark.parametrize(("kind", "params", "message"), SENTENCES)
def test_alert_message_names_amounts_and_remedy(kind: str, params: dict[str, Any], message: str) -> None:
    assert alert_message(Alert(kind=kind, params=params)) == message


def test_alert_message_keeps_percent_signs_of_gateway_message() -> None:
    params = {"amount": FULL, "gateway_message": "100 % refused (%s)."}
    assert "100 % refused (%s)." in alert_message(Alert(kind="gateway_refused", params=params))


def test_resolution_message_is_text_of_member_or_auto_resolve_reason() -> None:
    assert resolution_message(Alert(resolution="Called Dana.")) == "Called Dana."
    assert resolution_message(Alert(auto_resolution="list_available")) == "The list is read again."
