"""Permissions: each act of a member or a key, and the roles that may do it; every door reads this one table.

Pages ask for the permission of what they show or do (`partway.staff.urls`). An act of billing names the permission
it takes with `@needs`, so that each door asks for the same one.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from functools import cache
from typing import Any, TypeVar

from .models import KeyScope, Role

Act = TypeVar("Act", bound=Callable[..., Any])


class Permission(StrEnum):
    """One thing that a member can be allowed to do."""

    VIEW_OVERVIEW = "view_overview"
    VIEW_INVOICES = "view_invoices"
    EXPORT_INVOICES = "export_invoices"
    VIEW_PAYMENTS = "view_payments"
    EXPORT_PAYMENTS = "export_payments"
    VIEW_JOURNAL = "view_journal"
    EXPORT_JOURNAL = "export_journal"
    VIEW_QUOTES = "view_quotes"
    VIEW_CUSTOMERS = "view_customers"
    VIEW_ALERTS = "view_alerts"
    VIEW_STORED_MAIL = "view_stored_mail"

    EDIT_CUSTOMERS = "edit_customers"
    EDIT_INVOICES = "edit_invoices"
    SEND_INVOICES = "send_invoices"
    CORRECT_PARTIES = "correct_parties"
    EDIT_QUOTES = "edit_quotes"
    SEND_QUOTES = "send_quotes"
    WITHDRAW_QUOTES = "withdraw_quotes"
    RECORD_QUOTE_DECISIONS = "record_quote_decisions"
    INVOICE_QUOTES = "invoice_quotes"
    REQUEST_PAYMENTS = "request_payments"
    SEND_STATEMENTS = "send_statements"
    COPY_LINKS = "copy_links"
    RECORD_PAYMENTS = "record_payments"
    APPLY_CREDIT = "apply_credit"
    SETTLE_INVOICES = "settle_invoices"
    SEND_RECEIPTS = "send_receipts"
    RESOLVE_ALERTS = "resolve_alerts"

    VOID_INVOICES = "void_invoices"
    WRITE_OFF_INVOICES = "write_off_invoices"
    REVERSE_PAYMENTS = "reverse_payments"
    RELEASE_CREDIT = "release_credit"
    REFUND_PAYMENTS = "refund_payments"
    IMPORT_DATA = "import_data"
    CLOSE_PERIODS = "close_periods"
    CONFIGURE_ACCOUNTS = "configure_accounts"
    CONFIGURE_ORGANIZATION = "configure_organization"
    CONFIGURE_PAYMENTS = "configure_payments"
    CONFIGURE_QUOTES = "configure_quotes"
    MANAGE_MEMBERS = "manage_members"
    MANAGE_KEYS = "manage_keys"
    MANAGE_WEBHOOKS = "manage_webhooks"
    VIEW_AUDIT_LOG = "view_audit_log"


# Lowest role first.
_EVERYONE = (Role.READER, Role.COLLECTOR, Role.OWNER)
_COLLECTORS = (Role.COLLECTOR, Role.OWNER)
_OWNERS = (Role.OWNER,)

ALLOWED_ROLES: dict[Permission, tuple[Role, ...]] = {
    Permission.VIEW_OVERVIEW: _EVERYONE,
    Permission.VIEW_INVOICES: _EVERYONE,
    Permission.EXPORT_INVOICES: _EVERYONE,
    Permission.VIEW_PAYMENTS: _EVERYONE,
    Permission.EXPORT_PAYMENTS: _EVERYONE,
    Permission.VIEW_JOURNAL: _EVERYONE,  # an accountant is a reader
    Permission.EXPORT_JOURNAL: _EVERYONE,
    Permission.VIEW_QUOTES: _EVERYONE,
    Permission.VIEW_CUSTOMERS: _EVERYONE,
    Permission.VIEW_ALERTS: _EVERYONE,
    Permission.VIEW_STORED_MAIL: _EVERYONE,
    Permission.EDIT_CUSTOMERS: _COLLECTORS,
    Permission.EDIT_INVOICES: _COLLECTORS,
    Permission.SEND_INVOICES: _COLLECTORS,
    Permission.CORRECT_PARTIES: _COLLECTORS,
    Permission.EDIT_QUOTES: _COLLECTORS,
    Permission.SEND_QUOTES: _COLLECTORS,
    Permission.WITHDRAW_QUOTES: _COLLECTORS,
    Permission.RECORD_QUOTE_DECISIONS: _COLLECTORS,  # a customer's yes or no, given by phone or on site
    Permission.INVOICE_QUOTES: _COLLECTORS,
    Permission.REQUEST_PAYMENTS: _COLLECTORS,
    Permission.SEND_STATEMENTS: _COLLECTORS,
    Permission.COPY_LINKS: _COLLECTORS,  # a link is a capability: its holder can pay or accept
    Permission.RECORD_PAYMENTS: _COLLECTORS,
    Permission.APPLY_CREDIT: _COLLECTORS,
    Permission.SETTLE_INVOICES: _COLLECTORS,  # a small rest; a large one takes write_off_invoices too
    Permission.SEND_RECEIPTS: _COLLECTORS,
    Permission.RESOLVE_ALERTS: _COLLECTORS,
    Permission.VOID_INVOICES: _OWNERS,
    Permission.WRITE_OFF_INVOICES: _OWNERS,  # and reopen them, and settle large rests
    Permission.REVERSE_PAYMENTS: _OWNERS,
    Permission.RELEASE_CREDIT: _OWNERS,
    Permission.REFUND_PAYMENTS: _OWNERS,
    Permission.IMPORT_DATA: _OWNERS,  # hundreds of rows at once, with what was paid of them
    Permission.CLOSE_PERIODS: _OWNERS,  # and open them again
    Permission.CONFIGURE_ACCOUNTS: _OWNERS,
    Permission.CONFIGURE_ORGANIZATION: _OWNERS,
    Permission.CONFIGURE_PAYMENTS: _OWNERS,
    Permission.CONFIGURE_QUOTES: _OWNERS,
    Permission.MANAGE_MEMBERS: _OWNERS,
    Permission.MANAGE_KEYS: _OWNERS,
    Permission.MANAGE_WEBHOOKS: _OWNERS,
    Permission.VIEW_AUDIT_LOG: _OWNERS,
}

# A key of each scope may do the same as a member of this role.
SCOPE_ROLES: dict[str, Role] = {
    KeyScope.READ: Role.READER,
    KeyScope.COLLECT: Role.COLLECTOR,
    KeyScope.ADMIN: Role.OWNER,
}


@cache
def permissions_of(role: str) -> frozenset[Permission]:
    """Returns every permission of a role."""
    return frozenset(permission for permission, roles in ALLOWED_ROLES.items() if role in roles)


def needs(permission: Permission) -> Callable[[Act], Act]:
    """Marks an act of billing with the permission that a door has to ask for; the act itself does not check it.

    Billing also acts for customers, gateways and the clock, which have no role.
    """

    def mark(act: Act) -> Act:
        vars(act)["permission"] = permission
        return act

    return mark


def permission_of(act: object) -> Permission | None:
    """Returns the permission that `@needs` gave this act, or None."""
    return getattr(act, "permission", None)
