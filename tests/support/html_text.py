"""The visible text of an HTML page."""

from __future__ import annotations

import re
from typing import Any


def text_of(response: Any) -> str:
    """Returns the text without tags and with single spaces; text that only tags separate is joined."""
    return " ".join(re.sub(r"<[^>]+>", "", response.content.decode()).split())
