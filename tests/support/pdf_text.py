"""Reads a PDF as a person does: its words, its pages, where its links lead."""

from __future__ import annotations

import unicodedata
from io import BytesIO

from pypdf import PdfReader


def pages(content: bytes) -> list[str]:
    """The words of each page, spaces folded; letters that stand in their joined shapes are plain again."""
    return [_folded(page.extract_text()) for page in PdfReader(BytesIO(content)).pages]


def text(content: bytes) -> str:
    """The words of all pages."""
    return " ".join(pages(content))


def targets(content: bytes) -> list[str]:
    """Where the links of the first page lead."""
    annotations = PdfReader(BytesIO(content)).pages[0].get("/Annots") or []
    return [str(annotation.get_object()["/A"]["/URI"]) for annotation in annotations]


def pictures(content: bytes) -> list[tuple[int, int]]:
    """Width and height in pixels of what is on the first page as an image; drawings do not count."""
    return [image.image.size for image in PdfReader(BytesIO(content)).pages[0].images if image.image]


def _folded(words: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", words).split())
