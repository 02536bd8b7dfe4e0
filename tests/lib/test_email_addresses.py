"""Tests of mail addresses: one spelling that is stored, another that is sent, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partway.lib.email_addresses import (
    InvalidAddress,
    ascii_address,
    distinct_addresses,
    normalize_address,
    unicode_address,
)


@pytest.mark.parametrize(
    ("typed", "stored", "sent"),
    [
        (" Dana@Customer.Example ", "Dana@customer.example", "Dana@customer.example"),
        ("buero@x.example", "buero@x.example", "buero@x.example"),
        ("info@Müller.example", "info@müller.example", "info@xn--mller-kva.example"),
        ("info@xn--mller-kva.example", "info@müller.example", "info@xn--mller-kva.example"),
        ("info@mu\u0308ller.example", "info@müller.example", "info@xn--mller-kva.example"),
        ("post@straße.example", "post@straße.example", "post@xn--strae-oqa.example"),  # not strasse.example
        ("a@例え。テスト", "a@例え.テスト", "a@xn--r8jz45g.xn--zckzah"),
        ("a@مثال.example", "a@مثال.example", "a@xn--mgbh0fb.example"),
        (
            "x+tag_1.y'z@sub.domain.example",
            "x+tag_1.y'z@sub.domain.example",
            "x+tag_1.y'z@sub.domain.example",
        ),
        ("owner@localhost", "owner@localhost", "owner@localhost"),
    ],
)
def test_address_is_stored_in_unicode_and_sent_in_ascii(typed: str, stored: str, sent: str) -> None:
    assert (normalize_address(typed), ascii_address(typed)) == (stored, sent)
    assert (normalize_address(stored), ascii_address(stored)) == (stored, sent)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "missing"),
        ("  ", "missing"),
        ("dana", "form"),
        ("dana@", "form"),
        ("@customer.example", "form"),
        ("dana@@customer.example", "form"),
        ("da na@customer.example", "form"),
        ("dana..x@customer.example", "form"),
        (".dana@customer.example", "form"),
        ('"da,na"@customer.example', "form"),
        ("Dana <dana@customer.example>", "form"),
        ("dana@customer.example\nBcc: eve@evil.example", "form"),
        ("dana\r\nBcc:eve@evil.example", "form"),
        ("jörg@customer.example", "local_part"),
        ("данa@customer.example", "local_part"),
        ("dana@customer", "domain"),
        ("dana@-customer.example", "domain"),
        ("dana@cust_omer.example", "domain"),
        ("dana@customer..example", "domain"),
        ("dana@customer.example.", "domain"),
        ("dana@customer .example", "domain"),
        ("dana@[127.0.0.1]", "domain"),
        ("dana@127.0.0.1", "domain"),
        ("dana@☃.example", "domain"),
        ("dana@xn--a.example", "domain"),
        ("dana@a\x00b.example", "domain"),
        ("dana@a\u202eb.example", "domain"),
        (f"dana@{'d' * 64}.example", "domain"),
        (f"{'d' * 65}@customer.example", "length"),
        (f"dana@{'.'.join(['d' * 60] * 4)}.example", "length"),
        (f"dana@{'ä.' * 60}example", "domain"),  # short enough only in Unicode
        ("d" * 100_000 + "@customer.example", "length"),
    ],
)
def test_text_that_no_mail_server_takes_is_refused_with_its_reason(text: str, reason: str) -> None:
    for read in (normalize_address, ascii_address):
        with pytest.raises(InvalidAddress) as refusal:
            read(text)
        assert refusal.value.reason == reason
    assert unicode_address(text) == text


def test_repeated_addresses_are_kept_once_in_their_first_spelling() -> None:
    typed = ("Info@müller.example", "", "info@XN--MLLER-KVA.example", "eve@x.example")
    assert distinct_addresses(*typed) == ["Info@müller.example", "eve@x.example"]


@given(st.text(max_size=40), st.text(max_size=40))
def test_accepted_address_is_one_line_of_ascii_when_sent(local_part: str, domain: str) -> None:
    try:
        stored = normalize_address(f"{local_part}@{domain}.example")
    except InvalidAddress:
        return
    sent = ascii_address(stored)
    assert sent.isascii()
    assert sent.isprintable()
    assert (len(sent.split()), sent.count("@")) == (1, 1)
    assert normalize_address(sent) == stored
