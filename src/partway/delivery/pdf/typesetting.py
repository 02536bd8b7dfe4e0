"""Typesets a document as PDF; the same data gives the same bytes, on every machine."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import typst

from .content import Document
from .serialization import to_json_value

_NOT_IN_A_NAME = re.compile(r"[^\w.]+")

_HERE = Path(__file__).parent
_LAYOUT = _HERE / "layout"


@dataclass(frozen=True, slots=True)
class PdfFile:
    """A finished document with its file name."""

    name: str
    content: bytes
    media_type: str = "application/pdf"


def file(document: Document) -> PdfFile:
    """Returns the document as a file: Invoice-INV-0012.pdf."""
    parts = (document.status_label, document.kind, document.number)
    name = "-".join(_NOT_IN_A_NAME.sub("-", part).strip("-.") for part in parts if part)
    return PdfFile(f"{name}.pdf", pdf(document))


def pdf(document: Document) -> bytes:
    """Returns the document as PDF. Uses no network, no file outside this folder, and no font of the machine."""
    return typst.compile(
        _LAYOUT / "document.typ",
        root=_LAYOUT,
        font_paths=_fonts(),
        ignore_system_fonts=True,
        sys_inputs={"document": json.dumps(to_json_value(document))},
    )


@cache
def _fonts() -> typst.Fonts:
    """Our fonts first; those that typst carries replace them for the few letters that they lack."""
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=True, font_paths=[_HERE / "fonts"])
