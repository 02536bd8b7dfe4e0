"""The text, glyphs, pages, links and images of a PDF."""

from __future__ import annotations

import unicodedata
from io import BytesIO

from pypdf import PdfReader
from pypdf.generic import ContentStream, TextStringObject


def pages(content: bytes) -> list[str]:
    """Returns the text of each page with single spaces; ligatures and presentation forms are plain letters."""
    return [_folded(page.extract_text()) for page in PdfReader(BytesIO(content)).pages]


def text(content: bytes) -> str:
    """Returns the text of all pages."""
    return " ".join(pages(content))


def missing_glyphs(content: bytes) -> int:
    """Returns how many glyphs are the one that a font shows for an unknown character, mostly a box; it has number 0."""
    reader = PdfReader(BytesIO(content))
    shown = [
        operands[0]
        for page in reader.pages
        for operands, operator in ContentStream(page.get_contents(), reader).operations
        if operator in (b"Tj", b"TJ")
    ]
    strings = [
        part if isinstance(part, bytes) else part.original_bytes
        for one in shown
        for part in (one if isinstance(one, list) else [one])
        if isinstance(part, (bytes, TextStringObject))
    ]
    # Glyphs have numbers of two bytes, as in all fonts that typst embeds.
    return sum(string[at : at + 2] == b"\0\0" for string in strings for at in range(0, len(string), 2))


def targets(content: bytes) -> list[str]:
    """Returns the URLs of the links on the first page."""
    annotations = PdfReader(BytesIO(content)).pages[0].get("/Annots") or []
    return [str(annotation.get_object()["/A"]["/URI"]) for annotation in annotations]


def pictures(content: bytes) -> list[tuple[int, int]]:
    """Returns width and height in pixels of each bitmap on the first page; vector drawings do not count."""
    return [image.image.size for image in PdfReader(BytesIO(content)).pages[0].images if image.image]


def _folded(words: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", words).split())
