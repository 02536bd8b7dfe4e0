"""The permission table: each permission has its roles, and each role includes the permissions of the lower ones."""

from __future__ import annotations

import pytest

from partway.accounts.models import Role
from partway.accounts.permissions import ALLOWED_ROLES, Permission, needs, permission_of, permissions_of

OWNERS_ONLY = {
    "void_invoices",
    "write_off_invoices",
    "reverse_payments",
    "release_credit",
    "refund_payments",
    "configure_organization",
    "configure_payments",
    "configure_quotes",
    "manage_members",
    "manage_keys",
    "view_audit_log",
    "close_periods",
    "configure_accounts",
    "manage_webhooks",
    "import_data",
}


def test_permission_table_names_every_permission() -> None:
    assert set(ALLOWED_ROLES) == set(Permission)


@pytest.mark.parametrize("permission", Permission)
def test_allowed_roles_are_ordered_from_lowest_to_owner(permission: Permission) -> None:
    ranks = [Role.READER, Role.COLLECTOR, Role.OWNER]
    roles = ALLOWED_ROLES[permission]
    assert list(roles) == ranks[ranks.index(roles[0]) :]


def test_owner_has_every_permission() -> None:
    assert permissions_of(Role.OWNER) == set(Permission)


def test_collector_has_every_permission_but_those_of_owners() -> None:
    assert set(Permission) - permissions_of(Role.COLLECTOR) == OWNERS_ONLY


def test_reader_only_views_and_exports() -> None:
    viewing = {name for name in Permission if name.startswith(("view_", "export_"))}
    assert permissions_of(Role.READER) == viewing - OWNERS_ONLY


def test_needs_decorator_marks_the_act() -> None:
    def act() -> None: ...

    assert permission_of(act) is None
    assert needs(Permission.VOID_INVOICES)(act) is act
    assert permission_of(act) == Permission.VOID_INVOICES
