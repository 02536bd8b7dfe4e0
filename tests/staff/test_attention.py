"""What waits for a human."""

from __future__ import annotations

import pytest
from django.test import Client

from partway.billing.models import Flag, Invoice
from partway.lib.clock import now

URL = "/o/alder/attention/"


@pytest.fixture
def flag(invoice: Invoice) -> Flag:
    """Something no rule could settle."""
    return Flag.objects.create(
        organization=invoice.organization,
        kind="surplus",
        words="$300.00 came in late.",
        subject="pay_1",
        invoice=invoice,
        created_at=now(),
    )


def test_it_waits_on_the_page_and_is_counted_everywhere(charlie: Client, flag: Flag) -> None:
    page = charlie.get(URL).content.decode()
    assert "$300.00 came in late." in page
    assert "INV-0001" in page
    assert 'class="count"' in charlie.get("/o/alder/customers/").content.decode()
    assert "1 thing needs your attention" in charlie.get("/o/alder/").content.decode()


def test_a_collector_marks_it_as_dealt_with(bob: Client, flag: Flag) -> None:
    page = bob.post(f"{URL}{flag.pk}/resolve/", follow=True).content.decode()
    flag.refresh_from_db()
    assert flag.resolved_at
    assert "Nothing needs you" in page
    assert "Dealt with" in page
    assert 'class="count"' not in page


def test_looking_does_not_resolve_it(bob: Client, flag: Flag) -> None:
    assert bob.get(f"{URL}{flag.pk}/resolve/").status_code == 302
    flag.refresh_from_db()
    assert flag.resolved_at is None


def test_a_reader_is_offered_no_button(charlie: Client, flag: Flag) -> None:
    assert "resolve/" not in charlie.get(URL).content.decode()


def test_nothing_waits(charlie: Client) -> None:
    assert "Nothing needs you" in charlie.get(URL).content.decode()
