"""Credentials of a gateway account are stored sealed, and survive key rotation."""

from __future__ import annotations

import pytest
from pytest_django.fixtures import Settings

from partway.accounts.models import GatewayAccount
from partway.lib.sealing import Unsealable
from tests.support import personas

pytestmark = pytest.mark.django_db


@pytest.fixture
def account() -> GatewayAccount:
    """The account of birch, whose gateway is not running."""
    return GatewayAccount.objects.current(personas.organization("birch", "Birch & Co")).get()


def test_gateway_credentials_round_trip(account: GatewayAccount) -> None:
    assert account.credentials["api_key"] == "sk_sandbox_test"


def test_database_dump_contains_no_gateway_credentials(account: GatewayAccount) -> None:
    [row] = GatewayAccount.objects.values()
    assert not [secret for secret in account.credentials.values() if secret in str(row)]


def test_gateway_credentials_survive_key_rotation(account: GatewayAccount, settings: Settings) -> None:
    settings.PARTWAY_SECRET_KEYS = ["a new key", *settings.PARTWAY_SECRET_KEYS]
    assert account.credentials["api_key"] == "sk_sandbox_test"


def test_gateway_credentials_without_their_key_raise_unsealable(
    account: GatewayAccount, settings: Settings
) -> None:
    settings.PARTWAY_SECRET_KEYS = ["a new key"]
    with pytest.raises(Unsealable):
        _ = account.credentials
