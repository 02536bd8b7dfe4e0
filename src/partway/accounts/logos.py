"""Takes a logo that somebody sent: decoded, made small, and drawn anew, so that nothing of the file survives."""

from __future__ import annotations

import io
import struct

from PIL import Image, ImageOps, UnidentifiedImageError

MAX_BYTES = 2 * 1024 * 1024
MEDIA_TYPE = "image/png"
_FORMATS = ("PNG", "JPEG", "WEBP")
_MOST_PIXELS = 16_000_000  # a few kilobytes can claim to be gigabytes of picture
_WIDEST, _TALLEST = 800, 400
_TOO_MANY = "The picture has too many pixels. Send one of at most 4,000 × 4,000."


class InvalidLogo(ValueError):
    """The file cannot be a logo; the text says what to send instead."""


# What Pillow raises for files that are broken inside, in their EXIF above all.
_UNREADABLE = (
    *(UnidentifiedImageError, OSError, SyntaxError, EOFError, ValueError, struct.error, TypeError),
    *(LookupError, ArithmeticError, AttributeError),
)


def reencode(sent: bytes) -> bytes:
    """The picture as a PNG of at most 800 × 400 pixels, without anything else the file may have held."""
    if len(sent) > MAX_BYTES:
        raise InvalidLogo("The file is larger than 2 MB. Send a smaller one.")
    try:
        return _png(_open(sent))
    except InvalidLogo:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise InvalidLogo(_TOO_MANY) from None
    except _UNREADABLE:
        raise InvalidLogo("This file is not a PNG, JPEG or WebP picture.") from None


def _open(sent: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(sent), formats=_FORMATS)
    # The size stands in the header, so it is judged before a single pixel is unpacked.
    if image.width * image.height > _MOST_PIXELS:
        raise InvalidLogo(_TOO_MANY)
    return image


def _png(image: Image.Image) -> bytes:
    image.thumbnail((_WIDEST, _WIDEST))  # before all else, so that no step holds many pixels for long
    upright = ImageOps.exif_transpose(image).convert("RGBA")
    upright.thumbnail((_WIDEST, _TALLEST))
    drawn = Image.new("RGBA", upright.size)
    drawn.paste(upright)  # pixels alone: profiles, comments and the rest of `info` stay behind
    out = io.BytesIO()
    drawn.save(out, "PNG", optimize=True)
    return out.getvalue()
