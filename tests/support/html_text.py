"""Reads a page as a person does."""

from __future__ import annotations

import re
from typing import Any


def text_of(answer: Any) -> str:
    """Its words without tags, spaces folded; what only tags stood between is written together."""
    return " ".join(re.sub(r"<[^>]+>", "", answer.content.decode()).split())
