"""Decodes an uploaded logo and encodes it anew as a small PNG, so that no other content of the file is stored."""

from __future__ import annotations

import io
import struct

MAX_BYTES = 2 * 1024 * 1024
MEDIA_TYPE = "image/png"
_FORMATS = ("PNG", "JPEG", "WEBP")
_MAX_PIXELS = 16_000_000  # a file of a few kilobytes can decompress to gigabytes
_MAX_WIDTH, _MAX_HEIGHT = 800, 400


class InvalidLogo(ValueError):
    """The file cannot be a logo: `code` is logo_too_large, logo_too_many_pixels or logo_unreadable."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


# Pillow raises these for damaged files, most often while it reads their EXIF data; its own error is an OSError.
_UNREADABLE = (
    *(OSError, SyntaxError, EOFError, ValueError, struct.error, TypeError),
    *(LookupError, ArithmeticError, AttributeError),
)


def reencode(sent: bytes) -> bytes:
    """Returns the picture as a PNG of at most 800 × 400 pixels, without metadata. Raises InvalidLogo."""
    if len(sent) > MAX_BYTES:
        raise InvalidLogo("logo_too_large")
    from PIL import Image, ImageOps  # here, since a logo is seldom uploaded

    try:
        image = Image.open(io.BytesIO(sent), formats=_FORMATS)
        # The size is in the header, so it is checked before a single pixel is decompressed.
        if image.width * image.height > _MAX_PIXELS:
            raise InvalidLogo("logo_too_many_pixels")
        image.thumbnail((_MAX_WIDTH, _MAX_WIDTH))  # first, so that the other steps have few pixels to process
        upright = ImageOps.exif_transpose(image).convert("RGBA")
        upright.thumbnail((_MAX_WIDTH, _MAX_HEIGHT))
        pixels = Image.new("RGBA", upright.size)
        pixels.paste(upright)  # copies pixels alone: profiles, comments and the rest of `info` are left out
        out = io.BytesIO()
        pixels.save(out, "PNG", optimize=True)
    except InvalidLogo:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise InvalidLogo("logo_too_many_pixels") from None
    except _UNREADABLE:
        raise InvalidLogo("logo_unreadable") from None
    return out.getvalue()
