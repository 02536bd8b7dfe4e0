"""The REST API for merchants.

Amounts are integer minor units beside an ISO currency, times RFC 3339; every POST honours Idempotency-Key; an
error is {"error": {"code", "message"}}. urls.py lists the calls.
"""

from __future__ import annotations

from typing import TypeVar

from django.db import transaction
from django.db.models import Q, QuerySet, prefetch_related_objects

from partway.lib.clock import now
from partway.sandbox import checkouts, faults, fields, payouts
from partway.sandbox.api_view import ApiRequest, Json
from partway.sandbox.errors import ApiError, invalid, not_found
from partway.sandbox.models import Account, BalanceEntry, Checkout, Dispute, Fault, Payout, Refund

Row = TypeVar("Row", Checkout, Payout)

METHODS = ("card", "bank_debit")
PAGE = 100
PAYOUT_PAGE = 10  # each has up to payouts.MAX_ENTRIES entries
MAX_FAULTS = 10_000
MAX_DELAY_SECONDS = 3600
MAX_DAYS = 366


def open_account(call: ApiRequest) -> Json:
    """POST {name, callback_url} → {id, name, api_key, signing_secret}."""
    name = fields.text(call.body, "name")
    callback_url = fields.url(call.body, "callback_url")
    account = Account.objects.create(name=name, callback_url=callback_url)
    secrets = {"api_key": account.api_key, "signing_secret": account.signing_secret}
    return {"id": account.id, "name": account.name, **secrets}


def account(call: ApiRequest) -> Json:
    """GET → the account of the API key."""
    return {
        "id": call.account.id,
        "name": call.account.name,
        "callback_url": call.account.callback_url,
        "charges_enabled": call.account.charges_enabled,
    }


def change_account(call: ApiRequest) -> Json:
    """POST {charges_enabled} → the account; one that the company restricts takes no payments."""
    call.account.charges_enabled = bool(call.body.get("charges_enabled", True))
    call.account.save(update_fields=["charges_enabled"])
    return account(call)


def start(call: ApiRequest) -> Json:
    """POST {amount, currency, description, reference, return_url, expires_at, methods?, callback_url?}."""
    body = call.body
    if not call.account.charges_enabled:
        raise ApiError(403, "account_restricted", "This account cannot take payments.")
    amount_minor, currency = fields.payable(body)
    methods = body.get("methods") or list(METHODS)
    is_list = isinstance(methods, list) and len(methods) <= len(METHODS)
    if not is_list or any(method not in METHODS for method in methods):
        raise invalid("methods", f"must be some of {', '.join(METHODS)}.")
    checkout = Checkout.objects.create(
        account=call.account,
        amount_minor=amount_minor,
        currency=currency,
        description=fields.text(body, "description", most=500),
        reference=fields.text(body, "reference"),
        return_url=fields.url(body, "return_url"),
        callback_url=fields.url(body, "callback_url", fallback=call.account.callback_url),
        methods=methods,
        expires_at=fields.timestamp(fields.text(body, "expires_at"), "expires_at"),
    )
    return _checkout_json(call, checkout)


def fetch(call: ApiRequest, checkout_id: str) -> Json:
    """GET → the checkout as it is now."""
    checkout = Checkout.objects.filter(id=checkout_id, account=call.account).first()
    if checkout is None:
        raise not_found()
    if checkout.status == Checkout.Status.OPEN and checkout.expires_at <= now():
        with transaction.atomic():
            checkout = checkouts.locked(checkout_id, call.account.id)
    return _checkout_json(call, checkout)


def list_checkouts(call: ApiRequest) -> Json:
    """GET ?since=&cursor= → {data, next}, in the order of the latest change."""
    page, following = _page(call, Checkout.objects.filter(account=call.account), PAGE)
    return {"data": _checkouts_json(call, page), "next": following}


def _page(call: ApiRequest, found: QuerySet[Row], size: int) -> tuple[list[Row], str | None]:
    """Returns the rows of one page by `since` and `cursor`, oldest change first, and the cursor of the next page."""
    query = call.request.GET
    if query.get("since"):
        found = found.filter(changed_at__gte=fields.timestamp(query["since"], "since"))
    if query.get("cursor"):
        changed_at, _, row_id = query["cursor"].partition("|")
        at = fields.timestamp(changed_at, "cursor")
        found = found.filter(Q(changed_at__gt=at) | Q(changed_at=at, id__gt=row_id))
    rows = list(found.order_by("changed_at", "id")[: size + 1])
    page, more = rows[:size], len(rows) > size
    return page, f"{page[-1].changed_at.isoformat()}|{page[-1].id}" if more else None


def pay_out(call: ApiRequest) -> Json:
    """POST {} → {data}: the payouts of all that is in the balance, pending until they are settled."""
    return {"data": [_payout_json(payout) for payout in payouts.pay_out(call.account.id, settle=False)]}


