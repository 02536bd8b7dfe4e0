"""An organization's color stays readable on paper."""

from __future__ import annotations

import pytest

from partway.delivery.documents.colors import on_paper


@pytest.mark.parametrize("color", ["#1f5c3d", "#000000", "#0044CC", "#8a1c1c"])
def test_a_dark_color_stays_as_it_is(color: str) -> None:
    assert on_paper(color) == color.lower()


@pytest.mark.parametrize("color", ["#ffffff", "#ffd400", "#7fffd4", "#ff69b4"])
def test_a_light_color_gets_darker(color: str) -> None:
    darker = on_paper(color)
    assert all(int(darker[place : place + 2], 16) <= int(color[place : place + 2], 16) for place in (1, 3, 5))
    assert on_paper(darker) == darker
