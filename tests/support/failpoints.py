"""Named places at which a test can hold our code or kill it: every event, every commit, every word with the gateway.

    event payment.capturing     the change and its event are written, and not committed yet
    before commit               all is written
    after commit                others can see it
    call capture                the row of a call is written, and not committed yet (start, capture, close)
    before capture              the call is a row, and the gateway has not heard of it
    after capture               the gateway has answered, and we have not noted it
    noted capture               we have noted that it answered, and not booked what it said
    before fetch, after fetch   the same for the question what is true
    mail receipt                the mail was asked whether it still holds, and has not been handed over
    sent receipt                it was handed over, and we have not noted it

The code under test knows nothing of them: `install` puts them around the few functions that everything passes.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import wraps
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

from partway.billing import events, outbox
from partway.billing.checkouts import gateway_calls
from partway.billing.models import GatewayCall
from partway.delivery.mail import sending

FailpointCallback = Callable[[str], None]

_thread_callbacks = threading.local()
_global_callbacks: list[FailpointCallback] = []
_installed: list[bool] = []


def install() -> None:
    """Put the stop points into this process, once; nobody stops there until somebody visits."""
    if _installed:
        return
    _installed.append(True)
    _wrap(events, "record", after=lambda event_type, *_, **__: f"event {event_type}")
    _wrap(BaseDatabaseWrapper, "commit", before=lambda *_: "before commit", after=lambda *_: "after commit")
    _wrap(GatewayCall, "save", after=lambda call, **_: f"call {call.act}")
    _wrap(gateway_calls, "_note", after=lambda call, *_: f"noted {call.act}")
    _wrap_calls()
    _wrap(outbox, "is_still_valid", after=lambda mail, **_: f"mail {mail.kind}")
    _wrap(sending, "_sent", before=lambda mail, *_: f"sent {mail.kind}")
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
        answer = original(*args, **kwargs)
        if after:
            _reach(after(*args, **kwargs))
        return answer

    setattr(owner, name, wrapper)


def _wrap_calls() -> None:
    """Stop inside the call itself, because `_answered` notes the answer before it returns."""
    original = gateway_calls._answered

    @wraps(original)
    def wrapper(call: GatewayCall, now: datetime, make: Callable[[], Any]) -> Any:
        def made() -> Any:
            _reach(f"before {call.act}")
            answer = make()
            _reach(f"after {call.act}")
            return answer

        return original(call, now, made)

    gateway_calls._answered = wrapper


def _reach(name: str) -> None:
    for callback in (*getattr(_thread_callbacks, "callbacks", ()), *_global_callbacks):
        callback(name)


@contextmanager
def on_failpoint(callback: FailpointCallback) -> Iterator[None]:
    """Call `visitor` with the name of each stop point that this thread passes in the block."""
    install()
    before = getattr(_thread_callbacks, "callbacks", ())
    _thread_callbacks.callbacks = (*before, callback)
    try:
        yield
    finally:
        _thread_callbacks.callbacks = before


def on_failpoint_in_any_thread(callback: FailpointCallback) -> None:
    """Call `visitor` with the name of each stop point that any thread of this process passes from now on."""
    install()
    _global_callbacks.append(callback)


def failpoints_passed(act: Callable[[], Any]) -> list[str]:
    """The stop points that an act passes, in their order; so that a test of each of them can never miss a new one."""
    names: list[str] = []
    with on_failpoint(names.append):
        act()
    return names
