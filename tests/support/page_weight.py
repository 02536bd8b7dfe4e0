"""The weight of a page on its first load, with its styles and scripts, compressed as the server does it."""

from __future__ import annotations

import gzip
import re
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.staticfiles.finders import find
from django.http import HttpResponse
from django.test import Client

# The addresses that a browser fetches with a page: styles, icons, scripts, pictures and frames.
_FETCHED = re.compile(r"<(?:link|script|img|iframe|source|use)\b[^>]*?\b(?:href|src|srcset)=[\"']([^\"']+)")
_IN_STYLES = re.compile(r"url\([\"']?([^\"')]+)")


def first_load(client: Client, response: HttpResponse) -> tuple[int, list[str]]:
    """Returns the bytes of a page with its files, and files of other hosts or that are not kept for a year."""
    weight, wrong = len(gzip.compress(response.content)), []
    for address in {each.partition("#")[0] for each in _FETCHED.findall(response.content.decode())} - {""}:
        if urlsplit(address).netloc:
            wrong.append(f"another host: {address}")
        elif address.endswith((".css", ".js", ".svg")):
            content = Path(find(address.removeprefix(settings.STATIC_URL))).read_bytes()
            weight += len(gzip.compress(content))
            wrong += [
                f"another host: {each}" for each in _IN_STYLES.findall(content.decode()) if "//" in each
            ]
            if "max-age=31536000" not in client.head(address).headers["Cache-Control"]:
                wrong.append(f"not kept: {address}")
    return weight, wrong
