"""Valid colors, and their contrast with white text."""

from __future__ import annotations

import pytest

from partway.lib.colors import contrast_with_white, is_color


@pytest.mark.parametrize("text", ["#1f5c3d", "#000000", "#ffffff"])
def test_lowercase_hex_color_is_valid(text: str) -> None:
    assert is_color(text)


@pytest.mark.parametrize(
    "text", ["", "red", "#fff", "#1F5C3D", "#1f5c3d ", "#1f5c3g", "#1f5c3d;}", "#１f5c3d"]
)
def test_other_color_spellings_are_invalid(text: str) -> None:
    assert not is_color(text)


@pytest.mark.parametrize(
    ("color", "ratio"), [("#000000", 21), ("#ffffff", 1), ("#767676", 4.54), ("#1f5c3d", 7.9)]
)
def test_contrast_with_white_follows_wcag(color: str, ratio: float) -> None:
    assert contrast_with_white(color) == pytest.approx(ratio, abs=0.1)
