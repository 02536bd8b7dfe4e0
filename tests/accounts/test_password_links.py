"""Links by which passwords are set: each works for one purpose."""

from __future__ import annotations

import pytest

from partway.accounts.models import User
from partway.accounts.passwords import reset_tokens, user_from_welcome_link, welcome_link_parts

pytestmark = pytest.mark.django_db


@pytest.fixture
def ivy() -> User:
    """A user without a password."""
    return User.objects.create_user("ivy@post.example", "Ivy")


def test_welcome_token_resolves_to_its_user(ivy: User) -> None:
    assert user_from_welcome_link(*welcome_link_parts(ivy)) == ivy


def test_password_reset_token_is_not_accepted_as_welcome_token(ivy: User) -> None:
    uid, _ = welcome_link_parts(ivy)
    assert user_from_welcome_link(uid, reset_tokens.make_token(ivy)) is None
