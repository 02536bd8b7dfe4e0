"""Colors as #rrggbb, and their contrast with white text."""

from __future__ import annotations

import re

_COLOR = re.compile(r"#[0-9a-f]{6}", re.ASCII)


def is_color(text: str) -> bool:
    """Returns whether `text` is a color in the only spelling that is stored, as #1f5c3d."""
    return bool(_COLOR.fullmatch(text))


def contrast_with_white(color: str) -> float:
    """Returns the contrast ratio of WCAG 2.2, from 1 (white on white) to 21 (white on black)."""
    luminance = 0.0
    for at, weight in ((1, 0.2126), (3, 0.7152), (5, 0.0722)):
        part = int(color[at : at + 2], 16) / 255
        linear = part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        luminance += weight * linear
    return 1.05 / (luminance + 0.05)
