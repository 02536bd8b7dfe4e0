"""Starts and configures organizations, and connects them to a gateway."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from datetime import datetime

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction

from partway.accounts.models import GatewayAccount, Member, Organization, Role, User
from partway.gateways.sandbox import provision
from partway.lib.sealing import Unsealable

from . import checkouts, events
from .errors import BillingError, Invalid
from .events import Actor


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


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who will sign in."""

    email: str
    name: str


class SandboxWhenLive(BillingError):
    """A live installation must not pretend to take money."""

    code = "sandbox_when_live"
    status = 409
    words = "This installation is marked live (PARTWAY_LIVE), so the sandbox cannot be connected."


@transaction.atomic
def create(*, profile: Profile, owner: Person, by: Actor, now: datetime, slug: str = "") -> Organization:
    """A new organization with its owner; payments stay off until a gateway is connected."""
    organization = Organization(slug=slug or _free_slug(profile.name), **asdict(profile))
    _check(organization)
    organization.save(force_insert=True)
    events.record("organization.created", organization, by=by, now=now)
    add_member(organization, person=owner, role=Role.OWNER, by=by, now=now)
    return organization


@transaction.atomic
def add_member(organization: Organization, *, person: Person, role: str, by: Actor, now: datetime) -> Member:
    """Let somebody in; who is new to the installation still has to set a password."""
    user = User.objects.filter(email=person.email.lower()).first()
    user = user or User.objects.create_user(person.email, person.name)
    member = Member.objects.create(organization=organization, user=user, role=role)
    data = {"name": user.name, "email": user.email, "role": role}
    events.record("member.added", organization, by=by, now=now, data=data)
    return member


def _free_slug(name: str) -> str:
    stem = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40] or "organization"
    taken = set(Organization.objects.filter(slug__startswith=stem).values_list("slug", flat=True))
    candidates = (stem if number == 1 else f"{stem}-{number}" for number in range(1, len(taken) + 2))
    return next(slug for slug in candidates if slug not in taken)


@transaction.atomic
def change(organization: Organization, *, profile: Profile, by: Actor, now: datetime) -> Organization:
    """Change what is known of the business; the event keeps what it was before."""
    new = asdict(profile)
    before = {
        name: getattr(organization, name)
        for name, value in new.items()
        if getattr(organization, name) != value
    }
    for name, value in new.items():
        setattr(organization, name, value)
    _check(organization)
    organization.save(update_fields=list(new))
    if before:
        events.record("organization.changed", organization, by=by, now=now, data={"before": before})
    return organization


def _check(organization: Organization) -> None:
    if organization.invoice_prefix[-1:].isdigit():
        # X1 and number 2 would look like X and number 12, and no number may be given twice (D4).
        raise Invalid({"invoice_prefix": "End it with a letter or a mark, like INV- or 2026/."})
    try:
        organization.full_clean(validate_unique=False, validate_constraints=False)
    except ValidationError as error:
        raise Invalid({field: messages[0] for field, messages in error.message_dict.items()}) from error


@transaction.atomic
def switch_payments(organization: Organization, *, on: bool, by: Actor, now: datetime) -> Organization:
    """Turn online payments on or off; off is asked again before any money is taken (DESIGN R3)."""
    flipped = Organization.objects.filter(pk=organization.pk, payments_enabled=not on).update(
        payments_enabled=on
    )
    organization.payments_enabled = on
    if flipped:
        verb = "enabled" if on else "disabled"
        events.record(f"organization.payments_{verb}", organization, by=by, now=now)
    return organization


def connected_account(organization: Organization) -> GatewayAccount | None:
    """The account that new payments go through; None too when its credentials cannot be read any more."""
    account = GatewayAccount.objects.current(organization).first()
    try:
        return account if account and account.credentials else None
    except Unsealable:
        return None


def connect_sandbox(organization: Organization, *, by: Actor, now: datetime) -> GatewayAccount:
    """Open an account at the pretend payment company and make it current; raises Refused or Unknown."""
    if settings.PARTWAY_LIVE:
        raise SandboxWhenLive()
    account = GatewayAccount(organization=organization, gateway="sandbox")
    address = checkouts.callback_url(account)
    account.credentials = provision(settings.PARTWAY_SANDBOX_URL, organization.name, address)
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
