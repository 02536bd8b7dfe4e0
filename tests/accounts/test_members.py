"""Members: one role in each organization, each role includes the lesser ones."""

from __future__ import annotations

import pytest

from partway.accounts.models import Member, Organization, Role, User
from tests.support import personas

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("role", "may"),
    [
        (Role.OWNER, {Role.OWNER, Role.COLLECTOR, Role.READER}),
        (Role.COLLECTOR, {Role.COLLECTOR, Role.READER}),
        (Role.READER, {Role.READER}),
    ],
)
def test_a_role_may_what_lesser_roles_may(role: Role, may: set[Role]) -> None:
    assert {wanted for wanted in Role if Member(role=role).has_role(wanted)} == may


def test_an_address_is_one_whatever_its_capitals() -> None:
    user = User.objects.create_user(" Alice@Alder.Example ", "Alice", personas.PASSWORD)
    assert user.email == "alice@alder.example"
    assert User.objects.get_by_natural_key("ALICE@alder.example ") == user


def test_without_a_password_nobody_signs_in() -> None:
    assert not User.objects.create_user("alice@alder.example", "Alice").has_usable_password()


def test_nobody_is_found_by_no_address() -> None:
    with pytest.raises(User.DoesNotExist):
        User.objects.get_by_natural_key(None)


def test_one_person_can_work_in_two_organizations() -> None:
    alder, birch = personas.alder(), personas.organization("birch", "Birch & Co")
    Member.objects.create(organization=birch, user=alder.alice.user, role=Role.READER)
    roles = alder.alice.user.memberships.order_by("organization__slug").values_list("role", flat=True)
    assert list(roles) == ["owner", "reader"]


def test_names_are_what_people_are_shown_by() -> None:
    assert str(User(email="a@a.example")) == "a@a.example"
    assert str(Organization(name="Alder Joinery")) == "Alder Joinery"