def settle_payout(call: ApiRequest, payout_id: str) -> Json:
    """POST {outcome: paid | failed} → a payout arrives or fails, or comes back after it had arrived."""
    outcome = fields.choice(call.body, "outcome", ("paid", "failed"), fallback="paid")
    return _payout_json(payouts.settle_payout(payout_id, call.account.id, outcome))


def list_payouts(call: ApiRequest) -> Json:
    """GET ?since=&cursor= → {data, next}, in the order of the latest change, each with its entries."""
    page, following = _page(call, Payout.objects.filter(account=call.account), PAYOUT_PAGE)
    return {"data": [_payout_json(payout) for payout in page], "next": following}


def _payout_json(payout: Payout) -> Json:
    return {
        "id": payout.id,
        "status": payout.status,
        "amount": payout.amount_minor,
        "currency": payout.currency,
        "arrives_on": payout.arrives_on.isoformat(),
        "items": [
            {
                "id": entry.id,
                "kind": entry.kind,
                "amount": entry.amount_minor,
                "fee": entry.fee_minor,
                "net": entry.amount_minor - entry.fee_minor,
                "checkout": entry.checkout_id or "",
                "source": entry.source,
            }
            for entry in BalanceEntry.objects.filter(payout=payout)
        ],
    }


def capture(call: ApiRequest, checkout_id: str) -> Json:
    """POST {amount} → the checkout; at most once, at most what was authorized."""
    checkout = checkouts.locked(checkout_id, call.account.id)
    fields.same_currency(call.body, checkout.currency)
    checkouts.capture(checkout, fields.amount(call.body))
    return _checkout_json(call, checkout)


def close(call: ApiRequest, checkout_id: str) -> Json:
    """POST → the checkout: closed, unless money was captured before."""
    checkout = checkouts.locked(checkout_id, call.account.id)
    checkouts.close(checkout)
    return _checkout_json(call, checkout)


def settle(call: ApiRequest, checkout_id: str) -> Json:
    """POST {outcome?: captured | failed} → a bank debit settles now instead of later."""
    outcome = fields.choice(call.body, "outcome", ("captured", "failed"))
    checkout = checkouts.locked(checkout_id, call.account.id)
    checkouts.settle(checkout, outcome)
    return _checkout_json(call, checkout)


def pass_days(call: ApiRequest, checkout_id: str) -> Json:
    """POST {days} → the checkout, for which the banks do at once what they had planned for the next days."""
    days = int(fields.number(call.body, "days", 1, least=1, most=MAX_DAYS))
    checkout = checkouts.locked(checkout_id, call.account.id)
    checkouts.pass_days(checkout, days)
    checkout.refresh_from_db(fields=["settles_at"])
    return _checkout_json(call, checkout)


def lapse(call: ApiRequest, checkout_id: str) -> Json:
    """POST → the bank releases what it authorized on a card."""
    checkout = checkouts.locked(checkout_id, call.account.id)
    checkouts.lapse(checkout)
    return _checkout_json(call, checkout)


def refund(call: ApiRequest, checkout_id: str) -> Json:
    """POST {amount, reference?} → the refund."""
    checkout = checkouts.locked(checkout_id, call.account.id)
    fields.same_currency(call.body, checkout.captured_currency or checkout.currency)
    reference = fields.text(call.body, "reference")
    return _refund_json(checkouts.refund(checkout, fields.amount(call.body), reference), checkout)


def settle_refund(call: ApiRequest, refund_id: str) -> Json:
    """POST {outcome: succeeded | failed} → a refund ends, or comes back after it had succeeded."""
    outcome = fields.choice(call.body, "outcome", ("succeeded", "failed"), fallback="succeeded")
    refund_row = checkouts.settle_refund(refund_id, call.account.id, outcome)
    return _refund_json(refund_row, refund_row.checkout)


def dispute(call: ApiRequest, checkout_id: str) -> Json:
    """POST {amount?, reason?, evidence_days?} → a dispute, of all that was captured unless an amount is given."""
    checkout = checkouts.locked(checkout_id, call.account.id)
    fields.same_currency(call.body, checkout.captured_currency or checkout.currency)
    amount_minor = fields.amount(call.body) if "amount" in call.body else checkout.captured_minor or 0
    reason = fields.text(call.body, "reason", most=40) or "fraudulent"
    days = _evidence_days(call)
    return _dispute_json(checkouts.dispute(checkout, amount_minor, reason, evidence_days=days), checkout)


def update_dispute(call: ApiRequest, dispute_id: str) -> Json:
    """POST {amount, evidence_days?} → an open dispute is about another part, or longer open for evidence."""
    row = checkouts.update_dispute(
        dispute_id,
        call.account.id,
        amount_minor=fields.amount(call.body),
        evidence_days=_evidence_days(call),
    )
    return _dispute_json(row, row.checkout)


