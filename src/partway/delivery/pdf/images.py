"""The images of a document as SVG, which the layout takes as text: the organization's logo, the QR code of a link."""

from __future__ import annotations

import struct
from base64 import b64encode

from .content import PngImage

# The width and height of a logo at most; its proportions are kept.
_MAX_MM = (70.0, 16.0)

# The begin of a PNG: its signature, and a first chunk with width and height.
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEADER = struct.Struct(">8s4x4sII")


def logo(image: PngImage) -> dict[str, str | float] | None:
    """Returns the image and its size in millimeters; None when it is no PNG, and the name is printed instead."""
    if len(image.content) < _HEADER.size:
        return None
    signature, chunk, width, height = _HEADER.unpack_from(image.content)
    if (signature, chunk) != (_SIGNATURE, b"IHDR") or not (width and height):
        return None
    scale = min(_MAX_MM[0] / width, _MAX_MM[1] / height)
    # Bytes cannot be passed to the layout as they are; inside an SVG they are text.
    source = f"data:image/png;base64,{b64encode(image.content).decode()}"
    size = f'width="{width}" height="{height}"'
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" {size}><image {size} href="{source}"/></svg>'
    return {"svg": svg, "width": width * scale, "height": height * scale}


def qr_code(url: str) -> str:
    """Returns the QR code of a link, without a quiet zone: the paper around it is one."""
    import segno  # here, since most processes print no document

    code = segno.make_qr(url, error="m", boost_error=False)
    svg: str = code.svg_inline(border=0, dark="#221e18", omitsize=True)
    return svg.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
