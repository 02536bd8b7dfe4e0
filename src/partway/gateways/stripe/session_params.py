"""The parameters of a Checkout Session: exactly the amount, on one line, by the methods that are allowed."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from ..protocol import CheckoutRequest, Refused
from . import amounts
from .capabilities import METHODS
from .states import ORGANIZATION_KEY, PAYMENT_KEY

# A session lives for at least thirty minutes after its creation *at Stripe*; clocks differ, and a call takes time.
GRACE_PERIOD = timedelta(minutes=4)

# Languages of Checkout besides the two letters of a language alone.
_LANGUAGES = (
    "bg cs da de el en es et fi fil fr hr hu id it ja ko lt lv ms mt nb nl pl pt ro ru sk sl sv th tr vi zh"
)
_REGIONS = frozenset({"en-GB", "es-419", "fr-CA", "pt-BR", "zh-HK", "zh-TW"})
_NOT_ON_STATEMENTS = re.compile(r"[^A-Za-z0-9 .,#/-]")
# A statement has 22 characters, of which the account's own prefix takes at most 10 and Stripe two.
_MAX_STATEMENT = 10


def session_params(request: CheckoutRequest) -> Any:
    """Returns the parameters of a session; raises Refused for what Stripe documents not to take.

    They depend on nothing but the request: the same key with other parameters is refused.
    """
    units, currency = amounts.to_stripe(request.amount), request.amount.currency
    # Stripe offers those of them that are switched on in its dashboard; it refuses none of the others.
    allowed = request.methods or METHODS
    fitting = [name for name in allowed if name in METHODS and METHODS[name].takes(currency)]
    if not fitting:
        raise Refused("method_not_supported", f"None of the allowed payment methods takes {currency}.")
    ours = {PAYMENT_KEY: request.reference, ORGANIZATION_KEY: request.organization}
    metadata = {name: value for name, value in ours.items() if value}
    intent: dict[str, Any] = {"description": request.description, "metadata": metadata}
    options: dict[str, Any] = {
        name: {"capture_method": "manual"} for name in fitting if METHODS[name].authorizes
    }
    if "us_bank_account" in fitting:
        # By small deposits it would take days in which the session is over and nothing is moving.
        options["us_bank_account"] = {"verification_method": "instant"}
    statement = statement_suffix(request.statement)
    if statement and "card" in fitting:
        intent["statement_descriptor_suffix"] = statement
    params: dict[str, Any] = {
        "mode": "payment",
        "client_reference_id": request.reference,
        "metadata": metadata,
        "payment_intent_data": intent,
        "allowed_payment_method_types": fitting,
        "payment_method_options": options,
        # Stripe would show, and take, another currency to some customers; the invoice has one.
        "adaptive_pricing": {"enabled": False},
        "line_items": [
            {
                "quantity": 1,
                "price_data": {
                    "currency": currency.lower(),
                    "unit_amount": units,
                    "product_data": {"name": request.description[:250]},
                },
            }
        ],
        "success_url": request.return_url,
        "cancel_url": request.cancel_url or request.return_url,
        "expires_at": int((request.expires_at + GRACE_PERIOD).timestamp()),
        "locale": checkout_locale(request.locale),
    }
    if request.application_fee:
        intent["application_fee_amount"] = amounts.part_to_stripe(request.application_fee)
    if request.customer_email:
        params["customer_email"] = request.customer_email
    return params


def checkout_locale(name: str) -> str:
    """Returns Checkout's name of a language of ours, as `pt_BR`; `auto` leaves it to the browser."""
    tag = name.replace("_", "-")
    if tag in _REGIONS:
        return tag
    language = tag.partition("-")[0]
    return language if language in _LANGUAGES.split() else "auto"


def statement_suffix(number: str) -> str:
    """Returns what a statement shows of the number of a document: its end, which tells it from others."""
    plain = _NOT_ON_STATEMENTS.sub("", number)
    end = plain[-_MAX_STATEMENT:].strip()
    # Stripe wants a letter in each part of a statement.
    has_letter = not end or any(letter.isalpha() for letter in end)
    return end if has_letter else f"NO {plain[3 - _MAX_STATEMENT :]}"
