"""A form that was refused is marked as unsaved, so that the browser asks before it is left with what was typed."""

from __future__ import annotations

import re

import pytest
from django.test import Client

FORM = re.compile(r"<form\b[^>]*>")

REFUSED = {
    "/o/alder/settings/": {"name": ""},
    "/o/alder/settings/quotes/": {"prefix": "Q" * 41},
    "/o/alder/settings/payments/": {"operation": "modes", "modes": ""},
    "/o/alder/settings/payments/?": {"operation": "expiry", "request_expires_days": "many"},
    "/o/alder/settings/members/invite/": {"email": "nobody"},
    "/o/alder/customers/new/": {"name": ""},
    "/o/alder/invoices/new/": {"notes": "Thank you"},
    "/o/alder/quotes/new/": {"notes": "Thank you"},
    "/profile/": {"name": ""},
}


@pytest.mark.parametrize("path", REFUSED)
def test_only_the_refused_form_of_a_page_is_marked_as_unsaved(alice: Client, path: str) -> None:
    assert "data-unsaved" not in "".join(FORM.findall(alice.get(path).content.decode()))
    response = alice.post(path, REFUSED[path])
    page = response.content.decode()
    assert response.status_code == 422
    assert sum("data-unsaved" in form for form in FORM.findall(page)) == 1
    assert "staff/unsaved.js" in page or "staff/dialog.js" in page
