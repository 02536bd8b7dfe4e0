"""The text, pages, links and images of a PDF."""

from __future__ import annotations

import unicodedata
from io import BytesIO

from pypdf import PdfReader


def pages(content: bytes) -> list[str]:
    """Returns the text of each page with single spaces; ligatures and presentation forms are plain letters."""
    return [_folded(page.extract_text()) for page in PdfReader(BytesIO(content)).pages]


def text(content: bytes) -> str:
    """Returns the text of all pages."""
    return " ".join(pages(content))


def targets(content: bytes) -> list[str]:
    """Returns the URLs of the links on the first page."""
    annotations = PdfReader(BytesIO(content)).pages[0].get("/Annots") or []
    return [str(annotation.get_object()["/A"]["/URI"]) for annotation in annotations]


def pictures(content: bytes) -> list[tuple[int, int]]:
    """Returns width and height in pixels of each bitmap on the first page; vector drawings do not count."""
    return [image.image.size for image in PdfReader(BytesIO(content)).pages[0].images if image.image]


def _folded(words: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", words).split())
