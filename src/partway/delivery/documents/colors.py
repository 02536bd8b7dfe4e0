"""Makes an organization's color readable on white paper."""

from __future__ import annotations

# Contrast against white that WCAG asks of text.
_READABLE = 4.5
_STEP = 0.92


def on_paper(color: str) -> str:
    """`color` (#rrggbb), darkened step by step until words in it can be read on white."""
    channels = [int(color[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    while _contrast_with_white(channels) < _READABLE:
        channels = [channel * _STEP for channel in channels]
    return "#" + "".join(f"{round(channel * 255):02x}" for channel in channels)


def _contrast_with_white(channels: list[float]) -> float:
    red, green, blue = (_linear(channel) for channel in channels)
    return 1.05 / (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05)


def _linear(channel: float) -> float:
    """A channel of sRGB without its gamma."""
    return channel / 12.92 if channel <= 0.04045 else float(((channel + 0.055) / 1.055) ** 2.4)
