"""Users and members: one address per user, one role in each organization."""

from __future__ import annotations

import pytest

from partway.accounts.models import Member, Organization, Role, User
from tests.support import personas

pytestmark = pytest.mark.django_db


def test_email_address_is_case_insensitive() -> None:
    user = User.objects.create_user(" Alice@Alder.Example ", "Alice", personas.PASSWORD)
    assert user.email == "alice@alder.example"
    assert User.objects.get_by_natural_key("ALICE@alder.example ") == user


def test_user_without_password_has_unusable_password() -> None:
    assert not User.objects.create_user("alice@alder.example", "Alice").has_usable_password()


def test_user_lookup_without_email_raises_does_not_exist() -> None:
    with pytest.raises(User.DoesNotExist):
        User.objects.get_by_natural_key(None)


def test_user_can_be_member_of_two_organizations() -> None:
    alder, birch = personas.alder(), personas.organization("birch", "Birch & Co")
    Member.objects.create(organization=birch, user=alder.alice.user, role=Role.READER)
    roles = alder.alice.user.memberships.order_by("organization__slug").values_list("role", flat=True)
    assert list(roles) == ["owner", "reader"]


def test_str_of_user_is_email_and_of_organization_is_name() -> None:
    assert str(User(email="a@a.example")) == "a@a.example"
    assert str(Organization(name="Alder Joinery")) == "Alder Joinery"
