"""The acts that only tests call, under `/_control/<act>` with the secret key of an account and a JSON body.

It plays what happens away from our requests: banks, customers' disputes, the clock, the dashboard.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from copy import deepcopy
from typing import Any

from . import accounts, balance, charges, connect, disputes, events, intents, refunds, sessions
from .company import Account, Company, merge
from .delivery import Delivery
from .errors import Json, StripeError, invalid
from .faults import KINDS, Fault


def answer(company: Company, secret: str, act: str, body: Json) -> Any:
    """Runs an act for the account of the key; opening an account needs none."""
    key = company.keys.get(secret)
    if act == "open_account":
        return company.open_account(**body)
    if key is None or act not in ACTS:
        raise invalid(f"No such act: {act}")
    account = key.account
    if "connected" in body:  # the id of an account that is connected to this one
        account = company.accounts[body.pop("connected"), account.livemode]
    with account.lock:
        account.catch_up()
        done = deepcopy(ACTS[act](account, **body))
        events.release(account)
    return done


def change_account(account: Account, **changes: Any) -> Json:
    """Merges changes into the account, as `charges_enabled` or `capabilities`."""
    merge(account.resource, changes)
    events.emit(account, "account.updated", account.resource)
    return account.resource


def change_settings(account: Account, **changes: Any) -> Json:
    """Sets fee_per_thousand, fee_fixed, dispute_fee, settles_by_itself, refuses_local_urls, reconciles_at_once,
    converts, checkout_url.

    `converts` is, by the currency paid, what it is converted to at which rate, as {"eur": ["usd", 1.1]}; `checkout_url`
    the origin of a domain of the business, on which its customers pay.
    """
    account.settings.update(changes)
    return {}


def inject(account: Account, kind: str, **details: Any) -> Json:
    if kind not in KINDS:
        raise invalid(f"No such fault: {kind}")
    account.faults.append(Fault(kind, **details))
    return {}


def clear_faults(account: Account) -> Json:
    account.faults.clear()
    return {}


def shift_clock(account: Account, seconds: float) -> Json:
    """Lets time pass for this account: sessions expire, authorizations lapse, debits settle, keys are forgotten."""
    account.clock_shift += seconds
    account.catch_up()
    return {"now": account.now()}


def set_clock(account: Account, now: float) -> Json:
    """Sets the clock of this account to a Unix time, if that is ahead of it: a clock never goes back."""
    return shift_clock(account, max(0, now - account.time()))


def objects(account: Account) -> dict[str, dict[str, Json]]:
    """Returns all objects but events, by their kind and id, as a look into the dashboard; no fault meets that."""
    kinds = ("checkout.session", "payment_intent", "charge", "refund", "dispute", "balance_transaction")
    return {kind: account.objects[kind] for kind in kinds}


def expire(account: Account, id: str) -> Json:
    """Expires a session from the dashboard, unless its customer is faster."""
    with suppress(StripeError):
        sessions.expire(account, {}, id)
    return account.get("checkout.session", id)


def capture(account: Account, id: str) -> Json:
    """Captures an authorization in the dashboard."""
    return intents.capture(account, {}, _intent(account, id)["id"])


def refund(account: Account, id: str, amount: int) -> Json:
    """Sends a part back in the dashboard."""
    return refunds.create(account, {"payment_intent": _intent(account, id)["id"], "amount": amount})


def settle(account: Account, id: str, outcome: str) -> Json:
    """Ends a bank debit as `succeeded` or `failed`; `id` is that of its intent or session."""
    intent = _intent(account, id)
    charges.settle(account, intent, fails=outcome == "failed")
    return intent


def lapse(account: Account, id: str) -> Json:
    """Lets the bank release an authorization before its time."""
    intent = _intent(account, id)
    charges.lapse(account, intent)
    return intent


def settle_refund(account: Account, id: str, outcome: str) -> Json:
    refund = account.get("refund", id)
    refunds.settle(account, refund, outcome)
    return refund


def dispute(account: Account, id: str, **details: Any) -> Json:
    """Opens a dispute: amount, reason, evidence_days, is_inquiry; `id` is that of a charge, intent or session."""
    charge = account.objects["charge"].get(id) or account.get("charge", _intent(account, id)["latest_charge"])
    if charge["status"] != "succeeded":
        raise invalid(f"This charge took no money: {charge['id']}")
    return disputes.open_dispute(account, charge, **details)


def return_part(account: Account, id: str, amount: int) -> Json:
    """The bank gives back a part of what a lost dispute took."""
    found = account.get("dispute", id)
    disputes.return_part(account, found, amount)
    return found


def decide_dispute(account: Account, id: str, outcome: str, returned: int = 0) -> Json:
    found = account.get("dispute", id)
    disputes.decide(account, found, outcome, returned)
    return found


def escalate_inquiry(account: Account, id: str) -> Json:
    found = account.get("dispute", id)
    disputes.escalate(account, found)
    return found


def pay_out(account: Account) -> list[Json]:
    return balance.pay_out(account)


def pay_out_by_hand(account: Account, amount: int, currency: str = "usd") -> Json:
    return balance.pay_out_by_hand(account, amount, currency)


def reconcile(account: Account, id: str) -> Json:
    """Completes the reconciliation of a payout, where the settings say that it takes its time."""
    payout = account.get("payout", id)
    balance.reconcile(account, payout)
    return payout


def settle_payout(account: Account, id: str, outcome: str) -> Json:
    payout = account.get("payout", id)
    balance.settle_payout(account, payout, outcome)
    return payout


def add_endpoint(account: Account, url: str, enabled_events: list[str] | None = None, **hidden: Any) -> Json:
    """Adds a webhook endpoint by hand, as in the dashboard: payload (`snapshot` or `thin`), secrets, connect."""
    params = {"url": url, "enabled_events": enabled_events or ["*"], "connect": hidden.pop("connect", False)}
    endpoint = accounts.create_endpoint(account, params)
    account.hidden[endpoint["id"]].update(hidden)
    return {**endpoint, "secret": account.hidden[endpoint["id"]]["secrets"][0]}


def roll_secret(account: Account, id: str) -> Json:
    """Adds a new secret to an endpoint; the old one signs too, until `retire_secret`."""
    secrets = account.hidden[id]["secrets"]
    secrets.insert(0, f"whsec_{account.new_id('x', 32)[2:]}")
    return {"secret": secrets[0]}


def retire_secret(account: Account, id: str) -> Json:
    del account.hidden[id]["secrets"][1:]
    return {}


def resend(account: Account, id: str) -> Json:
    """Sends an event again to every endpoint that is enabled, as the dashboard's button does."""
    event = account.get("event", id)
    for endpoint in account.all("webhook_endpoint"):
        payload = {**event, "api_version": endpoint["api_version"] or account.api_version}
        account.outbox.append(Delivery(account, endpoint, payload))
    return event


