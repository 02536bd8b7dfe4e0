"""Finds the sessions of ours that changed since a time, which no single list of Stripe has.

Its lists are sorted by creation and cannot be asked for changes. So new sessions come from their list, and older ones
from the events of the last thirty days, which name what changed. Search is not used: it lags behind.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import stripe

from ..protocol import FoundCheckout
from .client import calling
from .connection import CHECKOUT_EVENT_TYPES
from .reading import Json, expanded, id_of, unix_time
from .states import organization_of, reference_of

PAGE = 100
# One level deeper than Stripe expands lists, there would be the balance transactions of the refunds.
INTENT = "payment_intent.latest_charge"
EXPAND = [f"{INTENT}.balance_transaction", f"{INTENT}.refunds"]

# Stripe keeps events for thirty days.
_EVENTS_KEPT = timedelta(days=29)
# What a bank takes to decide a dispute, or to find that a refund cannot be paid out: so long before an outage that was
# longer than events are kept, one may have been made that changed since.
_DISPUTES_LAST = timedelta(days=180)
_REFUNDS_LAST = timedelta(days=60)
# A list that is read by the worker waits as long as Stripe says, a few times.
_MAX_WAITS = 5
_LONGEST_WAIT_SECONDS = 10.0

List = Callable[..., Any]  # of the SDK: parameters → a ListObject


def rows(read: List, params: Mapping[str, Any], *, max_waits: int = _MAX_WAITS) -> Iterator[Json]:
    """Yields the rows of a list, newest first, page by page. Raises as `read_page` does."""
    query = {**params, "limit": PAGE}
    while True:
        page = read_page(read, query, max_waits=max_waits)
        yield from page["data"]
        if not page["has_more"]:
            return
        query["starting_after"] = page["data"][-1]["id"]


def read_page(read: List, query: dict[str, Any], *, max_waits: int = _MAX_WAITS) -> Json:
    """Returns one page of a list as plain data; waits where Stripe limits the rate. Raises Refused or OutcomeUnknown.

    `max_waits` is 0 for what a person waits for: then the caller is told at once that the outcome is unknown.
    """
    for waits in range(max_waits + 1):
        with calling():
            try:
                page: Json = read(query).to_dict()
            except stripe.RateLimitError as error:
                headers = error.headers or {}
                if waits == max_waits or headers.get("stripe-should-retry") == "false":
                    raise
                # In whole seconds; HTTP also allows a date there, which Stripe does not send.
                after = str(headers.get("retry-after", ""))
                time.sleep(min(int(after) if after.isdecimal() else 1, _LONGEST_WAIT_SECONDS))
                continue
            # Else it is no list, and the error says so.
            if page["has_more"]:
                page["data"][-1]["id"]
            return page
    raise AssertionError("unreachable")


def sessions_created_since(api: stripe.StripeClient, at: datetime) -> Iterator[Json]:
    """Yields our sessions that were created at or after `at`, oldest first, expanded.

    Pages come newest first, and a list after a long outage has no bound: all are passed once for the places where they
    begin, and then read again from the last one on. The first page is kept: read again, it would begin with sessions
    that were opened meanwhile, and end before some that no other page has.
    """
    query = {
        "created": {"gte": unix_time(at)},
        "limit": PAGE,
        "expand": [f"data.{path}" for path in EXPAND],
    }
    first = page = read_page(api.v1.checkout.sessions.list, query)
    after: list[str] = []  # where each further page begins
    while page["has_more"]:
        after.append(page["data"][-1]["id"])
        page = read_page(api.v1.checkout.sessions.list, {**query, "starting_after": after[-1]})
    for start in reversed(after):
        if start is not after[-1]:
            page = read_page(api.v1.checkout.sessions.list, {**query, "starting_after": start})
        yield from (row for row in reversed(page["data"]) if reference_of(row))
    yield from (row for row in reversed(first["data"]) if reference_of(row))


def find_session(api: stripe.StripeClient, reference: str, *, expires_at: datetime) -> Json | None:
    """Returns the session that was asked for under a reference, to end at `expires_at`; None where none was made.

    A session ends between half an hour and a day after its creation at Stripe, so it is in the list of that day,
    however much our clock differs. Raises Refused or OutcomeUnknown unless the list was read to its end.
    """
    created = {"gte": unix_time(expires_at - timedelta(days=1)), "lte": unix_time(expires_at)}
    listed = rows(api.v1.checkout.sessions.list, {"created": created}, max_waits=0)
    return next((session for session in listed if reference_of(session) == reference), None)


def sessions_changed_since(api: stripe.StripeClient, at: datetime, now: datetime) -> Iterator[str]:
    """Yields the ids of our sessions that changed since `at` by Stripe's events, oldest change first.

    Also of new ones. What another application on the same account did is left out where its object says so; the rest
    is asked for.
    """
    changed: dict[str, None] = {}  # sessions and intents, the newest change first
    since = max(at, now - _EVENTS_KEPT)
    params = {"created": {"gte": unix_time(since)}, "types": list(CHECKOUT_EVENT_TYPES)}
    for event in rows(api.v1.events.list, params):
        _note(changed, event["data"]["object"])
    if since > at:
        for read, lasting in ((api.v1.refunds.list, _REFUNDS_LAST), (api.v1.disputes.list, _DISPUTES_LAST)):
            for row in rows(read, {"created": {"gte": unix_time(at - lasting)}}):
                _note(changed, row)
    for ref in reversed(changed):
        found = find_checkout(api, ref) if ref else None
        if found is not None:
            yield found.ref


def _note(changed: dict[str, None], row: Json) -> None:
    """Notes the session or the intent of an object once, unless the object is of another application."""
    carries_ours = row["object"] in ("checkout.session", "payment_intent", "charge")
    if carries_ours and not reference_of(row):
        return
    ref = (
        row["id"] if row["object"] in ("checkout.session", "payment_intent") else id_of(row["payment_intent"])
    )
    changed.setdefault(ref)


def find_checkout(api: stripe.StripeClient, object_ref: str) -> FoundCheckout | None:
    """Returns the session that an object of Stripe belongs to; None where it is of another application.

    Raises Refused for an id that Stripe does not know, or OutcomeUnknown.
    """
    intent_ref, prefix = object_ref, object_ref.partition("_")[0]
    with calling():
        if prefix == "cs":
            session: Json = api.v1.checkout.sessions.retrieve(object_ref).to_dict()
            return _found(session)
        retrieve: dict[str, Any] = {
            "ch": api.v1.charges,
            "py": api.v1.charges,
            "re": api.v1.refunds,
            "pyr": api.v1.refunds,
            "dp": api.v1.disputes,
            "du": api.v1.disputes,
        }
        if prefix in retrieve:
            row = retrieve[prefix].retrieve(object_ref).to_dict()
            intent_ref = id_of(row["payment_intent"])
        if not intent_ref.startswith("pi_"):
            return None
        found = api.v1.checkout.sessions.list({"payment_intent": intent_ref, "limit": 1}).to_dict()["data"]
        return _found(expanded(found[0])) if found else None


def _found(session: Json) -> FoundCheckout | None:
    reference = reference_of(session)
    return FoundCheckout(session["id"], reference, organization_of(session)) if reference else None
