"""Translates the errors of the SDK: a definite no becomes Refused with our code, everything else OutcomeUnknown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import stripe

from ..protocol import GatewayError, OutcomeUnknown, Refused
from .states import CANCELED_BY_STRIPE, decline_code

# Stripe's code → ours. docs.stripe.com/error-codes
_CODES = {
    "account_closed": "account_restricted",
    "account_invalid": "account_restricted",
    "amount_too_large": "amount_too_large",
    "amount_too_small": "amount_too_small",
    "balance_insufficient": "balance_insufficient",
    "charge_already_captured": "already_captured",
    "charge_already_refunded": "amount_too_large",
    "charge_disputed": "disputed",
    "charge_exceeds_source_limit": "amount_too_large",
    "charge_exceeds_transaction_limit": "amount_too_large",
    "charge_expired_for_capture": "authorization_lapsed",
    "charge_not_refundable": "not_refundable",
    "email_invalid": "invalid_detail",
    "insufficient_funds": "balance_insufficient",
    "invalid_charge_amount": "amount_too_large",
    "not_allowed_on_standard_account": "account_restricted",
    "payment_method_currency_mismatch": "currency_not_supported",
    "payment_method_not_available": "method_not_supported",
    "payment_method_unactivated": "method_not_supported",
    "platform_account_required": "account_restricted",
    "resource_missing": "not_found",
    "testmode_charges_only": "account_restricted",
    "url_invalid": "invalid_url",
}
_CODE_OF_ERROR: dict[type[stripe.StripeError], str] = {
    stripe.AuthenticationError: "unauthenticated",
    stripe.IdempotencyError: "idempotency_key_reused",
}
# Where Stripe gives no code: the parameter that it refuses, by its name or the beginning of it → ours.
_PARAMETERS = (
    ("amount", "amount_too_large"),
    ("allowed_payment_method_types", "method_not_supported"),
    ("payment_method_options", "method_not_supported"),
    ("currency", "currency_not_supported"),
    ("line_items[0][price_data][currency]", "currency_not_supported"),
    ("success_url", "invalid_url"),
    ("cancel_url", "invalid_url"),
    ("customer_email", "invalid_detail"),
    ("payment_intent_data[statement_descriptor_suffix]", "invalid_detail"),
    ("locale", "invalid_detail"),
    ("expires_at", "checkout_expired"),
)
# What an intent is that cannot be captured or canceled, or whose money cannot be sent back.
_UNEXPECTED_STATE = {
    "succeeded": "already_captured",
    "canceled": "not_authorized",
    "processing": "already_captured",
}


class RepeatedAnswer(OutcomeUnknown):
    """Stripe repeated the error of its own that an earlier call with the same key got: that call is over."""


def translate(error: stripe.StripeError) -> GatewayError:
    """Returns what the protocol says of an error of the SDK.

    A refusal keeps Stripe's text, which names the permission that a restricted key lacks and is written for people.
    """
    message = error.user_message or type(error).__name__
    status = error.http_status
    if type(error) in _CODE_OF_ERROR:
        return Refused(_CODE_OF_ERROR[type(error)], message)
    if isinstance(error, stripe.PermissionError):
        # The SDK keeps no code of it.
        return Refused(_CODES.get(_details(error).get("code") or "", "permission_missing"), message)
    if isinstance(error, stripe.CardError):
        return Refused(decline_code(_details(error)), message)
    if isinstance(error, stripe.InvalidRequestError):
        return Refused(_refusal_code(error), message)
    # No answer, one that cannot be read, 409 while the same key is at work, 429, and 5xx: none of them says that
    # nothing happened (P5).
    is_repeated = (error.headers or {}).get("idempotent-replayed") == "true"
    unknown = RepeatedAnswer if is_repeated else OutcomeUnknown
    return unknown(f"answered {status}: {message}" if status else f"no answer: {message}")


def _refusal_code(error: stripe.InvalidRequestError) -> str:
    if error.code in _CODES:
        return _CODES[error.code]
    if error.code == "payment_intent_unexpected_state":
        intent = _details(error).get("payment_intent") or {}
        if intent.get("cancellation_reason") in CANCELED_BY_STRIPE:
            return "authorization_lapsed"
        return _UNEXPECTED_STATE.get(intent.get("status", ""), "not_authorized")
    parameter = str(error.param or "")
    return next((code for start, code in _PARAMETERS if parameter.startswith(start)), "invalid_request")


def _details(error: stripe.StripeError) -> Mapping[str, Any]:
    """Returns the error object of the response as it came."""
    body = error.json_body
    details = body.get("error") if isinstance(body, Mapping) else None
    return details if isinstance(details, Mapping) else {}
