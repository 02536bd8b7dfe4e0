"""The languages and regions on offer: named as CLDR names them, with amounts that can be typed as they are shown."""

from __future__ import annotations

import pytest
from babel import Locale
from babel.localedata import locale_identifiers

from partway.delivery.formats import format_money, use_locale
from partway.delivery.locales import locale_choices
from partway.lib.money import Money, parse_money

CHOICES = locale_choices("en_US")


def test_offered_locales_have_their_own_names() -> None:
    assert {locale for locale, _ in CHOICES} <= set(locale_identifiers())
    assert len({name for _, name in CHOICES}) == len(CHOICES)
    sample = CHOICES[::8]
    assert sample == [(locale, Locale.parse(locale).get_display_name(locale)) for locale, _ in sample]


@pytest.mark.parametrize("currency", ["USD", "JPY"])
def test_amount_of_every_offered_locale_can_be_typed_as_it_is_shown(currency: str) -> None:
    for locale, _name in CHOICES:
        for minor in (5, 123_456, -123_456_789):
            with use_locale(locale):
                shown = format_money(Money(minor, currency))
            assert parse_money(shown, currency, locale=locale).amount_minor == minor, (locale, shown)
