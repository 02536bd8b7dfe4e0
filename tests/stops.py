"""Named places at which a test can hold our code or kill it: every event, every commit, every word with the gateway.

    event payment.capturing     the change and its event are written, and not committed yet
    before commit               all is written
    after commit                others can see it
    before capture              the call is a row, and the gateway has not heard of it (start, capture, close)
    after capture               the gateway has answered, and we have not noted it
    before fetch, after fetch   the same for the question what is true

The code under test knows nothing of them: `install` puts them around the few functions that everything passes.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

from partway.billing import checkouts, events

Visitor = Callable[[str], None]

_here = threading.local()
_everywhere: list[Visitor] = []
_installed: list[bool] = []


def install() -> None:
    """Put the stop points into this process, once; nobody stops there until somebody visits."""
    if _installed:
        return
    _installed.append(True)
    _wrap(events, "record", after=lambda event_type, *_, **__: f"event {event_type}")
    _wrap(BaseDatabaseWrapper, "commit", before=lambda *_: "before commit", after=lambda *_: "after commit")
    _wrap(
        checkouts,
        "_answered",
        before=lambda call, *_: f"before {call.act}",
        after=lambda call, *_: f"after {call.act}",
    )
    _wrap(checkouts, "ask", before=lambda _: "before fetch", after=lambda _: "after fetch")


def _wrap(
    owner: Any,
    name: str,
    *,
    before: Callable[..., str] | None = None,
    after: Callable[..., str] | None = None,
) -> None:
    original = getattr(owner, name)

    @wraps(original)
    def stopping(*args: Any, **kwargs: Any) -> Any:
        if before:
            _pass(before(*args, **kwargs))
        answer = original(*args, **kwargs)
        if after:
            _pass(after(*args, **kwargs))
        return answer

    setattr(owner, name, stopping)


def _pass(name: str) -> None:
    for visitor in (*getattr(_here, "visitors", ()), *_everywhere):
        visitor(name)


@contextmanager
def visiting(visitor: Visitor) -> Iterator[None]:
    """Call `visitor` with the name of each stop point that this thread passes in the block."""
    install()
    before = getattr(_here, "visitors", ())
    _here.visitors = (*before, visitor)
    try:
        yield
    finally:
        _here.visitors = before


def visit_everywhere(visitor: Visitor) -> None:
    """Call `visitor` with the name of each stop point that any thread of this process passes from now on."""
    install()
    _everywhere.append(visitor)


def passed(act: Callable[[], Any]) -> list[str]:
    """The stop points that an act passes, in their order; so that a test of each of them can never miss a new one."""
    names: list[str] = []
    with visiting(names.append):
        act()
    return names
