"""Disputes: the bank of a customer takes money back, and may return it."""

from __future__ import annotations

from . import balance, events, shapes
from .company import Account
from .errors import Json, invalid
from .instruments import Instrument
from .lists import matches, page, shown

DAY = 86_400
EVIDENCE_DAYS = 7
_EVIDENCE = {"winning_evidence": "won", "losing_evidence": "lost"}
_ENDED = ("won", "lost", "warning_closed", "prevented")
# A debit that its bank returned cannot be contested: the dispute is lost when it arrives.
RETURNS = frozenset(
    {
        *("bank_cannot_process", "check_returned", "customer_initiated", "debit_not_authorized"),
        *("incorrect_account_details", "insufficient_funds"),
    }
)


def retrieve(account: Account, params: Json, id: str) -> Json:
    return shown(account, account.get("dispute", id), params)


def list_disputes(account: Account, params: Json) -> Json:
    asked = [
        row for row in account.all("dispute") if matches(row, params, "created", "charge", "payment_intent")
    ]
    return page(account, asked, params, url="/v1/disputes")


def follow(account: Account, charge: Json, instrument: Instrument) -> None:
    """Opens the dispute that a test card or a test account brings with it."""
    for _ in range(instrument.disputes if instrument.dispute else 0):
        # Of several disputes each takes its part.
        amount = charge["amount_captured"] // instrument.disputes
        open_dispute(
            account, charge, amount=amount, reason=instrument.dispute, is_inquiry=instrument.is_inquiry
        )


def open_dispute(
    account: Account,
    charge: Json,
    *,
    amount: int | None = None,
    reason: str = "fraudulent",
    evidence_days: float = EVIDENCE_DAYS,
    is_inquiry: bool = False,
) -> Json:
    """Opens a dispute of all or a part. An inquiry leaves the money where it is."""
    dispute = shapes.dispute(account.new_id("du"), account.now(), livemode=account.livemode)
    is_return = reason in RETURNS
    dispute.update(
        amount=charge["amount_captured"] if amount is None else amount,
        charge=charge["id"],
        currency=charge["currency"],
        is_charge_refundable=is_inquiry,
        payment_intent=charge["payment_intent"],
        payment_method_details=_method_details(charge, is_inquiry=is_inquiry),
        reason=reason,
        status="warning_needs_response" if is_inquiry else "needs_response",
    )
    if not is_return:
        dispute["evidence_details"]["due_by"] = int(account.time() + evidence_days * DAY)
    account.add(dispute)
    charge["disputed"] = True
    if not is_inquiry:
        _move(account, dispute, -1)
    events.emit(account, "charge.dispute.created", dispute)
    if not is_inquiry:
        events.emit(account, "charge.dispute.funds_withdrawn", dispute)
    if is_return:
        decide(account, dispute, "lost")
    return dispute


def _method_details(charge: Json, *, is_inquiry: bool) -> Json | None:
    if charge["payment_method_details"]["type"] != "card":
        return None
    brand = charge["payment_method_details"]["card"]["brand"]
    case, reason = ("inquiry", "10") if is_inquiry else ("chargeback", "10.4")
    return {
        "type": "card",
        "card": {"brand": brand, "case_type": case, "network": brand, "network_reason_code": reason},
    }


def _move(
    account: Account, dispute: Json, sign: int, amount: int | None = None, fee: int | None = None
) -> None:
    """Takes the money and the fee, or gives both back; unless told otherwise all of it."""
    amount = dispute["amount"] if amount is None else amount
    fee = account.settings.get("dispute_fee", balance.DISPUTE_FEE) if fee is None else fee
    category = "dispute" if sign < 0 else "dispute_reversal"
    dispute["balance_transactions"].append(
        balance.record(
            account,
            "adjustment",
            sign * amount,
            dispute["currency"],
            dispute["id"],
            category=category,
            fees={"stripe_fee": -sign * fee},
        )
    )


def decide(account: Account, dispute: Json, outcome: str, returned: int = 0) -> None:
    """The bank decides `won` or `lost`, also against its earlier decision, or ends an inquiry (`warning_closed`).

    One that is lost may be won in part, of which so much is `returned`.
    """
    previous = dispute["status"]
    if previous == outcome:
        return
    dispute["status"] = outcome
    away = -sum(row["amount"] for row in dispute["balance_transactions"])
    if outcome == "won" and away:
        _move(account, dispute, 1, away)
        events.emit(account, "charge.dispute.funds_reinstated", dispute)
    elif outcome == "lost" and not away:
        _move(account, dispute, -1)
        events.emit(account, "charge.dispute.funds_withdrawn", dispute)
    if returned:
        _move(account, dispute, 1, returned, fee=0)
        events.emit(account, "charge.dispute.funds_reinstated", dispute)
    if previous in _ENDED:
        events.emit(account, "charge.dispute.updated", dispute, {"status": previous})
    else:
        events.emit(account, "charge.dispute.closed", dispute)


def return_part(account: Account, dispute: Json, amount: int) -> None:
    """Gives back a part of what a lost dispute took; it stays lost, and the fee stays."""
    _move(account, dispute, 1, amount, fee=0)
    events.emit(account, "charge.dispute.funds_reinstated", dispute)
    events.emit(account, "charge.dispute.updated", dispute, {"balance_transactions": []})


def escalate(account: Account, dispute: Json) -> None:
    """An inquiry becomes a chargeback: now the money goes."""
    previous = dispute["status"]
    dispute.update(status="needs_response", is_charge_refundable=False)
    _move(account, dispute, -1)
    events.emit(account, "charge.dispute.updated", dispute, {"status": previous})
    events.emit(account, "charge.dispute.funds_withdrawn", dispute)


def update(account: Account, params: Json, id: str) -> Json:
    """Submits evidence; in test mode its text decides, as `winning_evidence`.

    Source: https://docs.stripe.com/testing#evidence. An inquiry that is lost is closed without a chargeback;
    `escalate_inquiry_evidence` makes it one.
    """
    dispute = account.get("dispute", id, param="dispute")
    if dispute["status"] in _ENDED:
        raise invalid("This dispute is already closed.", param="dispute")
    previous = dispute["status"]
    evidence = params.get("evidence") or {}
    dispute["evidence"].update({name: value or None for name, value in evidence.items()})
    dispute["evidence_details"]["has_evidence"] = True
    if params.get("submit", True):
        dispute["evidence_details"]["submission_count"] += 1
        dispute["evidence_details"]["submission_method"] = "manual"
        dispute["status"] = previous.replace("needs_response", "under_review")
    events.emit(account, "charge.dispute.updated", dispute, {"status": previous})
    text = dispute["evidence"]["uncategorized_text"]
    if not account.livemode and text in _EVIDENCE:
        is_inquiry = previous.startswith("warning")
        decide(account, dispute, "warning_closed" if is_inquiry else _EVIDENCE[text])
    if not account.livemode and text == "escalate_inquiry_evidence" and previous.startswith("warning"):
        escalate(account, dispute)
    return shown(account, dispute, params)


def close(account: Account, params: Json, id: str) -> Json:
    """Accepts a dispute: it is lost."""
    dispute = account.get("dispute", id, param="dispute")
    if dispute["status"] in _ENDED:
        raise invalid("This dispute is already closed.", param="dispute")
    decide(account, dispute, "lost")
    return shown(account, dispute, params)
