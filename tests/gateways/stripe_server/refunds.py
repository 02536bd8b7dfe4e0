"""Refunds: of what was captured, in parts, never more; one that succeeded can fail days later."""

from __future__ import annotations

from . import balance, connect, events, faults, shapes
from .company import Account, change_metadata
from .errors import Json, StripeError, invalid
from .instruments import Instrument
from .lists import matches, page, shown

DAY = 86_400


def retrieve(account: Account, params: Json, id: str) -> Json:
    return shown(account, account.get("refund", id), params)


def list_refunds(account: Account, params: Json) -> Json:
    asked = [
        row for row in account.all("refund") if matches(row, params, "created", "charge", "payment_intent")
    ]
    return page(account, asked, params, url="/v1/refunds")


def update(account: Account, params: Json, id: str) -> Json:
    refund = account.get("refund", id)
    change_metadata(refund, params)
    return shown(account, refund, params)


def create(account: Account, params: Json) -> Json:
    charge = _charge_to_refund(account, params)
    rest = charge["amount_captured"] - charge_refunded(account, charge)
    amount = params.get("amount", rest)
    _check(account, charge, params, amount, rest)
    instrument: Instrument = account.hidden[charge["id"]]["instrument"]
    first, then = instrument.refund
    if faults.consume(account, ("refund_pending",)):
        first, then = "pending", ""
    refund = shapes.refund(account.new_id("pyr" if charge["id"].startswith("py") else "re"), account.now())
    refund.update(
        amount=amount,
        charge=charge["id"],
        currency=charge["currency"],
        destination_details=_destination(charge),
        payment_intent=charge["payment_intent"],
        payment_method=charge["payment_method"],
        reason=params.get("reason"),
        status=first,
    )
    if first == "pending":
        refund["pending_reason"] = "processing"
    change_metadata(refund, params)
    account.add(refund)
    kind = "refund" if charge["id"].startswith("ch") else "payment_refund"
    returned = connect.return_fee(account, charge, amount) if params.get("refund_application_fee") else 0
    fees = {"application_fee": -returned}
    own = balance.record(
        account, kind, -amount, charge["currency"], refund["id"], category="refund", fees=fees
    )
    refund["balance_transaction"] = own["id"]
    _count(account, charge)
    events.emit(account, "refund.created", refund)
    events.emit(account, "charge.refunded", charge)
    if then:
        account.later(DAY, lambda: settle(account, refund, then))
    return shown(account, refund, params)


def _charge_to_refund(account: Account, params: Json) -> Json:
    if "payment_intent" in params:
        intent = account.get("payment_intent", params["payment_intent"], status=404, param="payment_intent")
        charge = account.objects["charge"].get(intent["latest_charge"] or "")
        if charge is None or charge["status"] != "succeeded":
            raise invalid(
                f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund.",
                param="payment_intent",
            )
        return charge
    if "charge" in params:
        return account.get("charge", params["charge"], param="charge")
    raise invalid(
        "One of the following params should be provided for this request: payment_intent or charge.",
        code="parameter_missing",
    )


def _check(account: Account, charge: Json, params: Json, amount: int, rest: int) -> None:
    if not charge["captured"]:
        raise invalid(
            f"This uncaptured Charge was created by a PaymentIntent ({charge['payment_intent']}). You must cancel the "
            "PaymentIntent to reverse the authorization instead of refunding the Charge directly.",
        )
    if params.get("currency", charge["currency"]) != charge["currency"]:
        raise invalid(f"The currency of the charge is {charge['currency']}.", param="currency")
    if any(
        row["charge"] == charge["id"] and not row["is_charge_refundable"] and row["status"] != "won"
        for row in account.all("dispute")
    ):
        raise invalid(
            f"Charge {charge['id']} has been charged back; cannot issue a refund.",
            code="charge_disputed",
            param="charge",
        )
    if rest == 0:
        raise invalid(
            f"Charge {charge['id']} has already been refunded.",
            code="charge_already_refunded",
            param="charge",
        )
    if amount < 1:
        raise invalid("Invalid positive integer", code="parameter_invalid_integer", param="amount")
    if amount > rest:
        # Without a code, as at Stripe.
        whole = "charge amount" if rest == charge["amount_captured"] else "unrefunded amount on charge"
        raise invalid(f"Refund amount ({amount}) is greater than {whole} ({rest})", param="amount")
    if faults.consume(account, ("refund_refused",)):
        raise StripeError(
            400, "This charge cannot be refunded.", code="charge_not_refundable", param="charge"
        )


def _destination(charge: Json) -> Json:
    kind = charge["payment_method_details"]["type"]
    # A debit is not reversed: its refund is a transfer of its own.
    transfer = {"us_bank_account": "us_bank_transfer", "sepa_debit": "eu_bank_transfer"}.get(kind)
    if transfer is not None:
        return {"type": transfer, transfer: {"reference": None, "reference_status": None}}
    if kind != "card":
        return {"type": kind}
    shown_card = {
        "reference": None,
        "reference_status": "pending",
        "reference_type": "acquirer_reference_number",
        "type": "refund",
    }
    return {"type": "card", "card": shown_card}


def charge_refunded(account: Account, charge: Json) -> int:
    """Returns the sum of the refunds that did not fail, without releases of what was never captured."""
    return sum(
        row["amount"]
        for row in account.all("refund")
        if row["charge"] == charge["id"]
        and row["balance_transaction"] is not None
        and row["status"] not in ("failed", "canceled")
    )


def _count(account: Account, charge: Json) -> None:
    refunded = charge_refunded(account, charge)
    released = charge["amount"] - charge["amount_captured"]
    charge.update(amount_refunded=released + refunded, refunded=refunded == charge["amount_captured"])


def settle(account: Account, refund: Json, outcome: str, reason: str = "expired_or_canceled_card") -> None:
    """The bank ends a refund: `succeeded` or `failed`; a failed one returns its money to the balance."""
    previous = refund["status"]
    if previous in (outcome, "failed"):
        return
    refund["status"] = outcome
    refund.pop("pending_reason", None)
    charge = account.get("charge", refund["charge"])
    if outcome == "failed":
        kind = "refund_failure" if refund["id"].startswith("re") else "payment_failure_refund"
        returned = balance.record(
            account, kind, refund["amount"], refund["currency"], refund["id"], category="refund_failure"
        )
        refund.update(failure_balance_transaction=returned["id"], failure_reason=reason)
        _count(account, charge)
    for kind in ("refund.updated", "charge.refund.updated"):
        events.emit(account, kind, refund, {"status": previous})
    if outcome == "failed":
        events.emit(account, "refund.failed", refund)
