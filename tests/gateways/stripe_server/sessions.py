"""Checkout Sessions: opened by us, paid by the customer on Stripe's page, expired by either or by time."""

from __future__ import annotations

from . import amounts, charges, connect, events, faults, intents, shapes
from .company import Account, change_metadata
from .errors import InvalidParameters, Json, invalid
from .instruments import BANK_ACCOUNTS, CAPTURES_LATER, Instrument
from .lists import matches, page, shown

MINUTE, DAY = 60, 86_400
EXPIRES_AFTER_AT_LEAST, EXPIRES_AFTER_AT_MOST = 30 * MINUTE, DAY

METHODS = ("card", "link", "us_bank_account", "sepa_debit", "klarna", "cashapp", "alma", "amazon_pay")

# By the method: the capability that an account needs for it, where its name is another.
_CAPABILITY = {
    "card": "card_payments",
    "us_bank_account": "us_bank_account_ach_payments",
}

# Of the 22 characters of a statement; the prefix of the account takes some of them.
MAX_SUFFIX = 22


def create(account: Account, params: Json) -> Json:
    if not account.resource["charges_enabled"]:
        raise invalid(
            "Your account cannot currently make charges. "
            "Visit https://dashboard.stripe.com/account to see what is needed.",
            code="account_invalid",
        )
    session = shapes.checkout_session(
        account.new_id(f"cs_{'live' if account.livemode else 'test'}", 60),
        account.now(),
        livemode=account.livemode,
    )
    if params.get("mode") != "payment":
        raise invalid("Only payments can be made here.", param="mode")
    _fill_lines(account, session, params)
    _fill_methods(account, session, params)
    session["expires_at"] = _expiry(account, params)
    for name in (
        "cancel_url",
        "client_reference_id",
        "customer_email",
        "locale",
        "submit_type",
        "success_url",
    ):
        session[name] = params.get(name)
    if "success_url" not in params and params.get("ui_mode", "hosted_page") == "hosted_page":
        raise invalid("Missing required param: success_url.", code="parameter_missing", param="success_url")
    _check_details(params)
    fee = params.get("payment_intent_data", {}).get("application_fee_amount")
    connect.check_fee(
        account, fee, session["amount_total"], param="payment_intent_data[application_fee_amount]"
    )
    session["adaptive_pricing"]["enabled"] = params.get("adaptive_pricing", {}).get("enabled", True)
    session["url"] = f"{account.settings.get('checkout_url', account.url)}/c/pay/{session['id']}"
    change_metadata(session, params)
    hidden = account.hidden[session["id"]]
    hidden["intent_data"] = params.get("payment_intent_data", {})
    account.add(session)
    account.later(session["expires_at"] - account.time(), lambda: expire_session(account, session))
    return shown(account, session, params)


def _check_details(params: Json) -> None:
    """Refuses an address of mail and a suffix for statements as Stripe documents them not to be."""
    email = params.get("customer_email")
    if email is not None and not (email.isascii() and "." in email.rpartition("@")[2]):
        raise invalid(f"Invalid email address: {email}", code="email_invalid", param="customer_email")
    suffix = params.get("payment_intent_data", {}).get("statement_descriptor_suffix")
    if suffix is not None and (
        set(suffix) & set("<>\\'\"*") or not any(map(str.isalpha, suffix)) or len(suffix) > MAX_SUFFIX
    ):
        raise invalid(
            "The statement descriptor suffix must have a letter, and none of < > \\ ' \" *.",
            param="payment_intent_data[statement_descriptor_suffix]",
        )


def _fill_lines(account: Account, session: Json, params: Json) -> None:
    lines = []
    for number, given in enumerate(params.get("line_items", [])):
        price, param = given.get("price_data"), f"line_items[{number}][price_data]"
        if price is None:
            raise invalid(f"You must specify either `price` or `price_data` for {param}.", param=param)
        if "unit_amount" not in price:
            raise invalid(
                f"Missing required param: {param}[unit_amount].",
                code="parameter_missing",
                param=f"{param}[unit_amount]",
            )
        if "product" not in price and not price.get("product_data", {}).get("name"):
            raise invalid(f"You must specify `product` or `product_data` for {param}.", param=param)
        quantity = given.get("quantity", 1)
        amount = quantity * price["unit_amount"]
        amounts.check_amount(
            account,
            amount,
            price["currency"],
            param=f"{param}[unit_amount]",
            what="The Checkout Session's total amount",
        )
        lines.append(
            {
                "id": account.new_id("li"),
                "object": "item",
                "amount_discount": 0,
                "amount_subtotal": amount,
                "amount_tax": 0,
                "amount_total": amount,
                "currency": price["currency"],
                "description": price.get("product_data", {}).get("name"),
                "price": None,
                "quantity": quantity,
            }
        )
    if not lines:
        raise invalid("Missing required param: line_items.", code="parameter_missing", param="line_items")
    if len({line["currency"] for line in lines}) > 1:
        raise invalid("All line items must have the same currency.", param="line_items")
    total = sum(line["amount_total"] for line in lines)
    session.update(amount_subtotal=total, amount_total=total, currency=lines[0]["currency"])
    account.hidden[session["id"]]["line_items"] = lines


