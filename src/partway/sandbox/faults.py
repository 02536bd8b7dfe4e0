"""Faults that a test has set for an account; each is used up as it happens."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import F

from partway.sandbox.models import Account, Fault

BEFORE = ("error_before",)
AFTER_SUCCESS = ("timeout_after_success", "hang", "garbage", "no_amount", "no_fee")
ON_CALLBACK = (
    "callback_first",
    "callback_twice",
    "callback_late",
    "callback_out_of_order",
    "callback_lost",
    "callback_unknown",
)
AFTER_CAPTURE = ("capture_too_late",)
ON_CAPTURE = ("wrong_amount", "wrong_currency")
ON_CLOSE = ("close_too_late",)
ON_REFUND = ("refund_pending", "refund_refused")
ACTS = ("start", "fetch", "capture", "close", "refund", "list_checkouts", "list_payouts", "account")
KINDS = (
    *BEFORE,
    *AFTER_SUCCESS,
    *ON_CALLBACK,
    *AFTER_CAPTURE,
    *ON_CAPTURE,
    *ON_CLOSE,
    *ON_REFUND,
)


def consume(account: Account, kinds: Iterable[str], act: str = "") -> Fault | None:
    """Uses up the oldest fault of these kinds once and returns it; None when there is none."""
    if not account.has_faults:
        return None
    waiting = Fault.objects.filter(account=account, kind__in=kinds, act__in=("", act), left__gt=0)
    for fault in waiting.order_by("id"):
        if Fault.objects.filter(id=fault.id, left__gt=0).update(left=F("left") - 1):
            return fault
    return None
