"""Charges: an attempt to pay an intent, and all that becomes of it: authorized, taken, failed, lapsed, settled."""

from __future__ import annotations

from . import balance, connect, disputes, events, faults, instruments, shapes
from .company import Account
from .errors import Json
from .instruments import DELAYED, Decline, Instrument
from .lists import matches, page, shown

DAY = 86_400
AUTHORIZED_FOR_DAYS = 7  # cards of customers who are present


def retrieve(account: Account, params: Json, id: str) -> Json:
    return shown(account, account.get("charge", id), params)


def list_charges(account: Account, params: Json) -> Json:
    asked = [
        row for row in account.all("charge") if matches(row, params, "created", "customer", "payment_intent")
    ]
    return page(account, asked, params, url="/v1/charges")


def captures_manually(intent: Json, method: str) -> bool:
    """Returns whether a payment by this method is authorized first; the method's option precedes the intent's."""
    option = intent["payment_method_options"].get(method, {}).get("capture_method", intent["capture_method"])
    return bool(option == "manual")


def submit(account: Account, intent: Json, instrument: Instrument) -> str:
    """Pays with an instrument; returns the status that the intent has then."""
    intent.update(payment_method=account.new_id("pm"), last_payment_error=None)
    account.hidden[intent["id"]]["instrument"] = instrument
    if instrument.authenticates:
        intent.update(
            status="requires_action",
            next_action={
                "type": "redirect_to_url",
                "redirect_to_url": {"return_url": None, "url": f"{account.url}/3ds/{intent['id']}"},
            },
        )
        events.emit(account, "payment_intent.requires_action", intent)
        return "requires_action"
    return _charge(account, intent, instrument)


def authenticate(account: Account, intent: Json, *, succeeds: bool) -> str:
    """Ends the authentication by 3-D Secure that the customer was asked for."""
    if intent["status"] != "requires_action":
        return str(intent["status"])
    intent["next_action"] = None
    if not succeeds:
        return _fail(account, intent, None, instruments.NOT_AUTHENTICATED)
    return _charge(account, intent, account.hidden[intent["id"]]["instrument"])


def _charge(account: Account, intent: Json, instrument: Instrument) -> str:
    manual = captures_manually(intent, instrument.method)
    charge = _new_charge(account, intent, instrument, manual=manual)
    if instrument.method in DELAYED:
        intent.update(status="processing", processing={"type": instrument.method})
        events.emit(account, "charge.pending", charge)
        events.emit(account, "payment_intent.processing", intent)
        if instrument.settles and account.settings.get("settles_by_itself", True):
            days = instruments.DAYS_UNTIL_SETTLED[instrument.method]
            account.later(days * DAY, lambda: settle(account, intent, fails=instrument.decline is not None))
        return "processing"
    if instrument.decline is not None:
        return _fail(account, intent, charge, instrument.decline)
    charge.update(
        status="succeeded",
        paid=True,
        outcome=_outcome("authorized", "approved_by_network", "Payment complete."),
        receipt_url=f"{account.url}/receipts/{charge['id']}",
    )
    if not manual:
        return succeed(account, intent, charge, intent["amount"])
    intent.update(status="requires_capture", amount_capturable=intent["amount"])
    events.emit(account, "charge.succeeded", charge)
    events.emit(account, "payment_intent.amount_capturable_updated", intent)
    account.later(AUTHORIZED_FOR_DAYS * DAY, lambda: lapse(account, intent))
    return "requires_capture"


def _new_charge(account: Account, intent: Json, instrument: Instrument, *, manual: bool) -> Json:
    # The charge of any method but a card is a payment, and its id says so.
    prefix = "ch" if instrument.method == "card" else "py"
    charge = shapes.charge(account.new_id(prefix), account.now(), livemode=account.livemode)
    charge.update(
        amount=intent["amount"],
        application=intent["application"],
        application_fee_amount=intent["application_fee_amount"],
        calculated_statement_descriptor=_descriptor(account, intent),
        currency=intent["currency"],
        description=intent["description"],
        metadata=dict(intent["metadata"]),
        payment_intent=intent["id"],
        payment_method=intent["payment_method"],
        payment_method_details=instruments.details(
            instrument,
            intent["amount"],
            manual=manual,
            capture_before=account.now() + AUTHORIZED_FOR_DAYS * DAY,
        ),
        receipt_email=intent["receipt_email"],
        statement_descriptor_suffix=intent["statement_descriptor_suffix"],
    )
    intent["latest_charge"] = charge["id"]
    account.hidden[charge["id"]]["instrument"] = instrument
    return account.add(charge)


def _descriptor(account: Account, intent: Json) -> str:
    prefix = account.resource["settings"]["payments"]["statement_descriptor"] or ""
    suffix = intent["statement_descriptor_suffix"]
    return f"{prefix}* {suffix}" if suffix else prefix


def _outcome(kind: str, network_status: str, message: str, reason: str | None = None) -> Json:
    return {
        "advice_code": None,
        "network_advice_code": None,
        "network_decline_code": None,
        "network_status": network_status,
        "reason": reason,
        "risk_level": "normal",
        "seller_message": message,
        "type": kind,
    }


