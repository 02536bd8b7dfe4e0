"""A gateway account's credentials rest sealed, and rotate with the key."""

from __future__ import annotations

import pytest
from pytest_django.fixtures import Settings

from partway.accounts.models import GatewayAccount
from partway.lib.sealing import Unsealable
from tests.support import personas

pytestmark = pytest.mark.django_db


@pytest.fixture
def account() -> GatewayAccount:
    """The account of birch, which nobody answers for."""
    return GatewayAccount.objects.current(personas.organization("birch", "Birch & Co")).get()


def test_credentials_come_back_as_they_were(account: GatewayAccount) -> None:
    assert account.credentials["api_key"] == "sk_sandbox_test"


def test_a_dump_shows_none_of_them(account: GatewayAccount) -> None:
    [row] = GatewayAccount.objects.values()
    assert not [secret for secret in account.credentials.values() if secret in str(row)]


def test_a_rotated_key_still_opens_them(account: GatewayAccount, settings: Settings) -> None:
    settings.PARTWAY_SECRET_KEYS = ["a new key", *settings.PARTWAY_SECRET_KEYS]
    assert account.credentials["api_key"] == "sk_sandbox_test"


def test_a_lost_key_is_said_as_such(account: GatewayAccount, settings: Settings) -> None:
    settings.PARTWAY_SECRET_KEYS = ["a new key"]
    with pytest.raises(Unsealable):
        _ = account.credentials
