"""Callbacks to the merchant: stored with the change, signed, sent, and sent again until they arrive."""

from __future__ import annotations

import json
import logging
import queue
import threading
from datetime import timedelta
from typing import Any

import httpx
from django.db import transaction
from django.db.models import F
from standardwebhooks import Webhook

from partway.lib.clock import now
from partway.lib.ids import new_id
from partway.sandbox import faults
from partway.sandbox.models import Callback, Checkout, Payout

log = logging.getLogger(__name__)

# Seconds to wait after each failed attempt; after the last, the merchant has to fetch the checkout.
BACKOFF = (1, 2, 5, 15, 60, 60, 300, 600, 1800, 3600)
LEASE = timedelta(seconds=60)  # longer than any delivery takes; after it, another sender may claim the row
HOLD = timedelta(seconds=30)  # how long a held callback waits for a later one to overtake it
SENDERS = 6

# Set whenever there may be something to send, so that it need not wait for the next round of the clock.
wake_event = threading.Event()

_claimed: queue.SimpleQueue[str] = queue.SimpleQueue()  # ids
_http = httpx.Client(timeout=10, trust_env=False)


def enqueue(about: Checkout | Payout, kind: str) -> None:
    """Stores the callback of a change, in the transaction of that change; `kind` as `captured`."""
    fault = faults.consume(about.account, faults.ON_CALLBACK)
    wanted = fault.kind if fault else ""
    at = now()
    noun = str(about._meta.model_name)
    named: dict[str, Any] = {noun: about, "kind": f"{noun}.{kind}"}
    callback = Callback(**named, created_at=at, due_at=at)
    if fault and wanted == "callback_late":
        callback.due_at = at + timedelta(seconds=fault.delay)
    elif wanted == "callback_lost":
        callback.due_at = None
    elif wanted == "callback_out_of_order":
        callback.held_for_reordering, callback.due_at = True, at + HOLD
    elif wanted == "callback_twice":
        callback.deliveries = 2
    elif wanted == "callback_unknown":
        Callback.objects.create(**named, reported_checkout_id=new_id("co"), created_at=at, due_at=at)
    elif wanted == "callback_first":
        callback.attempts, callback.due_at = 1, at + LEASE
    callback.save(force_insert=True)
    # Hooks run before the response is sent: a callback delivered in one arrives first.
    hook = (lambda: deliver(callback)) if wanted == "callback_first" else wake_event.set
    transaction.on_commit(hook, robust=True)


def claim_due() -> None:
    """Claims every callback that is due by compare-and-set, and gives each to one sender."""
    due = Callback.objects.filter(due_at__lte=now()).order_by("due_at").values_list("id", "due_at")
    for callback_id, due_at in due[:100]:
        unclaimed = Callback.objects.filter(id=callback_id, due_at=due_at)
        if unclaimed.update(due_at=now() + LEASE, attempts=F("attempts") + 1):
            _claimed.put(callback_id)


def deliver(callback: Callback) -> None:
    """Sends once, or as often as the fault wants, and stores the outcome."""
    arrived = all(_post(callback) for _ in range(callback.deliveries))
    row = Callback.objects.filter(id=callback.id)
    if arrived:
        row.update(due_at=None)
        same = {"checkout_id": callback.checkout_id, "payout_id": callback.payout_id}
        older = Callback.objects.filter(**same, created_at__lt=callback.created_at)
        if older.filter(held_for_reordering=True).update(held_for_reordering=False, due_at=now()):
            wake_event.set()
    elif callback.attempts <= len(BACKOFF):
        row.update(due_at=now() + timedelta(seconds=BACKOFF[callback.attempts - 1]))
    else:
        log.warning("callback %s failed permanently", callback.id)
        row.update(due_at=None)


def _post(callback: Callback) -> bool:
    checkout_id = callback.reported_checkout_id or callback.checkout_id
    event = {
        "id": callback.id,
        "type": callback.kind,
        "created": callback.created_at.isoformat(),
        "data": {"checkout": checkout_id} if checkout_id else {"payout": callback.payout_id},
    }
    body = json.dumps(event)
    signer = Webhook(callback.about.account.signing_secret)
    at = now()
    headers = {
        "content-type": "application/json",
        "webhook-id": callback.id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": signer.sign(callback.id, at, body),
    }
    try:
        return _http.post(callback.url, content=body, headers=headers).is_success
    except (httpx.HTTPError, httpx.InvalidURL):
        return False


def send_forever() -> None:
    """The loop of each sender thread."""
    while True:
        callback_id = _claimed.get()
        try:
            about = ("checkout__account", "payout__account")
            deliver(Callback.objects.select_related(*about).get(id=callback_id))
        except Exception:
            # The lease ends and another sender tries again; one bad row must not end the thread.
            log.exception("callback %s", callback_id)