def onboard(account: Account) -> Json:
    """The owner of a connected account has answered all that Stripe asks."""
    return connect.finish_onboarding(account)


def deauthorize(account: Account) -> Json:
    """The owner of a connected account ends the connection to the platform."""
    return connect.deauthorize(account)


def _intent(account: Account, ref: str) -> Json:
    session = account.objects["checkout.session"].get(ref)
    return account.get("payment_intent", session["payment_intent"] or "" if session else ref)


def requests(account: Account) -> list[Json]:
    """Returns the requests to the API so far, oldest first: name, params, key, status."""
    return [line for line in account.company.log if line.get("account") == account.id]


def issue_key(account: Account, permissions: list[str]) -> Json:
    """Issues a restricted key with exactly these permissions, as `checkout_session_write`."""
    prefix = "rk_live" if account.livemode else "rk_test"
    return {"key": account.company.issue_key(account, prefix, frozenset(permissions)).secret}


def keys_in_use(account: Account) -> list[str]:
    """Returns the idempotency keys whose request runs."""
    return [key for key, stored in account.responses.items() if stored.response is None]


def revoke_key(account: Account, secret: str) -> Json:
    account.company.keys.pop(secret, None)
    return {}


ACTS: dict[str, Callable[..., Any]] = {
    act.__name__: act
    for act in (
        *(change_account, change_settings, issue_key, revoke_key, onboard, deauthorize),
        *(inject, clear_faults, shift_clock, set_clock, requests, keys_in_use, objects),
        *(expire, capture, settle, lapse, refund, settle_refund),
        *(dispute, return_part, decide_dispute, escalate_inquiry),
        *(pay_out, pay_out_by_hand, reconcile, settle_payout),
        *(add_endpoint, roll_secret, retire_secret, resend),
    )
}
