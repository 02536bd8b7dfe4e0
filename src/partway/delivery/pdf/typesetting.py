"""Typesets a document as PDF; the same data gives the same bytes, on every machine."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from .content import Document
from .serialization import to_json_value
from .typesetters import typeset

_NOT_IN_A_NAME = re.compile(r"[^\w.]+")


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
    """Returns the document as PDF; raises TypesettingFailed for one that is too large."""
    return typeset(json.dumps(to_json_value(document)))
