"""Tests of the checks of missing and duplicate numbers (D4)."""

from __future__ import annotations

import pytest

from partway.accounts.models import Organization
from partway.billing.events import Actor
from partway.billing.models import Customer, Invoice, Quote, QuoteTerms
from partway.billing.people import organizations
from partway.billing.people.organizations import Profile
from partway.lib.clock import now
from tests.billing.verification.corruption import Case, differences_of, is_detected, overwrite, reported_as
from tests.support import personas

FIRST, LAST = Invoice.objects.filter(number="INV-0001"), Invoice.objects.filter(number="INV-0003")

CORRUPTIONS: dict[str, Case] = {
    "a gap": (
        "D4",
        "before number 3, 1 are missing",
        reported_as(
            LAST,
            overwrite(Invoice.objects.filter(number="INV-0002"), number=None, status="void"),
        ),
    ),
    "a gap at the end": (
        "D4",
        "before 6, which comes next, 2 numbers",
        overwrite(Organization, next_invoice_number=6),
    ),
    "next number already used": (
        "D4",
        "2 comes next, but 3 was given",
        overwrite(Organization, next_invoice_number=2),
    ),
    "duplicate with another prefix": ("D4", "number 1 was given before", overwrite(LAST, number="X-0001")),
    "number without digits": ("D4", "does not end with digits", overwrite(LAST, number="INV-last")),
    "too many digits": (
        "D4",
        "number 0 was given before",
        overwrite(LAST, number="INV-1" + "0" * 30),
    ),
    "a gap among quotes": (
        "D4",
        "before 9, which comes next, 7 numbers",
        overwrite(QuoteTerms, next_number=9),
    ),
    "quote number without digits": (
        "D4",
        "does not end with digits",
        overwrite(Quote, number="QUO-first"),
    ),
}


@pytest.fixture
def numbered(dana: Customer) -> None:
    """INV-0001 to INV-0003, and QUO-0001."""
    for _ in range(3):
        personas.sent_invoice(dana)
    personas.sent_quote(dana)


@pytest.mark.parametrize("what", CORRUPTIONS)
def test_verify_finds_numbering_gaps_and_duplicates(numbered: None, what: str) -> None:
    assert is_detected(CORRUPTIONS[what])


def test_verify_allows_numbers_skipped_by_owner(numbered: None, dana: Customer, alice: Actor) -> None:
    profile = Profile("Alder Joinery", "billing@alder.example", invoice_prefix="2027/")
    organizations.change(dana.organization, profile=profile, next_number=100, by=alice, now=now())
    assert personas.sent_invoice(dana).number == "2027/0100"
    assert differences_of("D4") == set()
    Invoice.objects.filter(number="2027/0100").update(number="2027/0102")
    found = [message for _, message in differences_of("D4")]
    assert "before number 102, 2 are missing" in found


def test_verify_checks_numbering_per_organization(numbered: None) -> None:
    personas.sent_invoice(personas.customer(personas.mallory().organization))
    assert differences_of("D4") == set()
