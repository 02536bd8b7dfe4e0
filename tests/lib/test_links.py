"""Tokens are deterministic, valid only under the key, and invalid for any other text."""

from __future__ import annotations

import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partway.lib.ids import new_id
from partway.lib.links import make_token, verify_token

KEY, OLD, OTHER = "the key", "the key before", "a stranger's key"


@pytest.fixture
def subject() -> str:
    """The id of a payment request."""
    return new_id("preq")


def test_token_resolves_to_its_subject(subject: str) -> None:
    assert verify_token(make_token(subject, KEY), "preq", [KEY]) == subject


def test_token_is_deterministic(subject: str) -> None:
    assert make_token(subject, KEY) == make_token(subject, KEY)


def test_token_of_rotated_key_is_valid(subject: str) -> None:
    assert verify_token(make_token(subject, OLD), "preq", [KEY, OLD]) == subject


def test_token_of_unknown_key_is_invalid(subject: str) -> None:
    assert verify_token(make_token(subject, OTHER), "preq", [KEY, OLD]) is None


def test_token_is_invalid_without_keys(subject: str) -> None:
    assert verify_token(make_token(subject, KEY), "preq", []) is None


def test_token_of_another_kind_is_invalid(subject: str) -> None:
    assert verify_token(make_token(subject, KEY), "inv", [KEY]) is None


def test_token_mac_of_another_subject_is_invalid(subject: str) -> None:
    mac = make_token(subject, KEY).partition("-")[2]
    other = new_id("preq").partition("_")[2]
    assert verify_token(f"{other}-{mac}", "preq", [KEY]) is None


@given(st.integers(0, 58), st.sampled_from("0123456789abcdefghjkmnpqrstvwxyz"))
def test_token_with_one_changed_letter_is_invalid(position: int, letter: str) -> None:
    token = make_token("preq_06c3ejm0d4mnbq8dwkcv7v10t1", KEY)
    forged = token[:position] + letter + token[position + 1 :]
    opened = verify_token(forged, "preq", [KEY])
    assert (opened is not None) == (forged == token)


@pytest.mark.parametrize("cut", [0, 1, 20, 26, 27, 28, 58])
def test_truncated_token_is_invalid(subject: str, cut: int) -> None:
    assert verify_token(make_token(subject, KEY)[:cut], "preq", [KEY]) is None


@given(st.text(max_size=300))
def test_garbage_token_is_invalid(garbage: str) -> None:
    assert verify_token(garbage, "preq", [KEY, OLD]) is None


def test_token_is_compared_with_every_key_in_constant_time(
    subject: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The time of a check reveals neither how much of a token is right nor which key fits."""
    compared, honest = [], hmac.compare_digest
    monkeypatch.setattr(hmac, "compare_digest", lambda *pair: compared.append(pair) or honest(*pair))
    verify_token(make_token(subject, KEY), "preq", [KEY, OLD, OTHER])
    assert len(compared) == 3


def test_overlong_token_is_not_hashed(subject: str, monkeypatch: pytest.MonkeyPatch) -> None:
    token, hashed = make_token(subject, KEY) + "0" * 100_000, []
    monkeypatch.setattr(hmac, "new", lambda *_: hashed.append(1))
    assert verify_token(token, "preq", [KEY]) is None
    assert hashed == []


def test_token_does_not_contain_key(subject: str) -> None:
    assert KEY not in make_token(subject, KEY)
    assert len(make_token(subject, KEY)) == 26 + 1 + 32
