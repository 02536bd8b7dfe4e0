"""The faults that a test can inject; each hits one account, and is used up as it happens.

Of a response, by the name of the route (`payment_intents.capture`, or a pattern as `*.list`):
  server_error          500 before anything happened, and kept under the idempotency key
  error_after_success   500 after it happened, and kept under the idempotency key: a replay stays a 500
  bad_gateway           502 from in front of the API: nothing happened, nothing is kept
  rate_limited          429 with `Stripe-Should-Retry`, or these `headers`: nothing happened, nothing is kept
  lock_timeout          429 `lock_timeout`: another request holds the object
  dropped               it happened, and the connection ends without a response
  hang                  it happened, and the response comes after `delay` seconds
  slow                  it runs `delay` seconds, during which the idempotency key is in use
  garbage               it happened, and the response is a page that is no JSON
  without               it happened, and the response lacks the `fields`, however deep they are

Of events, by their type (or a pattern): event_first, event_lost, event_twice, event_late (`delay`), event_out_of_order.

Of money: capture_other_amount (`delta`), capture_other_currency (`currency`), capture_too_late (captured from elsewhere
just before), pay_before_expiry (the customer pays just before a session expires), refund_pending, refund_refused.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatch

from .company import Account

BEFORE = ("server_error", "bad_gateway", "rate_limited", "lock_timeout", "slow")
AFTER = ("error_after_success", "dropped", "hang", "garbage", "without")
ON_THE_WAY = ("event_lost", "event_twice", "event_late", "event_out_of_order")
ON_EVENT = ("event_first", *ON_THE_WAY)
ON_MONEY = (
    *("capture_other_amount", "capture_other_currency", "capture_too_late"),
    *("pay_before_expiry", "refund_pending", "refund_refused"),
)
KINDS = (*BEFORE, *AFTER, *ON_EVENT, *ON_MONEY)


@dataclass
class Fault:
    """One fault: `on` is a pattern of route names or event types."""

    kind: str
    on: str = "*"
    count: int = 1
    delay: float = 20
    delta: int = -1
    currency: str = "cad"
    fields: list[str] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)


def consume(account: Account, kinds: tuple[str, ...], on: str = "") -> Fault | None:
    """Uses up the oldest fault of these kinds once and returns it."""
    for fault in account.faults:
        if fault.kind in kinds and fault.count > 0 and fnmatch(on, fault.on):
            fault.count -= 1
            return fault
    return None
