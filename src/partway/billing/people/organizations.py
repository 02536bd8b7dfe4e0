"""Starts and configures organizations, and connects them to a gateway."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction

from partway.accounts import logos
from partway.accounts.models import GatewayAccount, Logo, Organization, Role
from partway.gateways.sandbox import create_account
from partway.lib.sealing import Unsealable

from .. import events
from ..checkouts import gateway_calls
from ..errors import BillingError, Invalid
from ..events import Actor
from ..merge import merge
from ..models import QuoteTerms
from . import members
from .members import NewUser

MAX_EXPIRY_DAYS = 365
# An integer column goes no further, and no business counts as far.
MAX_INVOICE_NUMBER = 999_999_999


@dataclass(frozen=True, slots=True)
class Profile:
    """What an owner tells Partway about the business."""

    name: str
    email: str
    phone: str = ""
    address: str = ""
    currency: str = "USD"
    time_zone: str = "UTC"
    invoice_prefix: str = "INV-"
    tax_number: str = ""
    color: str = "#1f5c3d"
    payment_instructions: str = ""
    default_tax_percent: Decimal = Decimal(0)
    default_due_days: int = 14


class SandboxNotAllowed(BillingError):
    """A live installation must not pretend to take money."""

    code = "sandbox_when_live"
    status = 409
    message = "This installation is marked live (PARTWAY_LIVE), so the sandbox cannot be connected."


@transaction.atomic
def create(*, profile: Profile, owner: NewUser, by: Actor, now: datetime, slug: str = "") -> Organization:
    """A new organization with its owner; payments stay off until a gateway is connected."""
    organization = Organization(slug=slug or _free_slug(profile.name), **asdict(profile))
    _check(organization)
    organization.save(force_insert=True)
    events.record("organization.created", organization, by=by, now=now)
    members.add(organization, person=owner, role=Role.OWNER, by=by, now=now)
    return organization


def _free_slug(name: str) -> str:
    stem = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40] or "organization"
    taken = set(Organization.objects.filter(slug__startswith=stem).values_list("slug", flat=True))
    candidates = (stem if number == 1 else f"{stem}-{number}" for number in range(1, len(taken) + 2))
    return next(slug for slug in candidates if slug not in taken)


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
    """Change what is known of the business; the event keeps what it was before. Raises Invalid.

    `seen` is what the page showed: fields not touched there keep what somebody else has written meanwhile (D8).
    """
    new = asdict(profile)
    list(Organization.objects.filter(pk=organization.pk).select_for_update(no_key=True).values_list("pk"))
    organization.refresh_from_db()  # what was read before the lock may be old
    if initial is not None:
        new = merge({name: getattr(organization, name) for name in new}, initial, profile)
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
        _drop_amounts(organization)
    if next_number is not None:
        before.update(_raise_next_number(organization, next_number))
    if before:
        after = {name: getattr(organization, name) for name in before}
        data = {"before": _plain(before), "after": _plain(after)}
        events.record("organization.changed", organization, by=by, now=now, data=data)
    return organization


def _drop_amounts(organization: Organization) -> None:
    """A usual deposit of 500.00 dollars is not one of 50,000 yen: amounts in the old currency are forgotten."""
    terms = QuoteTerms.objects.filter(pk=organization.pk)
    terms.filter(deposit_kind="amount").update(deposit_kind="", deposit_amount_minor=0)
    terms.update(deposit_threshold_minor=0)


def _raise_next_number(organization: Organization, to: int) -> dict[str, object]:
    """The number before, if it changed. Numbers already given away must not come again (DESIGN D4)."""
    row = Organization.objects.filter(pk=organization.pk)
    if to > MAX_INVOICE_NUMBER or not row.filter(next_invoice_number__lte=to).exists():
        least = row.values_list("next_invoice_number", flat=True).get()
        message = f"Enter {least} or more. It may only go up, so that no number comes twice."
        raise Invalid({"next_invoice_number": message})
    before = row.select_for_update().values_list("next_invoice_number", flat=True).get()
    organization.next_invoice_number = max(before, to)
    row.update(next_invoice_number=organization.next_invoice_number)
    return {"next_invoice_number": before} if before != organization.next_invoice_number else {}


def _plain(values: dict[str, object]) -> dict[str, object]:
    """As JSON can keep it: decimals as text, never as floats."""
    return {name: str(value) if isinstance(value, Decimal) else value for name, value in values.items()}


def _check(organization: Organization) -> None:
    errors = {}
    if organization.invoice_prefix[-1:].isdigit():
        # X1 and number 2 would look like X and number 12, and no number may be given twice (D4).
        errors["invoice_prefix"] = "End it with a letter or a mark, like INV- or 2026/."
    percent = organization.default_tax_percent
    if not 0 <= percent <= 100 or percent != round(percent, 4):
        errors["default_tax_percent"] = "Enter a percentage between 0 and 100, with at most four decimals."
    # Django checks the length of a text in its own forms only.
    for name, most in (("address", 400), ("payment_instructions", 600)):
        if len(getattr(organization, name)) > most:
            errors[name] = f"Use at most {most} letters."
    try:
        organization.full_clean(validate_unique=False, validate_constraints=False)
    except ValidationError as error:
        errors.update({field: messages[0] for field, messages in error.message_dict.items()})
    if errors:
        raise Invalid(errors)


@transaction.atomic
def set_logo(organization: Organization, *, sent: bytes, by: Actor, now: datetime) -> Logo:
    """Take a picture as the logo, drawn anew. Raises Invalid on `logo`."""
    try:
        content = logos.reencode(sent)
    except logos.InvalidLogo as error:
        raise Invalid({"logo": str(error)}) from error
    columns = {"content": content, "media_type": logos.MEDIA_TYPE, "updated_at": now}
    logo, _ = Logo.objects.update_or_create(organization=organization, defaults=columns)
    events.record("organization.logo_changed", organization, by=by, now=now, data={"bytes": len(content)})
    return logo


@transaction.atomic
def remove_logo(organization: Organization, *, by: Actor, now: datetime) -> None:
    """Go without a logo; removing none is no event."""
    if Logo.objects.filter(organization=organization).delete()[0]:
        events.record("organization.logo_removed", organization, by=by, now=now)


@transaction.atomic
def set_payments_enabled(organization: Organization, *, on: bool, by: Actor, now: datetime) -> Organization:
    """Turn online payments on or off; off is asked again before any money is taken (DESIGN R3)."""
    flipped = Organization.objects.filter(pk=organization.pk, payments_enabled=not on).update(
        payments_enabled=on
    )
    organization.payments_enabled = on
    if flipped:
        verb = "enabled" if on else "disabled"
        events.record(f"organization.payments_{verb}", organization, by=by, now=now)
    return organization


@transaction.atomic
def set_default_request_expiry(
    organization: Organization, *, days: int | None, by: Actor, now: datetime
) -> Organization:
    """For how many days new payment requests can be paid, None for until they are paid or canceled.

    Requests already made keep their own end. Raises Invalid on `request_expires_days`.
    """
    if days is not None and not 1 <= days <= MAX_EXPIRY_DAYS:
        message = f"Enter 1 to {MAX_EXPIRY_DAYS} days, or nothing for links that never expire."
        raise Invalid({"request_expires_days": message})
    before = organization.request_expires_days
    organization.request_expires_days = days
    organization.save(update_fields=["request_expires_days"])
    if days != before:
        name = "request_expires_days"
        data = {"before": {name: before or ""}, "after": {name: days or ""}}
        events.record("organization.changed", organization, by=by, now=now, data=data)
    return organization


def current_gateway_account(organization: Organization) -> GatewayAccount | None:
    """The account that new payments go through; None too when its credentials cannot be read any more."""
    account = GatewayAccount.objects.current(organization).first()
    try:
        return account if account and account.credentials else None
    except Unsealable:
        return None


def connect_sandbox(organization: Organization, *, by: Actor, now: datetime) -> GatewayAccount:
    """Open an account at the pretend payment company and make it current; raises Refused or Unknown."""
    if settings.PARTWAY_LIVE:
        raise SandboxNotAllowed()
    account = GatewayAccount(organization=organization, gateway="sandbox")
    address = gateway_calls.callback_url(account)
    account.credentials = create_account(settings.PARTWAY_SANDBOX_URL, organization.name, address)
    return _make_current(account, by, now)


@transaction.atomic(durable=True)
def _make_current(account: GatewayAccount, by: Actor, now: datetime) -> GatewayAccount:
    # Two clicks at once take turns: without the lock neither would see the other's account.
    Organization.objects.select_for_update(no_key=True).get(pk=account.organization_id)
    GatewayAccount.objects.current(account.organization).update(is_current=False)
    account.save(force_insert=True)
    data = {"gateway": account.gateway}
    events.record("organization.gateway_connected", account.organization, by=by, now=now, data=data)
    return account
