"""Confirms a page as a browser does: sends the hidden fields of its form."""

from __future__ import annotations

import html
import re
from typing import Any

from django.http import HttpResponse
from django.test import Client

_HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)"')


def hidden_fields(response: HttpResponse) -> dict[str, str]:
    """Returns the hidden fields of a page."""
    found = _HIDDEN.findall(response.content.decode())
    return {name: html.unescape(value) for name, value in found}


def confirm_page(client: Client, url: str, **options: Any) -> Any:
    """Opens the page and confirms it."""
    return client.post(url, hidden_fields(client.get(url)), **options)
