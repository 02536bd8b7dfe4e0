"""Sealed credentials: unreadable without the key, and unreadable after a change."""

from __future__ import annotations

import pytest

from partway.lib.sealing import Unsealable, seal, unseal

SECRETS = {"api_key": "sk_live_1", "signing_secret": "whsec_1"}


def test_what_was_sealed_comes_back() -> None:
    assert unseal(seal(SECRETS, ["key"]), ["key"]) == SECRETS


def test_a_seal_shows_nothing() -> None:
    assert "sk_live_1" not in seal(SECRETS, ["key"])


def test_the_same_secrets_look_different_each_time() -> None:
    assert seal(SECRETS, ["key"]) != seal(SECRETS, ["key"])


def test_a_rotated_key_still_opens_old_seals() -> None:
    assert unseal(seal(SECRETS, ["old"]), ["new", "old"]) == SECRETS


def test_new_seals_are_under_the_first_key() -> None:
    assert unseal(seal(SECRETS, ["new", "old"]), ["new"]) == SECRETS


@pytest.mark.parametrize("sealed", ["", "garbage", "é", seal(SECRETS, ["other"])])
def test_what_no_key_fits_is_unsealable(sealed: str) -> None:
    with pytest.raises(Unsealable):
        unseal(sealed, ["key"])


def test_a_changed_seal_is_unsealable() -> None:
    sealed = seal(SECRETS, ["key"])
    with pytest.raises(Unsealable):
        unseal(sealed[:-5] + "AAAA" + sealed[-1], ["key"])
