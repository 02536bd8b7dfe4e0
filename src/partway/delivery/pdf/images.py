"""The pictures of a document as SVG, which the layout takes as text: the organization's logo, the code of a link."""

from __future__ import annotations

import struct
from base64 import b64encode

import segno

from .content import PngImage

# The room a logo has; it fills one of the two and keeps its shape.
_MAX_MM = (70.0, 16.0)

# How a PNG begins: its signature, and a first chunk that tells width and height.
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEADER = struct.Struct(">8s4x4sII")


def logo(picture: PngImage) -> dict[str, str | float] | None:
    """The picture and its size in millimeters. None when it is no PNG: the name stands in its place."""
    if len(picture.content) < _HEADER.size:
        return None
    signature, chunk, width, height = _HEADER.unpack_from(picture.content)
    if (signature, chunk) != (_SIGNATURE, b"IHDR") or not (width and height):
        return None
    scale = min(_MAX_MM[0] / width, _MAX_MM[1] / height)
    return {"svg": _wrapped(picture, width, height), "width": width * scale, "height": height * scale}


def _wrapped(picture: PngImage, width: int, height: int) -> str:
    # Bytes cannot be handed to the layout as they are; inside an SVG they are text.
    source = f"data:image/png;base64,{b64encode(picture.content).decode()}"
    size = f'width="{width}" height="{height}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}><image {size} href="{source}"/></svg>'


def code(url: str) -> str:
    """The QR code of a link, without a quiet zone: the paper around it is one."""
    made = segno.make_qr(url, error="m", boost_error=False)
    drawn: str = made.svg_inline(border=0, dark="#221e18", omitsize=True)
    return drawn.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
