"""Sentences of alerts, made from their kind and params."""

from __future__ import annotations

from typing import Any

import pytest

from partway.billing.models import Alert
from partway.delivery.messages.alerts import alert_sentence, resolution_message

FULL = {"amount_minor": 30_000, "currency": "USD"}
PART = {"amount_minor": 5_000, "currency": "USD"}

SENTENCES: list[tuple[str, dict[str, Any], str]] = [
    (
        "unwanted_payment",
        {"captured": FULL},
        "$300.00 was paid after it was no longer due. It is the customer's credit: apply it to another "
        "invoice, or give it back and record the refund.",
    ),
    (
        "captured_amount_mismatch",
        {"captured": PART, "amount": FULL},
        "$50.00 was charged, but $300.00 was requested. The amount charged is booked: check it with the "
        "payment service.",
    ),
    (
        "captured_amount_missing",
        {"amount": FULL},
        "$300.00 was requested and the customer was charged, but the payment service does not report how "
        "much. Check it there.",
    ),
    (
        "deposit_unallocated",
        {"reason": "exceeds_invoice", "left": PART, "quote": "QUO-0001", "invoice": "INV-0001"},
        "$50.00 of the deposit of QUO-0001 could not be applied to INV-0001. It is the customer's credit.",
    ),
    (
        "deposit_unallocated",
        {"reason": "invoice_voided", "left": FULL, "quote": "QUO-0001"},
        "The invoice of QUO-0001 is void. $300.00 of its deposit is the customer's credit.",
    ),
    (
        "gateway_refused",
        {"amount": FULL, "gateway_message": "Account closed."},
        "The payment service does not report whether $300.00 was paid: Account closed. Check it there.",
    ),
    (
        "payment_unsettled",
        {"amount": FULL},
        "The payment of $300.00 has neither succeeded nor failed at the payment service yet. Look it up there.",
    ),
    (
        "gateway_list_unavailable",
        {"reason": "refused", "gateway_message": "Account closed."},
        "The payment service’s list of payments could not be read for over a day: the payment service "
        "refused. Account closed.",
    ),
    (
        "unmatched_callback",
        {"event_type": "checkout.captured"},
        "The payment service reported “checkout.captured” for a payment that is not recorded in Partway. "
        "Check it there.",
    ),
    (
        "unmatched_checkout",
        {"reason": "captured", "captured": FULL, "reference": "pay_1", "checkout_ref": "co_1"},
        "$300.00 was charged at the payment service for pay_1, but co_1 is not recorded in Partway.",
    ),
    (
        "unmatched_checkout",
        {"reason": "begun", "captured": None, "reference": "pay_1", "checkout_ref": "co_1"},
        "A payment was started at the payment service for pay_1, but co_1 is not recorded in Partway.",
    ),
    (
        "booked_amount_mismatch",
        {"booked": FULL, "captured": PART},
        "$300.00 is booked, but the payment service charged $50.00. Check it there.",
    ),
    (
        "fee_mismatch",
        {"booked": PART, "reported": FULL},
        "A fee of $50.00 is booked, but the payment service now reports $300.00. Check it there.",
    ),
    (
        "payout_changed",
        {"amount": FULL, "payout_ref": "po_1"},
        "The payment service now reports other entries or another amount for the payout of $300.00 (po_1). It stays "
        "as it was booked: check it there.",
    ),
    (
        "payout_failed",
        {"amount": FULL, "payout_ref": "po_1"},
        "The payout of $300.00 (po_1) failed: the money did not reach your bank account.",
    ),
    (
        "payout_does_not_add_up",
        {"amount": FULL, "payout_ref": "po_1", "items": PART, "reason": "sum"},
        "The payout of $300.00 (po_1) has entries that come to $50.00. Check it there.",
    ),
    (
        "payout_does_not_add_up",
        {"amount": FULL, "payout_ref": "po_1", "items": FULL, "reason": "item"},
        "In the payout of $300.00 (po_1) an entry is not its amount less its fee. Check it there.",
    ),
    (
        "payout_list_unavailable",
        {"reason": "no_answer", "gateway_message": ""},
        "The payment service’s list of payouts could not be read for days: the payment service does not respond.",
    ),
    (
        "refunded_at_gateway",
        {"refunded": PART, "captured": FULL, "reason": "not_due"},
        "$50.00 of $300.00 was refunded in the dashboard of the payment service. It is booked, and nothing of it is "
        "due on an invoice.",
    ),
    (
        "refunded_at_gateway",
        {"refunded": PART, "captured": FULL, "reason": "due_again"},
        "$50.00 of $300.00 was refunded in the dashboard of the payment service. It is booked: what it took off an "
        "invoice is due again there.",
    ),
    (
        "refunded_beyond_payment",
        {"refunded": FULL, "captured": FULL, "lost": PART},
        "$300.00 of $300.00 was refunded in the dashboard of the payment service, $50.00 more than was left of the "
        "payment.",
    ),
    (
        "refund_in_other_currency",
        {"refunded": PART, "captured": FULL},
        "$50.00 was refunded at the payment service for a payment of $300.00. It is not booked.",
    ),
    (
        "refund_failed",
        {"amount": FULL, "refund": "ref_1", "on_invoice": PART, "credit": PART},
        "The refund of $300.00 failed: the customer does not get the money. $50.00 of it is back on an invoice, and "
        "$50.00 is credit.",
    ),
    (
        "refund_failed",
        {"amount": FULL, "refund": "ref_1", "on_invoice": PART, "credit": PART, "reason": "covered"},
        "The refund of $300.00 failed: the customer does not get the money. $50.00 of it is back on an invoice and "
        "$50.00 is credit; the rest covers what was taken beyond the payment.",
    ),
    (
        "refund_failed",
        {"amount": FULL, "refund": "ref_1", "on_invoice": PART, "credit": PART, "reason": "disputed"},
        "The refund of $300.00 was not sent: meanwhile the customer’s bank asked more of this payment back than it "
        "would have left. $50.00 of it is back on an invoice and $50.00 is credit; the rest covers what was taken "
        "beyond the payment.",
    ),
    (
        "dispute_opened",
        {"amount": PART, "dispute": "dis_1", "evidence_due_at": ""},
        "The customer’s bank asks $50.00 of this payment back. Until that is decided, this part can neither be "
        "refunded nor used as credit.",
    ),
    (
        "dispute_opened",
        {"amount": PART, "dispute": "dis_1", "evidence_due_at": "", "reason": "evidence_over"},
        "The customer’s bank asks $50.00 of this payment back, and the time for evidence is over. Until that is "
        "decided, this part can neither be refunded nor used as credit.",
    ),
    (
        "dispute_lost",
        {"amount": PART, "dispute": "dis_1", "reason": "due_again"},
        "The dispute about $50.00 was lost, so the customer has this money again. What it took off an invoice is due "
        "again there.",
    ),
    (
        "dispute_lost",
        {"amount": PART, "dispute": "dis_1", "reason": "not_due"},
        "The dispute about $50.00 was lost, so the customer has this money again. Nothing of it is due on an invoice.",
    ),
    (
        "dispute_lost",
        {"amount": PART, "dispute": "dis_1", "reason": "returned_due_again"},
        "The customer’s bank returned $50.00 of a bank debit, so the customer has this money again. What it took off "
        "an invoice is due again there.",
    ),
    (
        "dispute_lost",
        {"amount": PART, "dispute": "dis_1", "reason": "returned_not_due"},
        "The customer’s bank returned $50.00 of a bank debit, so the customer has this money again. Nothing of it is "
        "due on an invoice.",
    ),
    (
        "disputed_beyond_payment",
        {"disputed": FULL, "captured": FULL, "lost": PART, "reason": "returned"},
        "$300.00 of a payment of $300.00 was returned by the customer’s bank, $50.00 more than was left of it.",
    ),
    (
        "disputed_beyond_payment",
        {"disputed": FULL, "captured": FULL, "lost": PART},
        "$300.00 of a payment of $300.00 is disputed, $50.00 more than is left of it.",
    ),
    (
        "disputed_beyond_payment",
        {"disputed": FULL, "captured": FULL, "lost": PART, "reason": "lost"},
        "$300.00 of a payment of $300.00 was lost in a dispute, $50.00 more than was left of it.",
    ),
    (
        "dispute_in_other_currency",
        {"disputed": PART, "captured": FULL},
        "$50.00 of a payment of $300.00 is disputed at the payment service. It is not booked.",
    ),
    (
        "refund_unsettled",
        {"amount": PART, "refund": "ref_1"},
        "The refund of $50.00 has neither succeeded nor failed at the payment service yet. Look it up there.",
    ),
]


@pytest.mark.parametrize(("kind", "params", "message"), SENTENCES)
def test_alert_message_names_amounts_and_remedy(kind: str, params: dict[str, Any], message: str) -> None:
    assert alert_sentence(kind, params) == message


def test_alert_message_keeps_percent_signs_of_gateway_message() -> None:
    params = {"amount": FULL, "gateway_message": "100 % refused (%s)."}
    assert "100 % refused (%s)." in alert_sentence("gateway_refused", params)


def test_resolution_message_is_text_of_member_or_auto_resolve_reason() -> None:
    assert resolution_message(Alert(resolution="Called Dana.")) == "Called Dana."
    assert resolution_message(Alert(auto_resolution="list_available")) == "The list can be read again."
