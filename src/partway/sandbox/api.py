"""The REST API for merchants.

Amounts are integer minor units beside an ISO currency, times RFC 3339; every POST honours Idempotency-Key; an
error is {"error": {"code", "message"}}. urls.py lists the calls.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

from partway.lib.clock import now
from partway.sandbox import checkouts, faults, fields
from partway.sandbox.answers import ApiRequest, Json
from partway.sandbox.errors import invalid, not_found
from partway.sandbox.models import Account, Checkout, Fault, Refund

METHODS = ("card", "bank_debit")
PAGE = 100


def open_account(call: ApiRequest) -> Json:
    """POST {name, callback_url} → {id, name, api_key, signing_secret}."""
    name = fields.text(call.body, "name")
    callback_url = fields.url(call.body, "callback_url")
    account = Account.objects.create(name=name, callback_url=callback_url)
    secrets = {"api_key": account.api_key, "signing_secret": account.signing_secret}
    return {"id": account.id, "name": account.name, **secrets}


def account(call: ApiRequest) -> Json:
    """GET → whose key this is."""
    return {"id": call.account.id, "name": call.account.name, "callback_url": call.account.callback_url}


def start(call: ApiRequest) -> Json:
    """POST {amount, currency, description, reference, return_url, expires_at, methods?, callback_url?}."""
    body = call.body
    amount_minor, currency = fields.payable(body)
    checkout = Checkout.objects.create(
        account=call.account,
        amount_minor=amount_minor,
        currency=currency,
        description=fields.text(body, "description", most=500),
        reference=fields.text(body, "reference"),
        return_url=fields.url(body, "return_url"),
        callback_url=fields.url(body, "callback_url", fallback=call.account.callback_url),
        methods=_methods(body),
        expires_at=fields.timestamp(fields.text(body, "expires_at"), "expires_at"),
    )
    return _wire(call, checkout)


def _methods(body: Json) -> list[str]:
    wanted = body.get("methods") or list(METHODS)
    if not isinstance(wanted, list) or any(method not in METHODS for method in wanted):
        raise invalid("methods", f"must be some of {', '.join(METHODS)}.")
    return wanted


def fetch(call: ApiRequest, checkout_id: str) -> Json:
    """GET → the checkout as it is now."""
    checkout = Checkout.objects.filter(id=checkout_id, account=call.account).first()
    if checkout is None:
        raise not_found()
    if checkout.status == Checkout.Status.OPEN and checkout.expires_at <= now():
        with transaction.atomic():
            checkout = checkouts.locked(checkout_id, call.account.id)
    return _wire(call, checkout)


def list_checkouts(call: ApiRequest) -> Json:
    """GET ?since=&cursor= → {data, next}, in the order of the latest change."""
    found = Checkout.objects.filter(account=call.account)
    query = call.request.GET
    if query.get("since"):
        found = found.filter(changed_at__gte=fields.timestamp(query["since"], "since"))
    if query.get("cursor"):
        found = _after(found, query["cursor"])
    rows = list(found.order_by("changed_at", "id")[: PAGE + 1])
    page, more = rows[:PAGE], len(rows) > PAGE
    following = f"{page[-1].changed_at.isoformat()}|{page[-1].id}" if more else None
    return {"data": _wire_all(call, page), "next": following}


def _after(found: QuerySet[Checkout], cursor: str) -> QuerySet[Checkout]:
    changed_at, _, checkout_id = cursor.partition("|")
    at: datetime = fields.timestamp(changed_at, "cursor")
    return found.filter(Q(changed_at__gt=at) | Q(changed_at=at, id__gt=checkout_id))


def capture(call: ApiRequest, checkout_id: str) -> Json:
    """POST {amount} → the checkout; at most once, at most what was authorized."""
    checkout = checkouts.locked(checkout_id, call.account.id)
    fields.same_currency(call.body, checkout.currency)
    checkouts.capture(checkout, fields.amount(call.body))
    return _wire(call, checkout)


def close(call: ApiRequest, checkout_id: str) -> Json:
    """POST → the checkout: closed, unless money was taken before."""
    checkout = checkouts.locked(checkout_id, call.account.id)
    checkouts.close(checkout)
    return _wire(call, checkout)


def settle(call: ApiRequest, checkout_id: str) -> Json:
    """POST {outcome?: captured | failed} → a bank debit settles now instead of later."""
    outcome = fields.choice(call.body, "outcome", ("captured", "failed"))
    checkout = checkouts.locked(checkout_id, call.account.id)
    checkouts.settle(checkout, outcome)
    return _wire(call, checkout)


def lapse(call: ApiRequest, checkout_id: str) -> Json:
    """POST → the bank lets go of what it held on a card."""
    checkout = checkouts.locked(checkout_id, call.account.id)
    checkouts.lapse(checkout)
    return _wire(call, checkout)


def refund(call: ApiRequest, checkout_id: str) -> Json:
    """POST {amount, reference?} → the refund."""
    checkout = checkouts.locked(checkout_id, call.account.id)
    fields.same_currency(call.body, checkout.captured_currency or checkout.currency)
    reference = fields.text(call.body, "reference")
    return _wire_refund(checkouts.refund(checkout, fields.amount(call.body), reference), checkout)


def settle_refund(call: ApiRequest, refund_id: str) -> Json:
    """POST {outcome: succeeded | failed} → a refund ends, or comes back after it had succeeded."""
    outcome = fields.choice(call.body, "outcome", ("succeeded", "failed"), fallback="succeeded")
    made = checkouts.settle_refund(refund_id, call.account.id, outcome)
    return _wire_refund(made, made.checkout)


def set_fault(call: ApiRequest) -> Json:
    """POST {kind, count?, act?, delay?, delta?, currency?} → goes wrong `count` times."""
    body = call.body
    kind = fields.choice(body, "kind", faults.KINDS)
    if not kind:
        raise invalid("kind", f"must be one of {', '.join(faults.KINDS)}.")
    fault = Fault.objects.create(
        account=call.account,
        kind=kind,
        act=fields.choice(body, "act", faults.ACTS),
        left=_number(body, "count", 1),
        delay=_number(body, "delay", 20 if kind == "hang" else 3),
        delta=_number(body, "delta", -1),
        currency=fields.text(body, "currency", most=3) or "CAD",
    )
    return {"kind": fault.kind, "act": fault.act, "left": fault.left}


def _number(body: Json, name: str, fallback: int) -> Any:
    value = body.get(name, fallback)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise invalid(name, "must be a number.")
    return value


def clear_faults(call: ApiRequest) -> Json:
    """DELETE → all is well again."""
    removed, _ = Fault.objects.filter(account=call.account).delete()
    return {"removed": removed}


def ledger(call: ApiRequest) -> Json:
    """GET → what the customers of this account really paid, checkout by checkout."""
    rows = Checkout.objects.filter(account=call.account).order_by("created_at", "id")
    return {"data": [_ledger_line(checkout) for checkout in rows]}


def _ledger_line(checkout: Checkout) -> Json:
    return {
        "id": checkout.id,
        "reference": checkout.reference,
        "status": checkout.status,
        "amount": checkout.amount_minor,
        "currency": checkout.currency,
        "captured": checkout.captured_minor or 0,
        "captured_currency": checkout.captured_currency,
        "refunded": checkout.refunded_minor,
        "captures": checkout.captures,
    }


def _wire(call: ApiRequest, checkout: Checkout) -> Json:
    return _wire_all(call, [checkout])[0]


def _wire_all(call: ApiRequest, rows: list[Checkout]) -> list[Json]:
    for row in rows:
        row.account = call.account  # the same row: not read again for each
    refunds: dict[str, list[Refund]] = {row.id: [] for row in rows}
    taken = [row.id for row in rows if row.captured_minor]
    for made in Refund.objects.filter(checkout__in=taken) if taken else ():
        refunds[made.checkout_id].append(made)
    return [_wire_one(call, row, refunds[row.id]) for row in rows]


def _wire_one(call: ApiRequest, checkout: Checkout, refunds: list[Refund]) -> Json:
    return {
        "id": checkout.id,
        "url": call.request.build_absolute_uri(f"/checkout/{checkout.page}"),
        "status": checkout.status,
        "amount": checkout.amount_minor,
        "currency": checkout.currency,
        "description": checkout.description,
        "reference": checkout.reference,
        "method": checkout.method,
        "code": checkout.code,
        "message": checkout.message,
        "authorized": checkout.authorized_minor,
        "captured": checkout.captured_minor,
        "captured_currency": checkout.captured_currency or None,
        "refunded": checkout.refunded_minor,
        "refunds": [_wire_refund(made, checkout) for made in refunds],
        "created_at": checkout.created_at.isoformat(),
        "changed_at": checkout.changed_at.isoformat(),
        "expires_at": checkout.expires_at.isoformat(),
    }


def _wire_refund(made: Refund, checkout: Checkout) -> Json:
    money = {"amount": made.amount_minor, "currency": checkout.captured_currency}
    return {"id": made.id, "status": made.status, "reference": made.reference, **money}
