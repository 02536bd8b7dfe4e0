"""Sets a document as PDF; the same data gives the same bytes, on every machine."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import typst

from .content import Document
from .serialization import to_json_value

_ODD = re.compile(r"[^\w.]+")

_HERE = Path(__file__).parent
_LAYOUT = _HERE / "layout"


@dataclass(frozen=True, slots=True)
class PdfFile:
    """A finished document under the name it is saved by."""

    name: str
    content: bytes
    media_type: str = "application/pdf"


def file(document: Document) -> PdfFile:
    """The document as a file: Invoice-INV-0012.pdf."""
    words = (document.status_label, document.kind, document.number)
    name = "-".join(_ODD.sub("-", word).strip("-.") for word in words if word)
    return PdfFile(f"{name}.pdf", pdf(document))


def pdf(document: Document) -> bytes:
    """The document as a PDF file. No network, no file outside this folder, no font of the machine."""
    return typst.compile(
        _LAYOUT / "document.typ",
        root=_LAYOUT,
        font_paths=_fonts(),
        ignore_system_fonts=True,
        sys_inputs={"document": json.dumps(to_json_value(document))},
    )


@cache
def _fonts() -> typst.Fonts:
    """Ours first; those that typst carries stand in for the few letters that ours lack."""
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=True, font_paths=[_HERE / "fonts"])