def decide_dispute(call: ApiRequest, dispute_id: str) -> Json:
    """POST {outcome: won | lost} → a dispute is decided, or its decision changes."""
    outcome = fields.choice(call.body, "outcome", ("won", "lost"), fallback="lost")
    row = checkouts.decide_dispute(dispute_id, call.account.id, outcome)
    return _dispute_json(row, row.checkout)


def _evidence_days(call: ApiRequest) -> int:
    return int(fields.number(call.body, "evidence_days", checkouts.EVIDENCE_DAYS, most=365))


def set_fault(call: ApiRequest) -> Json:
    """POST {kind, count?, act?, delay?, delta?, currency?} → a fault that happens `count` times."""
    body = call.body
    kind = fields.choice(body, "kind", faults.KINDS)
    if not kind:
        raise invalid("kind", f"must be one of {', '.join(faults.KINDS)}.")
    Account.objects.filter(id=call.account.id).update(has_faults=True)
    fault = Fault.objects.create(
        account=call.account,
        kind=kind,
        act=fields.choice(body, "act", faults.ACTS),
        left=int(fields.number(body, "count", 1, most=MAX_FAULTS)),
        delay=fields.number(body, "delay", 20 if kind == "hang" else 3, most=MAX_DELAY_SECONDS),
        delta=int(
            fields.number(body, "delta", -1, least=-fields.MAX_AMOUNT_MINOR, most=fields.MAX_AMOUNT_MINOR)
        ),
        currency=fields.text(body, "currency", most=3) or "CAD",
    )
    return {"kind": fault.kind, "act": fault.act, "left": fault.left}


def clear_faults(call: ApiRequest) -> Json:
    """DELETE → no fault is left."""
    removed, _ = Fault.objects.filter(account=call.account).delete()
    Account.objects.filter(id=call.account.id).update(has_faults=False)
    return {"removed": removed}


def ledger(call: ApiRequest) -> Json:
    """GET → what the customers of this account paid, checkout by checkout."""
    rows = Checkout.objects.filter(account=call.account).order_by("created_at", "id")
    lines = [
        {
            "id": checkout.id,
            "reference": checkout.reference,
            "status": checkout.status,
            "amount": checkout.amount_minor,
            "currency": checkout.currency,
            "captured": checkout.captured_minor or 0,
            "captured_currency": checkout.captured_currency,
            "refunded": checkout.refunded_minor,
            "captures": checkout.captures,
            "fee": checkout.fee_minor or 0,
        }
        for checkout in rows
    ]
    return {"data": lines}


def _checkout_json(call: ApiRequest, checkout: Checkout) -> Json:
    return _checkouts_json(call, [checkout])[0]


def _checkouts_json(call: ApiRequest, rows: list[Checkout]) -> list[Json]:
    """Returns the checkouts with their refunds and disputes, which take one query each for all that were captured."""
    captured = [row for row in rows if row.captured_minor]
    prefetch_related_objects(captured, "sent_back", "disputed")
    for row in rows:
        row.account = call.account  # the same row, so it is not read again for each
    data = [
        {
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
            "settles_by": checkout.settles_by and checkout.settles_by.isoformat(),
            "authorized": checkout.authorized_minor,
            "captured": checkout.captured_minor,
            "captured_currency": checkout.captured_currency or None,
            "fee": checkout.fee_minor,
            "fee_currency": checkout.captured_currency or None,
            "refunded": checkout.refunded_minor,
            "refunds": list[Json](),
            "disputes": list[Json](),
            "created_at": checkout.created_at.isoformat(),
            "changed_at": checkout.changed_at.isoformat(),
            "expires_at": checkout.expires_at.isoformat(),
        }
        for checkout in rows
    ]
    by_id = {found["id"]: found for found in data}
    for checkout in captured:
        by_id[checkout.id]["refunds"] = [_refund_json(row, checkout) for row in checkout.sent_back.all()]
        by_id[checkout.id]["disputes"] = [_dispute_json(row, checkout) for row in checkout.disputed.all()]
    return data


def _refund_json(refund_row: Refund, checkout: Checkout) -> Json:
    money = {"amount": refund_row.amount_minor, "currency": checkout.captured_currency}
    money |= {"fee": 0, "fee_currency": checkout.captured_currency}
    return {"id": refund_row.id, "status": refund_row.status, "reference": refund_row.reference, **money}


def _dispute_json(row: Dispute, checkout: Checkout) -> Json:
    return {
        "id": row.id,
        "status": row.status,
        "amount": row.amount_minor,
        "currency": checkout.captured_currency,
        "reason": row.reason,
        "evidence_due_at": row.evidence_due_at.isoformat() if row.evidence_due_at else None,
        "fee": row.fee_minor,
        "fee_currency": checkout.captured_currency,
    }
