"""Sort keys of document numbers, as businesses change them over the years."""

from __future__ import annotations

import random

import pytest

from partway.lib.natural_sort import UNNUMBERED, key_range, sort_key

IN_ORDER = {
    "width grows": ["INV-0998", "INV-0999", "INV-1000", "INV-9999", "INV-10000"],
    "leading zeros dropped": ["7", "008", "9", "010", "11"],
    "year in the prefix": ["2025-0009", "2025-0010", "2025-10000", "2026-0001"],
    "year after letters": ["RE2024/99", "RE2024/100", "RE2025/1"],
    "year and month": ["INV-2025-9-120", "INV-2025-10-3", "INV-2025-12-1"],
    "prefix changes": ["A-0003", "INV-0001", "INV-0002", "RE-0001"],
    "case of the prefix": ["inv-1", "INV-2", "inv-3"],
    "no prefix, then one": ["998", "999", "INV-1000"],
    "suffixes of another system": ["INV-12", "INV-12-1", "INV-12-2", "INV-12A", "INV-12b", "INV-13"],
    "equal but for zeros": ["INV-0007", "INV-007", "INV-7", "INV-8"],
    "other digits and widths": ["\u0661\u0662", "13", "\uff11\uff14"],
    "more digits than an integer of 64 bits": ["9" * 19, "1" + "0" * 19, "9" * 38],
    "letters beyond ASCII": ["\u00c9-2", "\u00e9-10", "R-1", "\u0420-1"],
    "longer than a key": ["A" * 2_000 + "1", "A" * 2_000 + "2"],
    "more digits than a byte counts": ["1" * 400, "2" * 400],
}


@pytest.mark.parametrize("case", IN_ORDER)
def test_numbers_sort_as_people_count(case: str) -> None:
    shuffled = random.Random(7).sample(IN_ORDER[case], k=len(IN_ORDER[case]))  # noqa: S311 - the same each time
    assert sorted(shuffled, key=sort_key) == IN_ORDER[case]


# In the order of an address book; names that fold alike stand in the order of their own letters.
NAMES_IN_ORDER = {
    "German": ["Ärger", "Arzt", "Ärzte Zentrum", "Mueller", "Müller", "muller x", "zebra", "Zürcher"],
    "branches": ["Filiale 2", "Filiale 10", "Filiale 10a"],
    "ornaments": ["\u201eAdler\u201c", "(Bär)", "\U0001f338 Blumen", "Café", "\U0001f338"],
    "Polish": ["Lis", "Łoś", "Lot", "Źródło", "Zub", "Żuk"],
    "Irish": ["Ó Conaill", "Oakwood", "O\u2019Brien", "Obst", "O'Connor"],
    "Scandinavian": ["Æble", "Ås", "Berg", "Øst", "Pil"],
    "Turkish": ["Irmak", "ısparta", "İstanbul", "izmir"],
    "Vietnamese": ["Đặng", "Đào", "Dũng", "Nguyễn"],
    "scripts": ["12 Monkeys", "Zoé", "Ωμέγα", "Ёлка", "Жук", "אבי", "أحمد", "สมชาย", "さくら", "王伟"],
    "full width": ["Ａｂｅ", "abel", "ＡＢＥＬ 2"],
}


@pytest.mark.parametrize("case", NAMES_IN_ORDER)
def test_names_sort_as_in_an_address_book(case: str) -> None:
    names = NAMES_IN_ORDER[case]
    assert sorted(random.Random(7).sample(names, k=len(names)), key=sort_key) == names  # noqa: S311


def test_sort_key_fits_into_an_index_of_postgresql() -> None:
    assert len(sort_key("\ufdfa" * 120)) < 1_500


def test_document_without_number_sorts_last() -> None:
    assert sort_key("\U0010ffff" * 40) < UNNUMBERED


@pytest.mark.parametrize(
    ("typed", "number", "same"),
    [
        ("inv-7", "INV-0007", True),
        ("7", "0007", True),
        ("7", "INV-0007", False),
        ("INV-7", "INV-0070", False),
        ("INV-7", "INV-7-1", False),
        ("INV-7", "INV-7A", False),
        ("\x01\x01INV-7", "INV-7", True),
        ("", "INV-7", False),
    ],
)
def test_key_range_selects_a_number_in_any_case_and_width(typed: str, number: str, same: bool) -> None:
    first, beyond = key_range(typed)
    assert (first <= sort_key(number) < beyond) is same
