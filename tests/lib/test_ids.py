"""Ids: prefixed, unguessable, and in the order they were made."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

from hypothesis import given
from hypothesis import strategies as st

from partway.lib.ids import encode, new_id


def test_an_id_says_what_it_is_of() -> None:
    assert re.fullmatch(r"inv_[0-9a-hjkmnp-tv-z]{26}", new_id("inv"))


def test_each_is_greater_than_the_one_before() -> None:
    made = [new_id("evt") for _ in range(2_000)]
    assert made == sorted(set(made))


def test_threads_never_make_the_same() -> None:
    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(lambda _: new_id("pay"), range(4_000)))
    assert len(set(made)) == len(made)


@given(st.lists(st.integers(0, 32**6 - 1), min_size=2, max_size=2))
def test_letters_sort_as_their_numbers_do(numbers: list[int]) -> None:
    assert sorted(numbers) == sorted(numbers, key=lambda number: encode(number, 6))
