"""Says yes on a page as a browser does: with what the page itself wrote into its form."""

from __future__ import annotations

import re
from typing import Any

from django.http import HttpResponse
from django.test import Client

_HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)"')


def hidden_fields(answer: HttpResponse) -> dict[str, str]:
    """The hidden fields of a page that was opened."""
    return dict(_HIDDEN.findall(answer.content.decode()))


def confirm_page(client: Client, url: str, **options: Any) -> Any:
    """Open the page and answer it at once."""
    return client.post(url, hidden_fields(client.get(url)), **options)