def _fill_methods(account: Account, session: Json, params: Json) -> None:
    """Offers what is active for the account and fits; a list of allowed methods only narrows that down.

    A method that is allowed and does not fit is left out without an error, until none is left. `payment_method_types`
    is no parameter any more in this version of the API.
    """
    currency, capabilities = session["currency"], account.resource["capabilities"]
    allowed = params.get("allowed_payment_method_types") or METHODS
    excluded = params.get("excluded_payment_method_types") or ()
    holds_all = params.get("payment_intent_data", {}).get("capture_method") == "manual"
    offered = [
        method
        for method in METHODS
        if capabilities.get(_CAPABILITY.get(method, f"{method}_payments")) == "active"
        and currency in amounts.CURRENCIES_OF.get(method, {currency})
        and (method in CAPTURES_LATER or not holds_all)
        and method in allowed
        and method not in excluded
    ]
    if not offered:
        raise invalid(
            "No valid payment method types for this Checkout Session. Please ensure that you have activated payment "
            "methods compatible with your chosen currency in your dashboard "
            "(https://dashboard.stripe.com/settings/payment_methods) or specify payment methods that fit.",
        )
    options = params.get("payment_method_options", {})
    if "card" in options:
        options["card"].setdefault("request_three_d_secure", "automatic")
    session.update(
        allowed_payment_method_types=params.get("allowed_payment_method_types"),
        excluded_payment_method_types=params.get("excluded_payment_method_types"),
        payment_method_types=offered,
        payment_method_options=options,
    )


def _expiry(account: Account, params: Json) -> int:
    """Returns when the session expires: between 30 minutes and 24 hours from now, by the clock of Stripe."""
    expires_at = params.get("expires_at", account.now() + EXPIRES_AFTER_AT_MOST)
    if expires_at < account.now() + EXPIRES_AFTER_AT_LEAST:
        raise InvalidParameters(
            "The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation.",
            param="expires_at",
        )
    if expires_at > account.now() + EXPIRES_AFTER_AT_MOST:
        raise InvalidParameters(
            "The `expires_at` timestamp must be less than 24 hours from Checkout Session creation.",
            param="expires_at",
        )
    return int(expires_at)


def retrieve(account: Account, params: Json, id: str) -> Json:
    return shown(account, account.get("checkout.session", id), params)


def list_sessions(account: Account, params: Json) -> Json:
    names = ("created", "customer", "payment_intent", "payment_link", "status", "subscription")
    asked = [row for row in account.all("checkout.session") if matches(row, params, *names)]
    return page(account, asked, params, url="/v1/checkout/sessions")


def list_line_items(account: Account, params: Json, id: str) -> Json:
    session = account.get("checkout.session", id)
    url = f"/v1/checkout/sessions/{id}/line_items"
    return page(account, account.hidden[session["id"]]["line_items"], params, url=url)


def update(account: Account, params: Json, id: str) -> Json:
    session = account.get("checkout.session", id)
    change_metadata(session, params)
    return shown(account, session, params)


def expire(account: Account, params: Json, id: str) -> Json:
    session = account.get("checkout.session", id, param="session")
    if session["status"] == "open" and faults.consume(account, ("pay_before_expiry",)):
        pay(account, session, BANK_ACCOUNTS["000123456789"], {})
    if session["status"] != "open":
        raise invalid(
            f'Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has a status of '
            f"`{session['status']}`.",
            param="session",
        )
    expire_session(account, session)
    return shown(account, session, params)


def expire_session(account: Account, session: Json) -> None:
    """Expires an open session and cancels the intent that an attempt to pay has left."""
    if session["status"] != "open":
        return
    session.update(status="expired", url=None)
    intent = account.objects["payment_intent"].get(session["payment_intent"] or "")
    if intent is not None:
        charges.cancel_intent(account, intent, "expired")
    events.emit(account, "checkout.session.expired", session)


def pay(account: Account, session: Json, instrument: Instrument, customer: Json) -> str:
    """The customer submits the page; returns the status of the intent, which exists from now on."""
    intent = _intent_of(account, session)
    session["customer_details"] = customer
    return _complete(account, session, charges.submit(account, intent, instrument))


def authenticate(account: Account, session: Json, *, succeeds: bool) -> str:
    """The customer has answered the bank's question (3-D Secure)."""
    intent = account.get("payment_intent", session["payment_intent"])
    return _complete(account, session, charges.authenticate(account, intent, succeeds=succeeds))


def _intent_of(account: Account, session: Json) -> Json:
    if session["payment_intent"]:
        return account.get("payment_intent", session["payment_intent"])
    data = account.hidden[session["id"]]["intent_data"]
    intent = intents.new_intent(
        account,
        amount=session["amount_total"],
        application_fee_amount=data.get("application_fee_amount"),
        capture_method=data.get("capture_method", "automatic_async"),
        currency=session["currency"],
        description=data.get("description"),
        metadata=dict(data.get("metadata", {})),
        payment_method_options=session["payment_method_options"],
        payment_method_types=list(session["payment_method_types"]),
        receipt_email=data.get("receipt_email"),
        statement_descriptor_suffix=data.get("statement_descriptor_suffix"),
    )
    account.hidden[intent["id"]]["session"] = session
    session["payment_intent"] = intent["id"]
    return intent


def _complete(account: Account, session: Json, status: str) -> str:
    """Completes the session; that of a payment that was only authorized stays unpaid, even when it is captured."""
    if status in ("succeeded", "requires_capture", "processing"):
        session.update(status="complete", url=None)
        if status == "succeeded":
            session["payment_status"] = "paid"
        events.emit(account, "checkout.session.completed", session)
    return status
