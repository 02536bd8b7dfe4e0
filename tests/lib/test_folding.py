"""Folding of text, and which typed words find which stored text."""

from __future__ import annotations

import random
import sys
import unicodedata

import pytest

from partway.lib.folding import MAX_KEY_LENGTH, MAX_WORDS, fold, search_key, search_words, whole_line
from tests.support.searches import FINDS, MISSES


def found(stored: str, typed: str) -> bool:
    """Whether each word is in the key, as the databases look for it."""
    words, key = search_words(typed), search_key(stored)
    return bool(words) and all(any(spelling in key for spelling in word) for word in words)


@pytest.mark.parametrize(("stored", "typed"), FINDS)
def test_search_finds_name(stored: str, typed: str) -> None:
    assert found(stored, typed)


@pytest.mark.parametrize(("stored", "typed"), MISSES)
def test_search_does_not_find_other_name(stored: str, typed: str) -> None:
    assert not found(stored, typed)


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("  Ärzte\u00a0\t Zentrum\r\n", "arzte zentrum"),
        ("Straße STRASSE ẞ", "strasse strasse ss"),
        ("Søren Łódź Đạt Þór Æsir Œuvre ħ ɓ", "soren lodz dat thor aesir oeuvre h b"),
        (
            "\u201eQ\u201c \u2018r\u2019 \u00abs\u00bb \u00b4t` \u2013 \u2014 \u2212",
            "\"q\" 'r' \"s\" 't' - - -",
        ),
        ("١٢٣ ৪৫ ７８ ①", "123 45 78 1"),
        ("ﬁn № ½ ㎏", "fin no 1/2 kg"),
        ("soft\u00adhyphen zero\u200bwidth \u200fmark", "softhyphen zerowidth mark"),
        ("", ""),
    ],
)
def test_fold(text: str, folded: str) -> None:
    assert fold(text) == folded


def test_folding_twice_changes_nothing() -> None:
    codes = map(chr, range(sys.maxunicode + 1))
    every = [character for character in codes if unicodedata.category(character) not in ("Cn", "Co")]
    rng = random.Random(5)  # noqa: S311 - the same each time
    mixed = ["".join(rng.choices(every, k=8)) for _ in range(5_000)]
    marked = ["".join(rng.choices(every[0x250:0x700], k=6)) for _ in range(5_000)]
    alone = [" ".join(every[start : start + 50]) for start in range(0, len(every), 50)]
    for text in (*alone, *mixed, *marked):
        assert fold(fold(text)) == fold(text), ascii(text)


def test_search_key_and_typed_words_are_bounded() -> None:
    assert len(search_key("\ufdfa" * 120, "ü" * 254)) == MAX_KEY_LENGTH
    words = search_words(" ".join(f"{number:04d}" for number in range(5_000)))
    assert len(words) == MAX_WORDS
    assert search_words("a an ann anna") == [("anna",)]


@pytest.mark.parametrize("typed", ["", "  ", "\u0301", "\u200b \ufeff", '""', "\u2019"])
def test_nothing_is_left_to_search_for(typed: str) -> None:
    assert search_words(typed) == []


def test_whole_line_finds_only_a_whole_text() -> None:
    key = search_key("Müller & Co", "info@mueller.example")
    for typed in ("MULLER & CO", "mueller & co", "Info@Mueller.example"):
        assert whole_line(typed) in key
    for typed in ("muller", "mueller.example", "co info@mueller.example"):
        assert whole_line(typed) not in key
