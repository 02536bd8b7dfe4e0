"""Ids have a prefix, are random, and sort by creation time."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

from hypothesis import given
from hypothesis import strategies as st

from partway.lib.ids import encode, new_id


def test_id_has_prefix_and_26_characters() -> None:
    assert re.fullmatch(r"inv_[0-9a-hjkmnp-tv-z]{26}", new_id("inv"))


def test_ids_are_strictly_increasing() -> None:
    made = [new_id("evt") for _ in range(2_000)]
    assert made == sorted(set(made))


def test_ids_are_unique_across_threads() -> None:
    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(lambda _: new_id("pay"), range(4_000)))
    assert len(set(made)) == len(made)


@given(st.lists(st.integers(0, 32**6 - 1), min_size=2, max_size=2))
def test_id_encoding_preserves_numeric_order(numbers: list[int]) -> None:
    assert sorted(numbers) == sorted(numbers, key=lambda number: encode(number, 6))
