"""Closes checkouts at the gateway once the act that canceled their payments is committed (DESIGN P1, R4)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from functools import wraps
from typing import ParamSpec, TypeVar, cast

from django.db import transaction

from partway.lib.clock import RunningClock

from ..events import Actor
from ..models import Payment
from . import gateway_calls

P = ParamSpec("P")
R = TypeVar("R")

_to_close: ContextVar[list[Payment] | None] = ContextVar("payments_to_close", default=None)
_is_deferred: ContextVar[bool] = ContextVar("closing_is_deferred", default=False)


@contextmanager
def closing_later() -> Iterator[None]:
    """Leaves the calls of the acts inside to the worker's job of unsettled payments, which is due in seconds."""
    token = _is_deferred.set(True)
    try:
        yield
    finally:
        _is_deferred.reset(token)


def closes_checkouts(act: Callable[P, R]) -> Callable[P, R]:
    """Runs `act` in a durable transaction, then closes at the gateway what it passed to `close_after_commit`.

    `act` takes `now` by keyword. No gateway is called inside the transaction, nor when `act` raises; a process that is
    killed before the calls loses nothing, because the worker finds the payments in `closing` or `releasing`. One that
    another such act calls is part of its transaction, and closes after that.
    """

    @wraps(act)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        if _to_close.get() is not None:
            with transaction.atomic():
                return act(*args, **kwargs)
        payments: list[Payment] = []
        running = RunningClock(cast(datetime, kwargs["now"]))  # a ParamSpec does not say what a keyword holds
        token = _to_close.set(payments)
        try:
            with transaction.atomic(durable=True):
                result = act(*args, **kwargs)
        finally:
            _to_close.reset(token)
        if _is_deferred.get():
            return result
        # After the commit, so that a slow gateway holds no lock, and a rollback cannot follow a checkout that was
        # closed (P4).
        for payment in payments:
            gateway_calls.close(payment, now=running.now())
        return result

    return run


def close_after_commit(payment: Payment) -> None:
    """Marks a payment in `closing` or `releasing` to be closed at the gateway after the commit of this act."""
    payments = _to_close.get()
    if payments is not None and payment not in payments:
        payments.append(payment)


def cancel_payment(payment: Payment, *, by: Actor, now: datetime) -> None:
    """Decides under the document's lock that an uncommitted payment does not happen, and closes it after the commit."""
    if gateway_calls.begin_cancel(payment, by=by, now=now):
        close_after_commit(payment)
