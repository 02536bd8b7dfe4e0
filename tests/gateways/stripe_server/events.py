"""Events: recorded with each change, and queued for every webhook endpoint that wants their type."""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, datetime

from . import faults, shapes
from .company import Account
from .delivery import Courier, Delivery
from .errors import InvalidParameters, Json, no_such
from .lists import matches, page, shown

KEPT_SECONDS = 30 * 86_400
MAX_TYPES = 20


def emit(account: Account, kind: str, subject: Json, previous: Json | None = None) -> Json:
    """Records an event with a snapshot of its subject; `previous` holds the earlier values of what was updated."""
    event = shapes.event(account.new_id("evt"), account.now(), livemode=account.livemode)
    event["data"] = {"object": deepcopy(subject)}
    if previous is not None:
        event["data"]["previous_attributes"] = previous
    event.update(
        type=kind,
        request={"id": account.request.id, "idempotency_key": account.request.idempotency_key},
    )
    account.add(event)
    for endpoint, owner in _endpoints(account):
        wanted = endpoint["enabled_events"]
        if endpoint["status"] == "enabled" and ("*" in wanted or kind in wanted):
            event["pending_webhooks"] += 1
            payload = {**deepcopy(event), "api_version": endpoint["api_version"] or account.api_version}
            if owner is not account:
                payload["account"] = account.id
            if owner.hidden[endpoint["id"]].get("payload") == "thin":
                payload = thin(account, event)
            account.outbox.append(Delivery(owner, endpoint, payload))
    return event


def _endpoints(account: Account) -> list[tuple[Json, Account]]:
    """Returns the endpoints of the account, and those of its platform that want the events of connected accounts."""
    own = [
        (endpoint, account)
        for endpoint in account.all("webhook_endpoint")
        if not account.hidden[endpoint["id"]].get("connect")
    ]
    platform = account.platform
    if platform is None:
        return own
    return own + [
        (endpoint, platform)
        for endpoint in platform.all("webhook_endpoint")
        if platform.hidden[endpoint["id"]].get("connect")
    ]


def thin(account: Account, event: Json) -> Json:
    """Returns the thin notification of an event: it names the object, and does not show it."""
    subject = event["data"]["object"]
    path = {"checkout.session": "checkout/sessions"}.get(subject["object"], f"{subject['object']}s")
    return {
        "id": event["id"],
        "object": "v2.core.event",
        "context": account.id,
        "created": datetime.fromtimestamp(event["created"], UTC).isoformat().replace("+00:00", "Z"),
        "livemode": account.livemode,
        "reason": {"type": "request", "request": event["request"]} if event["request"]["id"] else None,
        "related_object": {
            "id": subject["id"],
            "type": subject["object"],
            "url": f"/v1/{path}/{subject['id']}",
        },
        "snapshot_event": event["id"],
        "type": f"v1.{event['type']}",
    }


def release(account: Account) -> None:
    """Sends what waits in the outbox; the caller holds the lock. What goes wrong on the way is a fault of a test."""
    waiting, account.outbox = account.outbox, []
    courier = account.courier = account.courier or Courier(account)
    sent: list[Delivery] = []
    for delivery in waiting:
        fault = faults.consume(account, faults.ON_THE_WAY, delivery.payload["type"].removeprefix("v1."))
        kind = fault.kind if fault else ""
        if fault and kind == "event_late":
            account.later(fault.delay, lambda late=delivery: courier.take([late]))  # type: ignore[misc]
        elif kind == "event_out_of_order":
            courier.held.append(delivery)
        elif kind != "event_lost":
            sent += [delivery, *courier.held] if kind != "event_twice" else [delivery, delivery]
            courier.held.clear()
    courier.take(sent)


def release_first(account: Account) -> None:
    """Sends what a test wants to arrive before the response of the request that caused it, and waits for it.

    Without the lock of the account, because the receiver of an event asks for what it names.
    """
    with account.lock:
        first = [
            one for one in account.outbox if faults.consume(account, ("event_first",), one.payload["type"])
        ]
        account.outbox = [one for one in account.outbox if one not in first]
    for delivery in first:
        Courier(account).send(delivery)


def retrieve(account: Account, params: Json, id: str) -> Json:
    return shown(account, _kept(account, id), params)


def _kept(account: Account, id: str) -> Json:
    event = account.get("event", id)
    if event["created"] < account.now() - KEPT_SECONDS:
        raise no_such("event", id)
    return event


def retrieve_thin(account: Account, params: Json, id: str) -> Json:
    """The thin event of the v2 API, by the same id."""
    del params
    return thin(account, _kept(account, id))


def list_events(account: Account, params: Json) -> Json:
    if len(params.get("types", ())) > MAX_TYPES:
        raise InvalidParameters(f"At most {MAX_TYPES} types can be asked for.", param="types")
    wanted = params.get("types", [params["type"]] if "type" in params else None)
    asked = [
        row
        for row in account.all("event")
        if row["created"] >= account.now() - KEPT_SECONDS
        and matches(row, params, "created")
        and (wanted is None or _is_wanted(row["type"], wanted))
    ]
    return page(account, asked, params, url="/v1/events")


def _is_wanted(kind: str, wanted: list[str]) -> bool:
    return any(kind == one or (one.endswith("*") and kind.startswith(one[:-1])) for one in wanted)
