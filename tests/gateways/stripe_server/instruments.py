"""The cards and bank accounts of Stripe's test mode, and how each of them behaves.

Source: https://docs.stripe.com/testing, https://docs.stripe.com/payments/ach-direct-debit/accept-a-payment and
https://docs.stripe.com/payments/sepa-debit/accept-a-payment.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from .errors import Json

# Methods whose success is known days after the customer agreed.
DELAYED = frozenset({"sepa_debit", "us_bank_account"})

# Methods that can hold the money first, in a Checkout Session, since API 2025-09-30.
CAPTURES_LATER = frozenset(
    {
        *("affirm", "afterpay_clearpay", "alma", "amazon_pay", "billie", "card", "cashapp"),
        *("klarna", "link", "mobilepay", "revolut_pay", "satispay"),
    }
)

DAYS_UNTIL_SETTLED = {"us_bank_account": 4, "sepa_debit": 6}


@dataclass(frozen=True)
class Decline:
    """A refusal: `code` is that of the error, `decline_code` the reason that the bank gives for `card_declined`."""

    code: str
    decline_code: str
    message: str


@dataclass(frozen=True)
class Instrument:
    """A card or a bank account.

    `decline` happens at once to a card, and after some days to a bank debit. `dispute` is the reason of the dispute
    that follows the payment. `refund` is how its refunds go: the first status and the one that follows.
    """

    number: str
    method: str = "card"
    brand: str = "visa"
    decline: Decline | None = None
    authenticates: bool = False
    dispute: str = ""
    is_inquiry: bool = False
    disputes: int = 1
    refund: tuple[str, str] = ("succeeded", "")
    settles: bool = True  # a bank debit that does not stays in processing
    is_available_at_once: bool = False


def _declined(decline_code: str, message: str = "Your card was declined.") -> Decline:
    return Decline("card_declined", decline_code, message)


_FUNDS = _declined("insufficient_funds", "Your card has insufficient funds.")
TEST_CARD_IN_LIVE_MODE = _declined(
    "live_mode_test_card",
    "Your card was declined. Your request was in live mode, but used a known test card.",
)
LIVE_CARD_IN_TEST_MODE = _declined(
    "test_mode_live_card",
    "Your card was declined. Your request was in test mode, but used a non test (live) card. "
    "For a list of valid test cards, visit: https://stripe.com/docs/testing.",
)
WRONG_NUMBER = Decline("incorrect_number", "", "Your card number is incorrect.")
NOT_AUTHENTICATED = Decline(
    "payment_intent_authentication_failure",
    "",
    "We are unable to authenticate your payment method. Please choose a different payment method and try again.",
)

CARDS = {
    card.number: card
    for card in (
        Instrument("4242424242424242"),
        Instrument("4000056655665556"),
        Instrument("5555555555554444", brand="mastercard"),
        Instrument("5200828282828210", brand="mastercard"),
        Instrument("378282246310005", brand="amex"),
        Instrument("6011111111111117", brand="discover"),
        Instrument("4000002760000016"),
        Instrument("4000000000000077", is_available_at_once=True),
        # Declined
        Instrument("4000000000000002", decline=_declined("generic_decline")),
        Instrument("4000000000009995", decline=_FUNDS),
        Instrument("4000000000009987", decline=_declined("lost_card")),
        Instrument("4000000000009979", decline=_declined("stolen_card")),
        Instrument(
            "4000000000006975",
            decline=_declined(
                "card_velocity_exceeded",
                "Your card was declined for making repeated attempts too frequently or exceeding its amount limit.",
            ),
        ),
        # These three have no decline code.
        Instrument("4000000000000069", decline=Decline("expired_card", "", "Your card has expired.")),
        Instrument(
            "4000000000000127",
            decline=Decline("incorrect_cvc", "", "Your card's security code is incorrect."),
        ),
        Instrument(
            "4000000000000119",
            decline=Decline(
                "processing_error",
                "",
                "An error occurred while processing your card. Try again in a little bit.",
            ),
        ),
        Instrument("4000000000000341", decline=_declined("generic_decline")),
        Instrument("4100000000000019", decline=_declined("fraudulent")),
        # Authenticated by 3-D Secure
        Instrument("4000002500003155", authenticates=True),
        Instrument("4000002760003184", authenticates=True),
        Instrument("4000000000003220", authenticates=True),
        Instrument("4000008400001629", authenticates=True, decline=_declined("generic_decline")),
        Instrument("4000008260003178", authenticates=True, decline=_FUNDS),
        # Disputed
        Instrument("4000000000000259", dispute="fraudulent"),
        Instrument("4000000000002685", dispute="product_not_received"),
        Instrument("4000000000001976", dispute="fraudulent", is_inquiry=True),
        Instrument("4000004040000079", dispute="fraudulent", disputes=2),
        Instrument("4000000000005423"),  # an early fraud warning, which moves no money
        # Refunded
        Instrument("4000000000007726", refund=("pending", "succeeded")),
        Instrument("4000000000005126", refund=("succeeded", "failed")),
    )
}

# The test payment methods, by their id in the API.
TEST_METHODS = {
    "pm_card_visa": "4242424242424242",
    "pm_card_mastercard": "5555555555554444",
    "pm_card_visa_chargeDeclined": "4000000000000002",
    "pm_card_visa_chargeDeclinedInsufficientFunds": "4000000000009995",
    "pm_card_chargeDeclinedExpiredCard": "4000000000000069",
    "pm_card_chargeDeclinedIncorrectCvc": "4000000000000127",
    "pm_card_chargeDeclinedProcessingError": "4000000000000119",
    "pm_card_authenticationRequired": "4000002760003184",
    "pm_card_createDispute": "4000000000000259",
    "pm_card_createDisputeProductNotReceived": "4000000000002685",
    "pm_card_createDisputeInquiry": "4000000000001976",
}


def _us(number: str, code: str = "", message: str = "", **more: object) -> Instrument:
    decline = Decline(code, "", message) if code else None
    return replace(Instrument(number, method="us_bank_account", decline=decline), **more)  # type: ignore[arg-type]


def _sepa(number: str, *, fails: bool = False, **more: object) -> Instrument:
    decline = Decline("payment_intent_payment_attempt_failed", "", "The payment failed.") if fails else None
    return replace(Instrument(number, method="sepa_debit", decline=decline), **more)  # type: ignore[arg-type]


_WEEKLY_LIMIT = ("charge_exceeds_source_limit", "The payment exceeds the weekly volume limit of the account.")

BANK_ACCOUNTS = {
    account.number: account
    for account in (
        _us("000123456789"),
        _us("000111111113", "account_closed", "The bank account has been closed."),
        _us("000111111116", "no_account", "The bank account could not be located."),
        _us("000222222227", "insufficient_funds", "The bank account has insufficient funds."),
        _us("000777777771", *_WEEKLY_LIMIT),
        _us("000333333335", "debit_not_authorized", "Debit transactions are not authorized on this account."),
        _us("000555555559", dispute="debit_not_authorized"),
        _us("000000000009", settles=False),
        _sepa("DE89370400440532013000"),
        _sepa("AT611904300234573201"),
        _sepa("FR1420041010050500013M02606"),
        _sepa("DE08370400440532013003"),
        _sepa("DE62370400440532013001", fails=True),
        _sepa("DE78370400440532013004", fails=True),
        _sepa("AT861904300235473202", fails=True),
        _sepa("DE65370400440000343434", decline=Decline(_WEEKLY_LIMIT[0], "", _WEEKLY_LIMIT[1])),
        _sepa("DE35370400440532013002", dispute="debit_not_authorized"),
    )
}


def find_card(typed: str, *, livemode: bool) -> Instrument:
    """Returns the card with this number; one that is not of this mode is declined."""
    number = "".join(character for character in typed if character.isdigit())
    card = CARDS.get(number)
    if livemode:
        return Instrument(number) if card is None else replace(card, decline=TEST_CARD_IN_LIVE_MODE)
    if card is None:
        return Instrument(
            number, decline=LIVE_CARD_IN_TEST_MODE if _has_check_digit(number) else WRONG_NUMBER
        )
    return card


def find_bank_account(typed: str, method: str) -> Instrument:
    account = BANK_ACCOUNTS.get(typed.replace(" ", "").upper())
    return account if account is not None and account.method == method else Instrument(typed, method=method)


def _has_check_digit(number: str) -> bool:
    """Returns whether the last digit is right (Luhn)."""
    doubled = [int(digit) * 2 for digit in number[-2::-2]]
    plain = [int(digit) for digit in number[-1::-2]]
    return (
        len(number) > 11 and (sum(doubled) - 9 * sum(value > 9 for value in doubled) + sum(plain)) % 10 == 0
    )


def details(instrument: Instrument, amount: int, *, manual: bool, capture_before: int | None) -> Json:
    """Returns the `payment_method_details` of a charge."""
    shown = _DETAILS.get(instrument.method, lambda *_: {})(instrument, amount)
    if manual and instrument.method == "card":
        shown.update(amount_authorized=amount, capture_before=capture_before)
    return {"type": instrument.method, instrument.method: shown}


def _card(card: Instrument, amount: int) -> Json:
    return {
        "amount_authorized": None,
        "authorization_code": "123456",
        "brand": card.brand,
        "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
        "country": "US",
        "exp_month": 12,
        "exp_year": 2034,
        "extended_authorization": {"status": "disabled"},
        "fingerprint": f"fp{card.number[-10:]}",
        "funding": "credit",
        "incremental_authorization": {"status": "unavailable"},
        "installments": None,
        "last4": card.number[-4:],
        "mandate": None,
        "multicapture": {"status": "unavailable"},
        "network": card.brand,
        "network_token": {"used": False},
        "network_transaction_id": "100000000000000",
        "overcapture": {"maximum_amount_capturable": amount, "status": "unavailable"},
        "regulated_status": "unregulated",
        "three_d_secure": {
            "authentication_flow": "challenge",
            "electronic_commerce_indicator": "05",
            "exemption_indicator": None,
            "result": "authenticated",
            "result_reason": None,
            "transaction_id": "00000000-0000-4000-8000-000000000000",
            "version": "2.2.0",
        }
        if card.authenticates
        else None,
        "transaction_link_id": None,
        "wallet": None,
    }


def _us_bank_account(account: Instrument, amount: int) -> Json:
    del amount
    return {
        "account_holder_type": "individual",
        "account_type": "checking",
        "bank_name": "STRIPE TEST BANK",
        "expected_debit_date": None,
        "fingerprint": f"fp{account.number[-10:]}",
        "last4": account.number[-4:],
        "mandate": None,
        "payment_reference": None,
        "routing_number": "110000000",
    }


def _sepa_debit(account: Instrument, amount: int) -> Json:
    del amount
    return {
        "bank_code": account.number[4:12],
        "branch_code": "",
        "country": account.number[:2],
        "expected_debit_date": None,
        "fingerprint": f"fp{account.number[-10:]}",
        "last4": account.number[-4:],
        "mandate": None,
    }


_DETAILS = {"card": _card, "us_bank_account": _us_bank_account, "sepa_debit": _sepa_debit}