def _fail(account: Account, intent: Json, charge: Json | None, decline: Decline) -> str:
    """The payment failed and another method can be tried; without a charge, it never reached the bank."""
    error: Json = {
        "type": "card_error" if charge is None or charge["id"].startswith("ch") else "invalid_request_error",
        "code": decline.code,
        "doc_url": f"https://stripe.com/docs/error-codes/{decline.code.replace('_', '-')}",
        "message": decline.message,
    }
    if decline.decline_code:
        error["decline_code"] = decline.decline_code
    if charge is not None:
        blocked = decline.decline_code == "fraudulent"
        charge.update(
            status="failed",
            paid=False,
            failure_code=decline.code,
            failure_message=decline.message,
            outcome=_outcome(
                "blocked" if blocked else "issuer_declined",
                "not_sent_to_network" if blocked else "declined_by_network",
                "The bank did not return any further details with this decline.",
                decline.decline_code or decline.code,
            ),
        )
        error["charge"] = charge["id"]
        events.emit(account, "charge.failed", charge)
    error["payment_method"] = {"id": intent["payment_method"], "object": "payment_method"}
    intent.update(
        status="requires_payment_method", payment_method=None, processing=None, last_payment_error=error
    )
    events.emit(account, "payment_intent.payment_failed", intent)
    return "requires_payment_method"


def succeed(account: Account, intent: Json, charge: Json, amount: int) -> str:
    """The money is taken: now there is a balance transaction, and with it the fee."""
    if fault := faults.consume(account, ("capture_other_amount",)):
        amount += fault.delta
    if fault := faults.consume(account, ("capture_other_currency",)):
        intent["currency"] = charge["currency"] = fault.currency
    kind = "charge" if charge["id"].startswith("ch") else "payment"
    currency = charge["currency"]
    fees = {
        "application_fee": connect.take_fee(account, charge, amount),
        "stripe_fee": balance.charge_fee(account, amount, currency),
    }
    transaction = balance.record(account, kind, amount, currency, charge["id"], category="charge", fees=fees)
    was_authorized = intent["status"] == "requires_capture"
    charge.update(
        status="succeeded",
        paid=True,
        captured=True,
        amount_captured=amount,
        balance_transaction=transaction["id"],
    )
    intent.update(
        status="succeeded", amount_capturable=0, amount_received=amount, processing=None, next_action=None
    )
    events.emit(account, "charge.captured" if was_authorized else "charge.succeeded", charge)
    events.emit(account, "payment_intent.succeeded", intent)
    disputes.follow(account, charge, account.hidden[charge["id"]]["instrument"])
    return "succeeded"


def cancel_intent(account: Account, intent: Json, reason: str | None) -> None:
    """Cancels, and releases what was authorized."""
    if intent["status"] == "requires_capture":
        charge = account.get("charge", intent["latest_charge"])
        release(
            account, charge, charge["amount"], "expired_uncaptured_charge" if reason == "automatic" else None
        )
        events.emit(account, "charge.expired" if reason == "automatic" else "charge.refunded", charge)
    intent.update(
        status="canceled",
        amount_capturable=0,
        canceled_at=account.now(),
        cancellation_reason=reason,
        next_action=None,
    )
    events.emit(account, "payment_intent.canceled", intent)


def release(account: Account, charge: Json, amount: int, reason: str | None = None) -> None:
    """Releases what was authorized and not captured. Stripe shows it as a refund, though no money has moved.

    Such a refund has no balance transaction, and its card was not credited: the authorization was reversed.
    """
    refund = shapes.refund(account.new_id("re"), account.now())
    refund.update(
        amount=amount,
        charge=charge["id"],
        currency=charge["currency"],
        destination_details={"type": "card", "card": {"type": "reversal"}},
        payment_intent=charge["payment_intent"],
        payment_method=charge["payment_method"],
        reason=reason,
    )
    account.add(refund)
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount"]
    events.emit(account, "refund.created", refund)


def lapse(account: Account, intent: Json) -> None:
    """The time for a capture has passed: the bank released the money."""
    if intent["status"] == "requires_capture":
        cancel_intent(account, intent, "automatic")


def settle(account: Account, intent: Json, *, fails: bool, decline: Decline | None = None) -> None:
    """The bank of the customer answered a debit that was processing."""
    if intent["status"] != "processing":
        return
    charge = account.get("charge", intent["latest_charge"])
    session = account.hidden[intent["id"]].get("session")
    if fails:
        known = decline or charge_decline(account, charge)
        _fail(account, intent, charge, known)
    else:
        succeed(account, intent, charge, intent["amount"])
    if session is not None:
        session["payment_status"] = "unpaid" if fails else "paid"
        outcome = "failed" if fails else "succeeded"
        events.emit(account, f"checkout.session.async_payment_{outcome}", session)


def charge_decline(account: Account, charge: Json) -> Decline:
    instrument: Instrument = account.hidden[charge["id"]]["instrument"]
    return instrument.decline or Decline("insufficient_funds", "", "The bank account has insufficient funds.")
