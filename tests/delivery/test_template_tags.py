"""The template tags of money, stages, states and times."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partway.billing.models import Invoice
from partway.delivery.templatetags import partway as tags
from partway.delivery.templatetags.stages import stage_bar, stage_legend
from partway.lib.money import Money


def text(html: str) -> str:
    return re.sub(r"<[^>]+>", "", html)


def usd(minor: int) -> Money:
    return Money(minor, "USD")


@pytest.mark.parametrize(
    ("amount", "shown", "decimals"),
    [
        (usd(125_050), "$1,250.50", ".50"),
        (Money(1_250, "JPY"), "¥1,250", ""),
        (Money(12_500, "KWD"), "KWD\u00a012.500", ".500"),
        (usd(-5), "−$0.05", ".05"),
    ],
)
def test_money_has_smaller_decimals_and_the_same_text(amount: Money, shown: str, decimals: str) -> None:
    html = tags.money(amount)
    assert text(html) == shown
    assert (f'<span class="decimals">{decimals}</span>' in html) == bool(decimals)


def test_long_money_amount_is_marked_for_narrow_screens() -> None:
    assert "data-long" in tags.money(usd(1_234_567_890))
    assert "data-long" not in tags.money(usd(123_456))


def stage_widths(html: str) -> tuple[float, float]:
    paid = re.search(r'class="stage-paid" width="([\d.]+)%"', html)
    requested = re.search(r'class="stage-requested" x="([\d.]+)%" width="([\d.]+)%"', html)
    if paid and requested:
        assert paid[1] == requested[1]  # each segment begins where the one before it ends
    return float(paid[1]) if paid else 0, float(requested[2]) if requested else 0


def test_stage_bar_shows_paid_and_requested_with_label() -> None:
    html = stage_bar(usd(100_000), usd(30_000), usd(20_000))
    assert stage_widths(html) == (30, 20)
    assert 'aria-label="Paid $300.00 of $1,000.00, $200.00 requested"' in html
    assert 'role="img"' in html
    assert "style=" not in html


def test_stage_bar_pattern_ids_are_unique() -> None:
    ids = [re.findall(r'id="([^"]+)"', stage_bar(usd(100), usd(0), usd(50))) for _ in range(2)]
    assert ids[0] != ids[1]


@pytest.mark.parametrize("requested", [None, "", usd(0)])
def test_stage_bar_without_request_has_no_pattern(requested: Money | None) -> None:
    html = stage_bar(usd(100), usd(50), requested)
    assert "pattern" not in html
    assert 'aria-label="Paid $0.50 of $1.00"' in html


def test_stage_bar_shows_the_last_cent_that_is_requested() -> None:
    assert stage_widths(stage_bar(usd(20_000), usd(19_999), usd(1))) == (98.5, 1.5)


@given(st.integers(1, 10**13), st.data())
def test_stage_bar_shows_small_parts_and_looks_full_only_when_paid(total: int, data: st.DataObject) -> None:
    paid = data.draw(st.integers(0, total))
    requested = data.draw(st.integers(0, total - paid))
    first, second = stage_widths(stage_bar(usd(total), usd(paid), usd(requested)))
    assert (first > 0) == (paid > 0)
    assert (second > 0) == (requested > 0)
    assert first + second <= 100
    assert (first + second > 99) == (paid + requested == total)


def test_stage_bar_of_zero_invoice_is_empty() -> None:
    assert stage_widths(stage_bar(usd(0), usd(0))) == (0, 0)


def test_stage_legend_names_only_present_parts() -> None:
    assert (
        text(stage_legend(usd(100_000), usd(30_000), usd(20_000)))
        == "Paid $300.00Requested $200.00Left $500.00"
    )
    assert "Requested" not in stage_legend(usd(100_000), usd(30_000))


TODAY = date(2026, 11, 22)


@pytest.mark.parametrize(
    ("status", "paid", "due_in", "word"),
    [
        ("draft", 0, -5, "draft"),
        ("sent", 0, 0, "sent"),
        ("sent", 30, 5, "partially_paid"),
        ("sent", 30, -1, "overdue"),
        ("paid", 100, -1, "paid"),
        ("void", 0, -1, "void"),
    ],
)
def test_invoice_display_status_is_derived(status: str, paid: int, due_in: int, word: str) -> None:
    invoice = Invoice(
        status=status, total_minor=100, amount_paid_minor=paid, due_on=TODAY + timedelta(due_in)
    )
    assert tags.invoice_display_status(invoice, TODAY) == word


def test_state_tag_renders_dot_and_word() -> None:
    html = tags.status_badge("partially_paid")
    assert text(html) == "Partially paid"
    assert 'class="state-dot" aria-hidden="true"' in html
    assert text(tags.status_badge("brand_new")) == "Brand new"


@pytest.mark.parametrize(
    ("value", "shown"),
    [("1.5000", "1.5"), ("100", "100"), ("1E+2", "100"), ("0.0001", "0.0001"), ("10.0", "10")],
)
def test_quantities_have_no_spare_zeros(value: str, shown: str) -> None:
    assert tags.register.filters["quantity"](Decimal(value)) == shown


@pytest.mark.parametrize(
    ("zone", "shown"),
    [
        ("America/New_York", "Nov 22, 2026, 3:04 PM"),
        ("Asia/Tokyo", "Nov 23, 2026, 5:04 AM"),
        ("UTC", "Nov 22, 2026, 8:04 PM"),
    ],
)
def test_local_time_tag_uses_time_zone(zone: str, shown: str) -> None:
    assert tags.format_datetime(datetime(2026, 11, 22, 20, 4, tzinfo=UTC), zone) == shown


def test_local_time_tag_shows_midnight_and_noon_as_twelve() -> None:
    assert tags.format_datetime(datetime(2026, 1, 2, 0, 5, tzinfo=UTC), "UTC") == "Jan 2, 2026, 12:05 AM"
    assert tags.format_datetime(datetime(2026, 1, 2, 12, 5, tzinfo=UTC), "UTC") == "Jan 2, 2026, 12:05 PM"


def test_last_moment_tag_shows_day_or_exact_time() -> None:
    midnight = datetime(2026, 12, 1, 5, tzinfo=UTC)
    assert tags.format_deadline(midnight, "America/New_York") == "Nov 30, 2026"
    assert tags.format_deadline(midnight, "UTC") == "Dec 1, 2026, 5:00 AM (GMT+00:00)"
    assert tags.format_deadline(midnight, "America/Chicago") == "Nov 30, 2026, 11:00 PM (GMT−06:00)"
