"""Sealed values cannot be read without the key, nor after a change."""

from __future__ import annotations

import pytest

from partway.lib.sealing import Unsealable, seal, unseal

SECRETS = {"api_key": "sk_live_1", "signing_secret": "whsec_1"}


def test_sealed_secrets_round_trip() -> None:
    assert unseal(seal(SECRETS, ["key"]), ["key"]) == SECRETS


def test_sealed_secrets_do_not_contain_plain_text() -> None:
    assert "sk_live_1" not in seal(SECRETS, ["key"])


def test_sealing_is_not_deterministic() -> None:
    assert seal(SECRETS, ["key"]) != seal(SECRETS, ["key"])


def test_unseal_works_with_rotated_key() -> None:
    assert unseal(seal(SECRETS, ["old"]), ["new", "old"]) == SECRETS


def test_seal_uses_first_key() -> None:
    assert unseal(seal(SECRETS, ["new", "old"]), ["new"]) == SECRETS


@pytest.mark.parametrize("sealed", ["", "garbage", "é", seal(SECRETS, ["other"])])
def test_unseal_without_matching_key_raises_unsealable(sealed: str) -> None:
    with pytest.raises(Unsealable):
        unseal(sealed, ["key"])


def test_unseal_of_changed_value_raises_unsealable() -> None:
    sealed = seal(SECRETS, ["key"])
    with pytest.raises(Unsealable):
        unseal(sealed[:-5] + "AAAA" + sealed[-1], ["key"])
