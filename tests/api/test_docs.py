"""The page that describes the API has every call and object, leads nowhere else, and needs no key."""

from __future__ import annotations

import re

from django.test import Client

from tests.api.calls import CALLS


def test_page_describes_every_call_and_each_of_its_links_leads_somewhere() -> None:
    page = Client().get("/api/v1/docs/").content.decode()
    ids = set(re.findall(r'id="([^"]+)"', page))
    assert CALLS.keys() <= ids
    assert set(re.findall(r'href="#([^"]+)"', page)) <= ids
    assert "open, paid, canceled, expired" in page
    assert not re.search(r"<script|href=.?(https?:)?//|src=", page)
