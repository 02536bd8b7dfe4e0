"""Creates and configures organizations."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from decimal import Decimal

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction

from partway.accounts import logos
from partway.accounts.models import GatewayAccount, Logo, Organization, Role
from partway.accounts.permissions import Permission, needs
from partway.lib.email_addresses import InvalidAddress, normalize_address, unicode_address
from partway.lib.folding import fold

from .. import alerts, events
from ..errors import FieldError, GatewayNotReady, Invalid, address_error, field_error
from ..events import Actor
from ..merge import merge
from ..models import QuoteTerms
from . import members
from .members import NewUser

MAX_EXPIRY_DAYS = 365
# The greatest that nine digits hold; the column is an integer of 32 bits.
MAX_INVOICE_NUMBER = 999_999_999


@dataclass(frozen=True, slots=True)
class Profile:
    """The fields of an organization that an owner writes; `default_tax_percent` has at most four decimals."""

    name: str
    email: str
    phone: str = ""
    address: str = ""
    currency: str = "USD"
    time_zone: str = "UTC"
    locale: str = "en_US"
    invoice_prefix: str = "INV-"
    tax_number: str = ""
    color: str = "#1f5c3d"
    payment_instructions: str = ""
    default_tax_percent: Decimal = Decimal(0)
    default_due_days: int = 14


@transaction.atomic
def create(*, profile: Profile, owner: NewUser, by: Actor, now: datetime, slug: str = "") -> Organization:
    """Creates an organization with its owner; payments stay off until a gateway is connected. Raises Invalid."""
    profile = replace(profile, email=unicode_address(profile.email))
    organization = Organization(slug=slug or _unused_slug(profile.name), **asdict(profile))
    _check(organization)
    organization.save(force_insert=True)
    events.record("organization.created", organization, by=by, now=now)
    members.add(organization, person=owner, role=Role.OWNER, by=by, now=now)
    return organization


def _unused_slug(name: str) -> str:
    stem = re.sub(r"[^a-z0-9]+", "-", fold(name)).strip("-")[:40] or "organization"
    used = set(Organization.objects.filter(slug__startswith=stem).values_list("slug", flat=True))
    candidates = (stem if number == 1 else f"{stem}-{number}" for number in range(1, len(used) + 2))
    return next(slug for slug in candidates if slug not in used)


@needs(Permission.CONFIGURE_ORGANIZATION)
@transaction.atomic
def change(
    organization: Organization,
    *,
    profile: Profile,
    by: Actor,
    now: datetime,
    next_number: int | None = None,
    initial: Profile | None = None,
) -> Organization:
    """Changes the profile and records old and new values with the event; raises Invalid.

    `initial` holds the values that the form showed: fields that the owner left as they were keep what another owner
    has written since (DESIGN D8). `next_number` raises the number of the next invoice.
    """
    profile = replace(profile, email=unicode_address(profile.email))
    new = asdict(profile)
    lock(organization)
    if initial is not None:
        new = merge({name: getattr(organization, name) for name in new}, asdict(initial), new)
    before = {
        name: getattr(organization, name)
        for name, value in new.items()
        if getattr(organization, name) != value
    }
    for name, value in new.items():
        setattr(organization, name, value)
    _check(organization)
    organization.save(update_fields=list(new))
    if "currency" in before:
        # A default deposit of 500.00 dollars is not one of 50,000 yen, so amounts in the old currency are cleared.
        terms = QuoteTerms.objects.filter(pk=organization.pk)
        terms.filter(deposit_kind="amount").update(deposit_kind="", deposit_amount_minor=0)
        terms.update(deposit_threshold_minor=0)
    if "email" in before:
        alerts.auto_resolve(
            "sender_address_invalid",
            subject=organization.pk,
            auto_resolution="sender_corrected",
            now=now,
        )
    if next_number is not None:
        before.update(_raise_next_number(organization, next_number))
    if before:
        after = {name: getattr(organization, name) for name in before}
        data = {"before": _as_json(before), "after": _as_json(after)}
        events.record("organization.changed", organization, by=by, now=now, data=data)
    return organization


def lock(organization: Organization) -> None:
    """Locks the row until the transaction ends, and reads it anew: the caller read it before the lock."""
    organization.lock()
    organization.refresh_from_db()


def _raise_next_number(organization: Organization, to: int) -> dict[str, object]:
    """Raises the next invoice number, never lowers it (DESIGN D4); returns the old one if it changed."""
    row = Organization.objects.filter(pk=organization.pk)
    if to > MAX_INVOICE_NUMBER or not row.filter(next_invoice_number__lte=to).exists():
        least = row.values_list("next_invoice_number", flat=True).get()
        raise Invalid({"next_invoice_number": field_error("next_number_too_low", least=least)})
    # The caller has locked the row that numbers are drawn from, so no invoice draws one in between (D4).
    before = row.values_list("next_invoice_number", flat=True).get()
    organization.next_invoice_number = max(before, to)
    row.update(next_invoice_number=organization.next_invoice_number)
    return {"next_invoice_number": before} if before != organization.next_invoice_number else {}


def _as_json(values: dict[str, object]) -> dict[str, object]:
    """Returns the values with decimals as text, since JSON would make floats of them."""
    return {name: str(value) if isinstance(value, Decimal) else value for name, value in values.items()}


def _check(organization: Organization) -> None:
    errors: dict[str, FieldError] = {}
    try:
        organization.full_clean(exclude=["email"], validate_unique=False, validate_constraints=False)
    except ValidationError as error:
        for name, (first, *_) in error.error_dict.items():
            errors[name] = field_error(f"column_{first.code}", **(first.params or {}))
    try:
        normalize_address(organization.email)
    except InvalidAddress as invalid:
        errors["email"] = address_error(invalid)
    # Django checks the length of a TextField in its own forms only.
    for name, limit in (("address", 400), ("payment_instructions", 600)):
        if len(getattr(organization, name)) > limit:
            errors.setdefault(name, field_error("too_many_letters", limit=limit))
    percent = organization.default_tax_percent
    if not 0 <= percent <= 100 or percent != round(percent, 4):
        errors.setdefault("default_tax_percent", field_error("percent_invalid"))
    if organization.invoice_prefix[-1:].isdigit():
        # X1 and number 2 would look like X and number 12, and no number may be given twice (D4).
        errors.setdefault("invoice_prefix", field_error("invoice_prefix_ends_with_digit"))
    if errors:
        raise Invalid(errors)


@needs(Permission.CONFIGURE_ORGANIZATION)
@transaction.atomic
def set_logo(organization: Organization, *, sent: bytes, by: Actor, now: datetime) -> Logo:
    """Stores an uploaded picture as the logo, encoded anew. Raises Invalid on `logo`."""
    try:
        content = logos.reencode(sent)
    except logos.InvalidLogo as error:
        raise Invalid({"logo": field_error(error.code)}) from error
    logo = Logo(organization=organization, content=content, media_type=logos.MEDIA_TYPE, created_at=now)
    logo.id = logo.content_id()
    # The same picture may have been the logo before; earlier ones stay, for the documents that show them.
    Logo.objects.bulk_create([logo], ignore_conflicts=True)
    organization.logo = logo
    organization.save(update_fields=["logo"])
    events.record("organization.logo_changed", organization, by=by, now=now, data={"bytes": len(content)})
    return logo


@needs(Permission.CONFIGURE_ORGANIZATION)
@transaction.atomic
def remove_logo(organization: Organization, *, by: Actor, now: datetime) -> None:
    """Removes the logo, except from documents that were sent with it; records no event when there is none."""
    organization.logo = None
    if Organization.objects.filter(pk=organization.pk, logo__isnull=False).update(logo=None):
        events.record("organization.logo_removed", organization, by=by, now=now)


@needs(Permission.CONFIGURE_PAYMENTS)
@transaction.atomic
def set_payments_enabled(organization: Organization, *, on: bool, by: Actor, now: datetime) -> Organization:
    """Turns online payments on or off; the switch is read again before money is taken (DESIGN R3).

    Raises GatewayNotReady where no account is connected, its latest check found something wrong, or the operator does
    not allow it.
    """
    if on:
        # Under the lock that connecting takes, so that the account which was checked is the one that payments use.
        organization.lock()
        organization.refresh_from_db(fields=["payments_allowed"])
        if not may_take_payments(organization):
            raise GatewayNotReady(reason="not_approved")
        account = GatewayAccount.objects.current(organization).first()
        if account is None or not account.passes:
            raise GatewayNotReady(reason="check_failed" if account else "")
    changed = Organization.objects.filter(pk=organization.pk, payments_enabled=not on).update(
        payments_enabled=on
    )
    organization.payments_enabled = on
    # Two owners who switch it at once cause one event.
    if changed:
        verb = "enabled" if on else "disabled"
        events.record(f"organization.payments_{verb}", organization, by=by, now=now)
    return organization


def may_take_payments(organization: Organization) -> bool:
    """Returns whether the operator lets this organization take online payments, by name or by the setting for all."""
    if organization.payments_allowed is None:
        return not settings.PARTWAY_PAYMENTS_NEED_APPROVAL
    return organization.payments_allowed


@transaction.atomic
def set_payments_allowed(organization: Organization, *, allowed: bool, by: Actor, now: datetime) -> None:
    """Records the operator's decision: payments go on where the connection passes, and off at once where not allowed.

    Where no connection passes yet, the owner can switch them on later.
    """
    organization.lock()
    # Never equal to an undecided one, which is NULL.
    if (
        Organization.objects.filter(pk=organization.pk)
        .exclude(payments_allowed=allowed)
        .update(payments_allowed=allowed)
    ):
        kind = "organization.payments_allowed" if allowed else "organization.payments_disallowed"
        events.record(kind, organization, by=by, now=now)
    organization.payments_allowed = allowed
    account = GatewayAccount.objects.current(organization).first()
    if not allowed or (account is not None and account.passes):
        set_payments_enabled(organization, on=allowed, by=by, now=now)


@transaction.atomic
def set_lines(
    organization: Organization,
    *,
    name: str,
    lines: list[str],
    field: str,
    initial: list[str] | None,
    by: Actor,
    now: datetime,
) -> Organization:
    """Replaces the list that the column `name` holds; `field` is the form's, which Stale names.

    `initial` is the list that the form showed; another list stored since is not overwritten unseen (DESIGN D8).
    """
    lock(organization)
    before: list[str] = getattr(organization, name)
    if initial is not None:
        shown, typed = {field: tuple(initial)}, {field: tuple(lines)}
        lines = list(merge({field: tuple(before)}, shown, typed)[field])
    setattr(organization, name, lines)
    organization.save(update_fields=[name])
    if lines != before:
        data = {"before": {name: ", ".join(before)}, "after": {name: ", ".join(lines)}}
        events.record("organization.changed", organization, by=by, now=now, data=data)
    return organization


@needs(Permission.CONFIGURE_PAYMENTS)
@transaction.atomic
def set_default_request_expiry(
    organization: Organization,
    *,
    days: int | None,
    by: Actor,
    now: datetime,
    initial: Mapping[str, int | None] | None = None,
) -> Organization:
    """Sets for how many days a new payment request can be paid; None for until it is paid or canceled.

    Existing requests keep their own expiry. `initial` holds the `request_expires_days` that the form showed (DESIGN
    D8). Raises Invalid on `request_expires_days`.
    """
    if days is not None and not 1 <= days <= MAX_EXPIRY_DAYS:
        error = field_error("request_expiry_out_of_range", limit=MAX_EXPIRY_DAYS)
        raise Invalid({"request_expires_days": error})
    lock(organization)
    before, name = organization.request_expires_days, "request_expires_days"
    if initial is not None:
        days = merge({name: before}, initial, {name: days})[name]
    organization.request_expires_days = days
    organization.save(update_fields=["request_expires_days"])
    if days != before:
        data = {"before": {name: before or ""}, "after": {name: days or ""}}
        events.record("organization.changed", organization, by=by, now=now, data=data)
    return organization
