"""PaymentIntents: created for a session or by the API, confirmed, captured and canceled."""

from __future__ import annotations

from typing import Any

from . import charges, connect, events, faults, instruments, shapes
from .amounts import check_amount
from .company import Account, change_metadata
from .errors import Json, StripeError, invalid
from .instruments import Instrument
from .lists import matches, page, shown

_CAN_BE_CANCELED = (
    *("requires_payment_method", "requires_capture", "requires_reauthorization"),
    *("requires_confirmation", "requires_action", "processing"),
)


def retrieve(account: Account, params: Json, id: str) -> Json:
    params.pop("client_secret", None)
    return shown(account, account.get("payment_intent", id), params)


def list_intents(account: Account, params: Json) -> Json:
    asked = [row for row in account.all("payment_intent") if matches(row, params, "created", "customer")]
    return page(account, asked, params, url="/v1/payment_intents")


def create(account: Account, params: Json) -> Json:
    check_amount(account, params["amount"], params["currency"], param="amount")
    fee = params.get("application_fee_amount")
    connect.check_fee(account, fee, params["amount"], param="application_fee_amount")
    intent = new_intent(
        account,
        amount=params["amount"],
        application_fee_amount=fee,
        automatic_payment_methods={
            "enabled": True,
            "allow_redirects": params.get("automatic_payment_methods", {}).get("allow_redirects", "always"),
        },
        capture_method=params.get("capture_method", "automatic_async"),
        currency=params["currency"],
        description=params.get("description"),
        payment_method_options=params.get("payment_method_options", {}),
        payment_method_types=["card", "link"],
        receipt_email=params.get("receipt_email"),
        statement_descriptor_suffix=params.get("statement_descriptor_suffix"),
    )
    change_metadata(intent, params)
    if "payment_method" in params:
        _instrument(account, params["payment_method"])
        intent.update(payment_method=params["payment_method"], status="requires_confirmation")
    if params.get("confirm", False):
        return confirm(account, params, intent["id"])
    return shown(account, intent, params)


def confirm(account: Account, params: Json, id: str) -> Json:
    """Pays by one of the test payment methods; a decline is a 402 with the intent in the error."""
    intent = account.get("payment_intent", id, param="intent")
    if intent["status"] not in ("requires_payment_method", "requires_confirmation"):
        raise _unexpected_state(
            account, intent, f"You cannot confirm this PaymentIntent: it has a status of {intent['status']}."
        )
    method = params.get("payment_method", intent["payment_method"])
    if method is None:
        raise _unexpected_state(
            account,
            intent,
            "You cannot confirm this PaymentIntent because it's missing a payment method. Update the PaymentIntent "
            "with a payment method and then confirm it again.",
        )
    redirects = (intent["automatic_payment_methods"] or {}).get("allow_redirects") == "always"
    if redirects and "return_url" not in params:
        raise invalid(
            "This PaymentIntent is configured to accept payment methods enabled in your Dashboard. Because some of "
            "these payment methods might redirect your customer off of your page, you must provide a `return_url`. If "
            "you don't want to accept redirect-based payment methods, set `automatic_payment_methods[enabled]` to "
            "`true` and `automatic_payment_methods[allow_redirects]` to `never`.",
        )
    instrument = _instrument(account, method)
    if charges.submit(account, intent, instrument) == "requires_payment_method":
        error = intent["last_payment_error"]
        extra = {name: error[name] for name in ("charge", "decline_code") if name in error}
        raise StripeError(
            402,
            error["message"],
            code=error["code"],
            type="card_error",
            payment_intent=shown(account, intent, {}),
            **extra,
        )
    return shown(account, intent, params)


def _instrument(account: Account, method: str) -> Instrument:
    number = instruments.TEST_METHODS.get(method)
    if number is None or account.livemode:
        raise invalid(f"No such PaymentMethod: '{method}'", code="resource_missing", param="payment_method")
    return instruments.CARDS[number]


def new_intent(account: Account, **values: Any) -> Json:
    intent = shapes.payment_intent(account.new_id("pi"), account.now(), livemode=account.livemode)
    intent.update(values, application=account.application)
    account.add(intent)
    events.emit(account, "payment_intent.created", intent)
    return intent


def capture(account: Account, params: Json, id: str) -> Json:
    intent = account.get("payment_intent", id, param="intent")
    if intent["status"] == "requires_capture" and faults.consume(account, ("capture_too_late",)):
        charges.succeed(
            account, intent, account.get("charge", intent["latest_charge"]), intent["amount_capturable"]
        )
    if intent["status"] == "succeeded":
        raise _unexpected_state(
            account,
            intent,
            "This PaymentIntent could not be captured because it has already been captured.",
        )
    if intent["status"] != "requires_capture":
        raise _unexpected_state(
            account,
            intent,
            f"This PaymentIntent could not be captured because it has a status of {intent['status']}. Only a "
            "PaymentIntent with one of the following statuses may be captured: requires_capture.",
        )
    amount = params.get("amount_to_capture", intent["amount_capturable"])
    if amount > intent["amount_capturable"]:
        raise invalid(
            f"The requested capture amount is greater than the authorized amount: {intent['amount_capturable']}.",
            code="amount_too_large",
            param="amount_to_capture",
        )
    if amount < 1:
        raise invalid(
            "This value must be greater than or equal to 1.",
            code="parameter_invalid_integer",
            param="amount_to_capture",
        )
    change_metadata(intent, params)
    charge = account.get("charge", intent["latest_charge"])
    charges.succeed(account, intent, charge, amount)
    if amount < charge["amount"]:
        charges.release(account, charge, charge["amount"] - amount)
    return shown(account, intent, params)


def cancel(account: Account, params: Json, id: str) -> Json:
    intent = account.get("payment_intent", id, param="intent")
    session = account.hidden[id].get("session")
    if intent["status"] not in _CAN_BE_CANCELED:
        raise _unexpected_state(
            account,
            intent,
            f"You cannot cancel this PaymentIntent because it has a status of {intent['status']}. Only a "
            f"PaymentIntent with one of the following statuses may be canceled: {', '.join(_CAN_BE_CANCELED)}.",
        )
    if session is not None and intent["status"] != "requires_capture":
        raise _unexpected_state(
            account,
            intent,
            "You cannot cancel the PaymentIntent of a Checkout Session before it has a status of requires_capture. "
            "Expire the Checkout Session instead.",
        )
    charges.cancel_intent(account, intent, params.get("cancellation_reason"))
    return shown(account, intent, params)


def _unexpected_state(account: Account, intent: Json, message: str) -> StripeError:
    return invalid(message, code="payment_intent_unexpected_state", payment_intent=shown(account, intent, {}))
