"""Objects in the shape of Stripe's, with the fields that Partway reads, for tests of what is concluded from them."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]


def balance(amount: int = 12_500, fee: int = 200, **changes: object) -> Json:
    row: Json = {"id": "txn_1", "amount": amount, "fee": fee, "net": amount - fee, "currency": "usd"}
    return {**row, "type": "charge", "source": None, **changes}


def charge(**changes: object) -> Json:
    return {
        "id": "ch_1",
        "object": "charge",
        "status": "succeeded",
        "amount": 12_500,
        "amount_captured": 12_500,
        "payment_method_details": {"type": "card", "card": {"capture_before": None}},
        "balance_transaction": balance(),
        "refunds": {"data": []},
        "disputed": False,
        **changes,
    }


def intent(status: str = "succeeded", **changes: object) -> Json:
    is_taken = status == "succeeded"
    return {
        "id": "pi_1",
        "object": "payment_intent",
        "status": status,
        "currency": "usd",
        "amount": 12_500,
        "amount_received": 12_500 if is_taken else 0,
        "amount_capturable": 12_500 if status == "requires_capture" else 0,
        "last_payment_error": None,
        "cancellation_reason": None,
        "latest_charge": charge() if status in ("succeeded", "requires_capture", "processing") else None,
        "metadata": {"partway_payment": "pay_1"},
        **changes,
    }


def session(status: str = "complete", **changes: object) -> Json:
    row: Json = {"id": "cs_1", "object": "checkout.session", "status": status, "payment_intent": intent()}
    return {**row, "metadata": {"partway_payment": "pay_1"}, **changes}


def refund(**changes: object) -> Json:
    return {
        "id": "re_1",
        "object": "refund",
        "status": "succeeded",
        "amount": 2_500,
        "currency": "usd",
        "metadata": {"partway_refund": "ref_1:refund:1"},
        "balance_transaction": balance(-2_500, 0),
        "failure_balance_transaction": None,
        **changes,
    }


def dispute(**changes: object) -> Json:
    return {
        "id": "dp_1",
        "object": "dispute",
        "status": "needs_response",
        "amount": 12_500,
        "currency": "usd",
        "reason": "product_not_received",
        "evidence_details": {"due_by": 1_800_000_000},
        "balance_transactions": [balance(-12_500, 1_500)],
        **changes,
    }
