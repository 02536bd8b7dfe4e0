"""Bulkheads let in as many threads as they have places, and refuse the next at once."""

from __future__ import annotations

import threading

import pytest

from partway.lib.bulkheads import Bulkhead, BulkheadFull


def bulkhead(limit: int | None) -> Bulkhead:
    made = Bulkhead("test")
    made.limit = limit
    return made


def enter_elsewhere(entered: Bulkhead) -> bool:
    """Returns whether another thread is let in."""
    results = []

    def enter() -> None:
        try:
            with entered.enter():
                results.append(True)
        except BulkheadFull:
            results.append(False)

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    return results[0]


def test_full_bulkhead_refuses_next_thread_and_counts_it() -> None:
    full = bulkhead(1)
    with full.enter():
        assert not enter_elsewhere(full)
        assert (full.in_use, full.refused) == (1, 1)
    assert enter_elsewhere(full)
    assert (full.in_use, full.refused) == (0, 1)


def test_thread_inside_enters_again_without_another_place() -> None:
    full = bulkhead(1)
    with full.enter():
        with full.enter():
            assert full.in_use == 1
        assert not enter_elsewhere(full)


def test_place_is_free_after_error() -> None:
    full = bulkhead(1)
    with pytest.raises(ZeroDivisionError), full.enter():
        raise ZeroDivisionError
    assert enter_elsewhere(full)


def test_bulkhead_without_limit_lets_in_all() -> None:
    with (unlimited := bulkhead(None)).enter():
        assert enter_elsewhere(unlimited)
