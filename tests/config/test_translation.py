"""Every text on a page is in the catalogue: with a catalogue that marks its texts, a page shows no other words.

The names and texts of rows, amounts, dates and codes are no texts of the program.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from django.apps import apps
from django.conf import settings
from django.db import models
from django.test import override_settings

from tests.attacks.site import Site

OPEN, CLOSE = "⟦", "⟧"
MARKED = re.compile(f"{OPEN}[^{OPEN}{CLOSE}]*{CLOSE}")
TAG = re.compile(r"<(script|style|svg)\b.*?</\1>|<[^>]*>", re.DOTALL)
READ_ALOUD = re.compile(r'\b(?:aria-label|placeholder|title|alt)="([^"]*)"')
DATE_OR_ADDRESS = re.compile(r"\b[A-Z][a-z]{2} \d{1,2}, \d{4}|[\w.+-]+@[\w.-]+")
WORD = re.compile(r"[^\W\d_]{3,}")
CODE = re.compile(r'<(?:code|option)\b.*?</(?:code|option)>|<span class="code">.*?</span>', re.DOTALL)


@pytest.fixture
def marking_catalogue(tmp_path: Path) -> Iterator[None]:
    """A catalogue whose translation of each text is the text itself in brackets."""
    marking = Catalog(locale="en")
    with (Path(settings.LOCALE_PATHS[0]) / "en/LC_MESSAGES/django.po").open("rb") as file:
        for message in read_po(file):
            if message.id:
                texts = message.id if isinstance(message.id, tuple) else (message.id,)
                marked = tuple(f"{OPEN}{text}{CLOSE}" for text in texts)
                marking.add(
                    message.id, marked if message.pluralizable else marked[0], context=message.context
                )
    folder = tmp_path / "en/LC_MESSAGES"
    folder.mkdir(parents=True)
    with (folder / "django.mo").open("wb") as file:
        write_mo(file, marking)
    with override_settings(LOCALE_PATHS=[str(tmp_path)]):
        yield


def stored_texts() -> list[str]:
    """Returns the texts that the rows contain, longest first; codes such as a status are no texts."""
    texts = set()
    for model in apps.get_models():
        fields = [
            field.name
            for field in model._meta.fields
            if isinstance(field, models.CharField | models.TextField)
        ]
        for values in model._default_manager.values_list(*fields):
            texts |= {str(value) for value in values if value and str(value) != str(value).lower()}
    return sorted(texts, key=len, reverse=True)


def unmarked(html: str, stored: list[str]) -> set[str]:
    """Returns the texts of a page that are neither in the catalogue nor of a row."""
    html = CODE.sub(" ", html)
    text = "\n".join([*READ_ALOUD.findall(html), TAG.sub("\n", html)])
    text = DATE_OR_ADDRESS.sub("", unescape(text))
    while MARKED.search(text):
        text = MARKED.sub("", text)
    for value in stored:
        if value in text:
            text = text.replace(value, "")
    return {line.strip() for line in text.splitlines() if WORD.search(line)}


@pytest.mark.django_db
@pytest.mark.long(20)
@pytest.mark.left_to("sqlite")
def test_every_text_of_a_page_is_in_the_catalogue(marking_catalogue: None) -> None:
    site = Site()
    stored = [*stored_texts(), *site.team.organization.payment_modes]
    found: dict[str, str] = {}
    pages = 0
    # Few rows of members' pages, which are many; all states of the pages behind links.
    visited = [*(page for page in site.pages(rows=4) if page[1].startswith("/o/"))]
    visited += [page for page in site.pages(rows=40) if not page[1].startswith("/o/")]
    for client, path in visited:
        response = site.clients[client].get(path)
        # The page that describes the API quotes its document, which is in English as its names are.
        if response.headers["content-type"].startswith("text/html") and path != "/api/v1/docs/":
            pages += 1
            found |= dict.fromkeys(unmarked(response.content.decode(), stored), path)
    assert pages > 200
    assert "\n".join(f"{path}: {text}" for text, path in sorted(found.items())) == ""
