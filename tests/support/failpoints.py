"""Failpoints: named places at which a test can pause or kill our code: each event, commit and gateway call.

    event payment.capturing     the change and its event are written, not yet committed
    before commit               everything is written
    after commit                other connections see it
    call capture                the row of a gateway call is written and committed (start, capture, close)
    before capture              the gateway is not yet called
    after capture               the gateway has responded, the outcome is not yet recorded
    noted capture               the outcome is recorded, the state not yet booked
    before fetch, after fetch   the same for a fetch, which has no row
    callback stored             a callback is stored and committed, not yet booked
    mail receipt                the mail is still valid, not yet sent
    sent receipt                the mail is sent, which is not yet recorded
    webhook invoice.paid        the webhook is signed, not yet sent
    called invoice.paid         the endpoint has responded, which is not yet recorded

The code under test does not know them: `install` wraps the few functions that everything passes through.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import wraps
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

from partway.billing import events
from partway.billing.checkouts import gateway_calls
from partway.billing.models import GatewayCall
from partway.billing.payments import callbacks
from partway.delivery.mail import kinds, sending
from partway.delivery.webhooks import sending as webhook_sending

FailpointCallback = Callable[[str], None]

_thread_callbacks = threading.local()
_global_callbacks: list[FailpointCallback] = []
_installed: list[bool] = []


def install() -> None:
    """Installs the failpoints in this process, once; they do nothing until a callback is set."""
    if _installed:
        return
    _installed.append(True)
    _wrap(events, "record", after=lambda event_type, *_, **__: f"event {event_type}")
    _wrap(BaseDatabaseWrapper, "commit", before=lambda *_: "before commit", after=lambda *_: "after commit")
    _wrap(gateway_calls, "_insert_call", after=lambda _, operation, *__: f"call {operation}")
    _wrap(gateway_calls, "_record_outcome", after=lambda call, *_: f"noted {call.operation}")
    _wrap_calls()
    _wrap(callbacks, "process_callback", before=lambda *_, **__: "callback stored")
    _wrap(kinds, "is_valid", after=lambda mail, **_: f"mail {mail.kind}")
    _wrap(sending, "_sent", before=lambda mail, *_: f"sent {mail.kind}")
    _wrap(webhook_sending, "signed_headers", after=lambda delivery, _: f"webhook {delivery.event_type}")
    _wrap(
        webhook_sending, "record_attempt", before=lambda delivery, *_, **__: f"called {delivery.event_type}"
    )
    _wrap(gateway_calls, "fetch_state", before=lambda _: "before fetch", after=lambda _: "after fetch")


def _wrap(
    owner: Any,
    name: str,
    *,
    before: Callable[..., str] | None = None,
    after: Callable[..., str] | None = None,
) -> None:
    original = getattr(owner, name)

    @wraps(original)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        if before:
            _reach(before(*args, **kwargs))
        response = original(*args, **kwargs)
        if after:
            _reach(after(*args, **kwargs))
        return response

    setattr(owner, name, wrapper)


def _wrap_calls() -> None:
    """Passes the failpoint inside the call itself, because `_send` records the outcome before it returns."""
    original = gateway_calls._send

    @wraps(original)
    def wrapper(call: GatewayCall, now: datetime, make: Callable[[], Any]) -> Any:
        def made() -> Any:
            _reach(f"before {call.operation}")
            response = make()
            _reach(f"after {call.operation}")
            return response

        return original(call, now, made)

    gateway_calls._send = wrapper


def _reach(name: str) -> None:
    for callback in (*getattr(_thread_callbacks, "callbacks", ()), *_global_callbacks):
        callback(name)


@contextmanager
def on_failpoint(callback: FailpointCallback) -> Iterator[None]:
    """Calls `callback` with the name of each failpoint that this thread passes in the block."""
    install()
    before = getattr(_thread_callbacks, "callbacks", ())
    _thread_callbacks.callbacks = (*before, callback)
    try:
        yield
    finally:
        _thread_callbacks.callbacks = before


def on_failpoint_in_any_thread(callback: FailpointCallback) -> None:
    """Calls `callback` with the name of each failpoint that any thread of this process passes from now on."""
    install()
    _global_callbacks.append(callback)


def failpoints_passed(act: Callable[[], Any]) -> list[str]:
    """Returns the failpoints that an act passes, in order, so that a test of each notices a new one."""
    names: list[str] = []
    with on_failpoint(names.append):
        act()
    return names
