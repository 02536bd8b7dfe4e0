"""Claims webhook deliveries that are due, signs and sends them, and books what came of each (DESIGN section 10, D6).

The thread of the job does all that needs the database; each call runs on a thread of its own. Of one endpoint one
delivery is under way at a time in each worker, so a slow endpoint takes one of the SLOTS and delays no other.
"""

from __future__ import annotations

import queue
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db.models import Exists, F, OuterRef, Q
from standardwebhooks.webhooks import Webhook

from partway.billing.claims import BUDGET, is_stopping
from partway.billing.models import WebhookDelivery, WebhookEndpoint
from partway.billing.people.webhook_deliveries import PENDING, Outcome, record_attempt
from partway.gateways.later import later
from partway.lib.clock import RunningClock
from partway.lib.sealing import Unsealable

log = structlog.get_logger(__name__)

# Longer than any attempt: of a worker that was killed the deliveries are due again then.
LEASE = timedelta(minutes=2)
# Calls under way at once in one worker.
SLOTS = 16
# While an earlier delivery about the same object has been tried less often than this, a later one waits for it: some
# 36 minutes. After that it goes, so that one event which a program cannot take does not hold up the others for days.
HOLDING_ATTEMPTS = 5
# Of these at most so many for endpoints of one organization: else one with many slow endpoints would hold up all.
SLOTS_OF_ORGANIZATION = 4
# An endpoint of which every due delivery waits for an earlier one is looked at again after so long, or when that one
# has ended here.
HELD_FOR = timedelta(seconds=5)
# How long the job waits for a response before it looks for deliveries that have become due meanwhile.
_LOOK_SECONDS = 0.2

# Imported with the first call, because it loads a client of HTTP with all that belongs to it.
_post = later("partway.delivery.webhooks.client", "post")


def due_endpoints(now: datetime) -> Sequence[WebhookEndpoint]:
    """Returns the endpoints with a delivery that is due, except those that rest."""
    rested = Q(paused_until=None) | Q(paused_until__lte=now)
    waiting = PENDING.rows.filter(endpoint=OuterRef("pk"), next_attempt_at__lte=now)
    return list(WebhookEndpoint.objects.filter(rested, Exists(waiting), status="enabled").order_by("pk"))


def claim_next(endpoint: WebhookEndpoint, now: datetime) -> WebhookDelivery | None:
    """Claims the endpoint's next delivery that is due and waits for no earlier one about its object; else None."""
    earlier = PENDING.rows.filter(
        endpoint=OuterRef("endpoint"),
        object_id=OuterRef("object_id"),
        pk__lt=OuterRef("pk"),
        attempt_count__lt=F("earlier_attempts") + HOLDING_ATTEMPTS,
    )
    due = PENDING.due(now).filter(~Exists(earlier), endpoint=endpoint)
    while delivery := due.first():
        if PENDING.claim(delivery, until=now + LEASE):
            delivery.endpoint = endpoint
            return delivery
    return None


def signed_headers(delivery: WebhookDelivery, now: datetime) -> dict[str, str]:
    """Returns the headers of an attempt, with a signature by each secret that signs; raises Unsealable."""
    signatures = [
        Webhook(secret).sign(delivery.pk, now, delivery.payload)
        for secret in delivery.endpoint.signing_secrets(now)
    ]
    return {
        "Content-Type": "application/json",
        "User-Agent": "Partway-Webhooks/1",
        "webhook-id": delivery.pk,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


class Sender:
    """The calls that are under way in this process."""

    def __init__(self) -> None:
        self._under_way: dict[str, WebhookDelivery] = {}  # by endpoint
        self._turns: dict[str, float] = {}  # when each endpoint was called last
        self._held: dict[str, datetime] = {}  # until when nothing of an endpoint can be sent
        self._outcomes: queue.SimpleQueue[tuple[WebhookDelivery, Outcome]] = queue.SimpleQueue()

    def send_due(self, *, now: datetime) -> int:
        """Sends what is due until nothing is, or BUDGET is spent; returns how many attempts were booked.

        Calls that are still under way then are booked by the next call of this. A worker that is stopped begins none.
        """
        running, booked = RunningClock(now), 0
        while running.now() - now < BUDGET:
            if not is_stopping():
                self._start_due(running.now())
            if not self._under_way:
                break
            booked += self._book(running)
        return booked

    def _start_due(self, now: datetime) -> None:
        """Starts a call to each endpoint that waits for one, those first that were called longest ago."""
        if len(self._under_way) >= SLOTS:
            return
        self._held = {pk: until for pk, until in self._held.items() if until > now}
        waiting = [one for one in due_endpoints(now) if one.pk not in (self._under_way | self._held)]
        calls = Counter(one.endpoint.organization_id for one in self._under_way.values())
        for endpoint in sorted(waiting, key=lambda one: self._turns.get(one.pk, 0.0)):
            if len(self._under_way) >= SLOTS:
                break
            if calls[endpoint.organization_id] >= SLOTS_OF_ORGANIZATION:
                continue
            if delivery := claim_next(endpoint, now):
                self._turns[endpoint.pk] = time.monotonic()
                self._start(delivery, now)
                # One that could not be started has no outcome, and would stand here for ever.
                self._under_way[endpoint.pk] = delivery
                calls[endpoint.organization_id] += 1
            else:
                self._held[endpoint.pk] = now + HELD_FOR

    def _start(self, delivery: WebhookDelivery, now: datetime) -> None:
        try:
            headers = signed_headers(delivery, now)
        except Unsealable:
            self._outcomes.put((delivery, Outcome(error_code="secret_unreadable")))
            return

        def call() -> None:
            began = time.monotonic()
            try:
                allowed = tuple(settings.PARTWAY_WEBHOOK_ALLOW_NETWORKS)
                outcome = _post(delivery.endpoint.url, delivery.payload.encode(), headers, allowed)
            except Exception as error:
                log.exception("webhook_call_broke", delivery=delivery.pk)
                outcome = Outcome(error_code="unknown", error_message=type(error).__name__)
            duration = timedelta(seconds=time.monotonic() - began)
            self._outcomes.put((delivery, replace(outcome, request_headers=headers, duration=duration)))

        # A daemon, so that a silent server does not keep the worker from ending.
        threading.Thread(target=call, name=f"webhook {delivery.pk}", daemon=True).start()

    def _book(self, running: RunningClock) -> int:
        """Waits a moment for outcomes and books those that came; returns how many."""
        booked, wait = 0, _LOOK_SECONDS
        while True:
            try:
                delivery, outcome = self._outcomes.get(timeout=wait)
            except queue.Empty:
                return booked
            booked, wait = booked + 1, 0.0
            del self._under_way[delivery.endpoint_id]
            self._held.pop(delivery.endpoint_id, None)
            if outcome.error_code:
                log.warning(
                    "webhook_failed",
                    delivery=delivery.pk,
                    endpoint=delivery.endpoint_id,
                    attempt=delivery.attempt_count,
                    code=outcome.error_code,
                    status=outcome.status,
                )
            record_attempt(delivery, outcome, now=running.now())


send_due = Sender().send_due
