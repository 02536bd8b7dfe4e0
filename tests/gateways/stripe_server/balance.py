"""The balance of an account: a transaction for each movement of money, and the payouts that take them out."""

from __future__ import annotations

from . import events, shapes
from .amounts import THREE_DECIMAL, WHOLE_PAYOUTS, settlement
from .company import Account
from .errors import Json, invalid
from .lists import matches, page, shown

DAY = 86_400

# Of a charge, in the currency that it settles in: 1.4 % and 0.25, unless the settings of the account say otherwise.
FEE_PER_THOUSAND, FEE_FIXED, FEE_FIXED_THREE_DECIMALS = 14, 25, 80
DISPUTE_FEE = 1500

_FEES = {
    ("application_fee", "charge"): "application fee",
    ("application_fee", "refund"): "application fee refund",
    ("stripe_fee", "dispute"): "Dispute fee",
    ("stripe_fee", "dispute_reversal"): "Dispute fee refund",
}


def record(
    account: Account,
    kind: str,
    amount: int,
    currency: str,
    source: str,
    *,
    category: str,
    fees: dict[str, int] | None = None,
) -> Json:
    """Adds a transaction to the balance; amount and fees are in the currency of the payment, and converted."""
    settled, rate = settlement(account, currency)
    transaction = shapes.balance_transaction(account.new_id("txn"), account.now())
    details = [
        {
            "amount": round(fee * rate),
            "application": account.application if name == "application_fee" else None,
            "currency": settled,
            "description": _FEES.get((name, category), "Stripe processing fees"),
            "type": name,
        }
        for name, fee in (fees or {}).items()
        if fee
    ]
    amount, fee = round(amount * rate), sum(detail["amount"] for detail in details)
    transaction.update(
        amount=amount,
        available_on=account.now() + 2 * DAY,
        currency=settled,
        exchange_rate=rate if settled != currency else None,
        fee=fee,
        fee_details=details,
        net=amount - fee,
        reporting_category=category,
        source=source,
        type=kind,
    )
    return account.add(transaction)


def charge_fee(account: Account, amount: int, currency: str) -> int:
    fixed = FEE_FIXED_THREE_DECIMALS if currency in THREE_DECIMAL else FEE_FIXED
    per_thousand = account.settings.get("fee_per_thousand", FEE_PER_THOUSAND)
    return (2 * amount * per_thousand + 1000) // 2000 + account.settings.get("fee_fixed", fixed)


def retrieve_transaction(account: Account, params: Json, id: str) -> Json:
    return shown(account, account.get("balance_transaction", id), params)


def list_transactions(account: Account, params: Json) -> Json:
    """Lists them by their payout, too: then with the transaction of the payout itself, which takes the money out.

    That is possible for automatic payouts only, and only once Stripe has found out what they are made of.
    """
    if "payout" in params:
        payout = account.get("payout", params["payout"], param="payout")
        if not payout["automatic"]:
            raise invalid(
                "Balance transaction history can only be filtered on automatic transfers, not manual.",
                param="payout",
            )
        if payout["reconciliation_status"] != "completed":
            raise invalid(
                f"The reconciliation of payout {payout['id']} is not completed yet.",
                code="payout_reconciliation_not_ready",
                param="payout",
            )
    asked = [
        row
        for row in account.all("balance_transaction")
        if matches(row, params, "created", "currency", "source", "type")
        and params.get("payout", "") in ("", account.hidden[row["id"]].get("payout"))
    ]
    return page(account, asked, params, url="/v1/balance_transactions")


def retrieve_balance(account: Account, params: Json) -> Json:
    """Returns the balance by currency; all that is not paid out yet is pending."""
    sums: dict[str, int] = {}
    for row in account.all("balance_transaction"):
        if "payout" not in account.hidden[row["id"]]:
            sums[row["currency"]] = sums.get(row["currency"], 0) + row["net"]
    pending = [
        {"amount": amount, "currency": code, "source_types": {"card": amount}}
        for code, amount in sums.items()
    ]
    nothing = [{**row, "amount": 0, "source_types": {"card": 0}} for row in pending]
    shown_balance = {
        "object": "balance",
        "available": nothing,
        "livemode": account.livemode,
        "pending": pending,
    }
    return shown(account, shown_balance, params)


def retrieve_payout(account: Account, params: Json, id: str) -> Json:
    return shown(account, account.get("payout", id), params)


def list_payouts(account: Account, params: Json) -> Json:
    asked = [
        row for row in account.all("payout") if matches(row, params, "arrival_date", "created", "status")
    ]
    return page(account, asked, params, url="/v1/payouts")


def pay_out_by_hand(account: Account, amount: int, currency: str) -> Json:
    """Pays out an amount as a person asks for it in the dashboard; Stripe does not say what it is made of."""
    payout = _new_payout(account, amount, currency, [], automatic=False)
    # The next payout finds so much less in the balance.
    del account.hidden[payout["balance_transaction"]]["payout"]
    return payout


def reconcile(account: Account, payout: Json) -> None:
    """Stripe has found out what an automatic payout is made of."""
    payout["reconciliation_status"] = "completed"
    events.emit(account, "payout.reconciliation_completed", payout)


def pay_out(account: Account) -> list[Json]:
    """Pays out all that is in the balance, as the daily schedule does; a balance below zero waits.

    Forints and Taiwan dollars are paid out whole; what is below one waits for the next payout.
    Source: https://docs.stripe.com/currencies#special-cases.
    """
    payouts = []
    waiting: dict[str, list[Json]] = {}
    for row in account.all("balance_transaction"):
        if "payout" not in account.hidden[row["id"]]:
            waiting.setdefault(row["currency"], []).append(row)
    for currency, rows in waiting.items():
        rest = account.settings.pop(f"rest_{currency}", 0)
        amount = rest + sum(row["net"] for row in rows)
        if currency in WHOLE_PAYOUTS and amount > 0:
            account.settings[f"rest_{currency}"] = amount % 100
            amount -= amount % 100
        if amount > 0:
            payouts.append(_new_payout(account, amount, currency, rows))
    return payouts


def _new_payout(
    account: Account, amount: int, currency: str, rows: list[Json], *, automatic: bool = True
) -> Json:
    payout = account.add(shapes.payout(account.new_id("po"), account.now(), livemode=account.livemode))
    own = record(account, "payout", -amount, currency, payout["id"], category="payout")
    payout.update(
        amount=amount,
        arrival_date=account.now() // DAY * DAY + DAY,
        automatic=automatic,
        balance_transaction=own["id"],
        currency=currency,
        destination="ba_1standin",
        reconciliation_status="completed" if automatic else "not_applicable",
        status="in_transit",
    )
    for row in [*rows, own]:
        row["status"] = "available"
        account.hidden[row["id"]]["payout"] = payout["id"]
    if automatic and not account.settings.get("reconciles_at_once", True):
        payout["reconciliation_status"] = "in_progress"
    events.emit(account, "payout.created", payout)
    return payout


def settle_payout(account: Account, payout: Json, outcome: str) -> None:
    """Ends a payout as `paid` or `failed`; one that was paid can still fail, and its money returns to the balance."""
    payout["status"] = outcome
    if outcome == "failed":
        returned = record(
            account,
            "payout_failure",
            payout["amount"],
            payout["currency"],
            payout["id"],
            category="payout_reversal",
        )
        payout.update(
            failure_balance_transaction=returned["id"],
            failure_code="account_closed",
            failure_message="The bank account has been closed",
        )
    events.emit(account, f"payout.{outcome}", payout)
