"""Colors as #rrggbb, and how well white text can be read on them."""

from __future__ import annotations

import re

_COLOR = re.compile(r"#[0-9a-f]{6}", re.ASCII)


def is_color(text: str) -> bool:
    """Whether `text` is a color in the one spelling we keep, as #1f5c3d."""
    return bool(_COLOR.fullmatch(text))


def contrast_with_white(color: str) -> float:
    """From 1 (cannot be told apart) to 21, as WCAG 2.2 defines it."""
    red, green, blue = (_linear(int(color[at : at + 2], 16) / 255) for at in (1, 3, 5))
    return 1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05)


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)
