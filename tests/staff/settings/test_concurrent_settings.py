"""Two owners change settings at once: each field keeps what was written last on purpose, and nothing unseen (D8)."""

from __future__ import annotations

import json
from html import unescape
from typing import Any

import pytest
from django.test import Client

from partway.accounts.models import Organization
from partway.billing.documents import quote_terms

PAYMENTS, QUOTES = "/o/alder/settings/payments/", "/o/alder/settings/quotes/"
TERMS = {"prefix": "QUO-", "deposit_kind": "percent", "deposit_percent": "30", "deposit_threshold": "500"}


def shown_values(client: Client, page: str) -> str:
    """Returns the hidden field `initial` of a page."""
    text = client.get(page).content.decode()
    return unescape(text.partition('name="initial" value="')[2].partition('"')[0])


def error_of(response: Any, field: str) -> str:
    assert (response.status_code, response.context["form"].code) == (422, "stale")
    return str(response.context["form"].errors[field][0])


def test_quote_terms_of_stale_page_keep_what_another_owner_changed(
    alice: Client, organization: Organization
) -> None:
    stale = shown_values(alice, QUOTES)
    assert alice.post(QUOTES, {**TERMS, "initial": shown_values(alice, QUOTES)}).status_code == 302
    form = {"prefix": "OFFER-", "deposit_kind": "", "deposit_threshold": "0", "initial": stale}
    assert alice.post(QUOTES, form).status_code == 302
    terms = quote_terms.get(organization)
    assert (terms.prefix, terms.deposit_kind, terms.deposit_percent) == ("OFFER-", "percent", 30)
    assert terms.deposit_threshold_minor == 50_000


def test_quote_terms_that_two_owners_changed_are_named_and_can_be_saved_again(
    alice: Client, organization: Organization
) -> None:
    stale = shown_values(alice, QUOTES)
    alice.post(QUOTES, {**TERMS, "initial": stale})
    form = {**TERMS, "deposit_threshold": "900", "initial": stale}
    response = alice.post(QUOTES, form)
    assert "$500.00" in error_of(response, "deposit_threshold")
    assert alice.post(QUOTES, {**form, "initial": response.context["form"].initial_json()}).status_code == 302
    assert quote_terms.get(organization).deposit_threshold_minor == 90_000


@pytest.mark.parametrize(
    ("operation", "field", "first", "second"),
    [
        ("modes", "modes", "Cash\nCheck", "Cash"),
        ("expiry", "request_expires_days", "30", "14"),
        ("return_urls", "return_urls", "https://a.example/\nhttps://b.example/", "https://c.example/"),
    ],
)
def test_payment_settings_of_stale_page_are_not_overwritten_unseen(
    alice: Client, organization: Organization, operation: str, field: str, first: str, second: str
) -> None:
    stale = shown_values(alice, PAYMENTS)
    assert alice.post(PAYMENTS, {"operation": operation, field: first, "initial": stale}).status_code == 302
    untouched = json.loads(stale)[field]
    assert (
        alice.post(PAYMENTS, {"operation": operation, field: untouched, "initial": stale}).status_code == 302
    )
    form = {"operation": operation, field: second, "initial": stale}
    response = alice.post(PAYMENTS, form)
    assert first.replace("\n", ", ") in error_of(response, field)
    assert response.context["form"][field].value() == second
    assert (
        alice.post(PAYMENTS, {**form, "initial": response.context["form"].initial_json()}).status_code == 302
    )
    organization.refresh_from_db()
    columns = {"modes": organization.payment_modes, "return_urls": organization.return_urls}
    kept = "\n".join(columns[field]) if field in columns else str(organization.request_expires_days)
    assert kept == second
