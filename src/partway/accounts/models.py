"""Organizations, the people who log in, their role in each organization, invitations, and gateway accounts."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Self
from zoneinfo import available_timezones

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator
from django.db import models

from partway.lib.clock import now
from partway.lib.colors import contrast_with_white, is_color
from partway.lib.ids import new_id
from partway.lib.money import EXPONENTS
from partway.lib.sealing import seal, unseal

from .fields import ExactDecimalField

# WCAG 2.2, 1.4.3: text of the usual size can be read by people with weak sight from here on.
MIN_CONTRAST = 4.5


def _organization_id() -> str:
    return new_id("org")


def _user_id() -> str:
    return new_id("usr")


def _member_id() -> str:
    return new_id("mem")


def _gateway_account_id() -> str:
    return new_id("gwa")


def _invitation_id() -> str:
    return new_id("ivt")


def default_payment_modes() -> list[str]:
    """How customers pay a business besides online, until it says otherwise."""
    return ["Cash", "Check", "Bank transfer", "Card terminal", "Other"]


def validate_time_zone(name: str) -> None:
    """Refuse a name that the time zone database does not have."""
    if name not in available_timezones():
        raise ValidationError(f"“{name}” is not a time zone. Write it like America/New_York.")


def validate_currency(code: str) -> None:
    """Refuse a code that ISO 4217 does not have."""
    if code not in EXPONENTS:
        raise ValidationError(f"“{code}” is not a currency. Write its three letters, like USD.")


def validate_color(color: str) -> None:
    """Refuse what is no color, and one on which white text could not be read."""
    if not is_color(color):
        raise ValidationError(f"“{color}” is not a color. Write it like #1f5c3d.")
    if contrast_with_white(color) < MIN_CONTRAST:
        raise ValidationError(f"{color} is too light: white text on it could not be read. Take a darker one.")


class Organization(models.Model):
    """Who is owed: a business with its own members, customers and books."""

    id = models.CharField(primary_key=True, max_length=40, default=_organization_id, editable=False)
    slug = models.SlugField(unique=True, max_length=60)
    name = models.CharField(max_length=120)
    email = models.EmailField("sender address", help_text="Mails to customers come from this address.")
    phone = models.CharField(max_length=40, blank=True)
    address = models.TextField(max_length=400, blank=True)
    currency = models.CharField(max_length=3, default="USD", validators=[validate_currency])
    time_zone = models.CharField(max_length=64, default="UTC", validators=[validate_time_zone])
    payments_enabled = models.BooleanField(default=False)
    invoice_prefix = models.CharField(max_length=12, default="INV-", blank=True)
    next_invoice_number = models.PositiveIntegerField(default=1)
    tax_number = models.CharField(max_length=40, blank=True)
    color = models.CharField(max_length=7, default="#1f5c3d", validators=[validate_color])
    payment_instructions = models.TextField(max_length=600, blank=True)
    default_tax_percent = ExactDecimalField(default=0)
    default_due_days = models.PositiveSmallIntegerField(default=14, validators=[MaxValueValidator(365)])
    # The ways an offline payment can be made, in the owner's words and order.
    payment_modes = models.JSONField(default=default_payment_modes)
    # For how many days a new payment request can be paid; empty: until it is paid or canceled.
    request_expires_days = models.PositiveSmallIntegerField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name


class Logo(models.Model):
    """An organization's logo as we drew it anew ourselves; never the bytes that somebody sent."""

    organization = models.OneToOneField(Organization, on_delete=models.CASCADE, related_name="logo")
    content = models.BinaryField()
    media_type = models.CharField(max_length=40, default="image/png")
    updated_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"logo of {self.organization_id}"


class Users(BaseUserManager["User"]):
    """Finds and makes users by their address, whatever its capitals."""

    def get_by_natural_key(self, username: str | None) -> User:
        """The user of this address; addresses are kept in lower case."""
        return self.get(email=(username or "").strip().lower())

    def create_user(self, email: str, name: str, password: str | None = None) -> User:
        """A new user; without a password nobody can sign in until one is set by link."""
        user = User(email=email.strip().lower(), name=name)
        user.set_password(password)
        user.save()
        return user


class User(AbstractBaseUser):
    """Somebody who can sign in, in whichever organizations they are a member of."""

    id = models.CharField(primary_key=True, max_length=40, default=_user_id, editable=False)
    email = models.EmailField(unique=True)
    name = models.CharField(max_length=120)
    is_active = models.BooleanField(default=True)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]
    objects = Users()

    def __str__(self) -> str:
        return self.name or self.email


class UserSession(models.Model):
    """A browser in which somebody is signed in; it goes when Django's session goes, which holds no key either."""

    session = models.OneToOneField(
        "sessions.Session", primary_key=True, on_delete=models.CASCADE, related_name="signed_in"
    )
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="signed_in")
    ip_address = models.GenericIPAddressField()
    browser = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.user_id} at {self.ip_address}"


class Role(models.TextChoices):
    """What a member may do: a reader sees, a collector sends and requests, an owner also configures and voids."""

    OWNER = "owner", "Owner"
    COLLECTOR = "collector", "Collector"
    READER = "reader", "Reader"


_RANK = {Role.READER: 0, Role.COLLECTOR: 1, Role.OWNER: 2}


class Member(models.Model):
    """A user in one organization, with a role."""

    id = models.CharField(primary_key=True, max_length=40, default=_member_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="members")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=12, choices=Role.choices)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organization", "user"], name="one_membership_per_user"),
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="member_role_known"),
        ]

    def __str__(self) -> str:
        return f"{self.user} ({self.role})"

    def has_role(self, role: str) -> bool:
        """Whether this member's role includes what `role` may do."""
        return _RANK[Role(self.role)] >= _RANK[Role(role)]


class InvitationStatus(models.TextChoices):
    """What became of an invitation; that it is too old is derived from `expires_at`."""

    OPEN = "open", "Open"
    ACCEPTED = "accepted", "Accepted"
    WITHDRAWN = "withdrawn", "Withdrawn"


class Invitation(models.Model):
    """Somebody who was asked to become a member; the link is made when its mail is sent and rests nowhere."""

    id = models.CharField(primary_key=True, max_length=40, default=_invitation_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="invitations")
    email = models.EmailField()
    role = models.CharField(max_length=12, choices=Role.choices)
    status = models.CharField(max_length=9, choices=InvitationStatus.choices, default=InvitationStatus.OPEN)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["organization", "email"],
                condition=models.Q(status="open"),
                name="one_open_invitation_per_address",
            ),
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="invitation_role_known"),
            models.CheckConstraint(
                condition=models.Q(status__in=InvitationStatus.values), name="invitation_status_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.email} ({self.role})"

    def is_open(self, now: datetime) -> bool:
        """Whether its link still lets somebody in."""
        return self.status == InvitationStatus.OPEN and now < self.expires_at


class GatewayAccountQuerySet(models.QuerySet["GatewayAccount"]):
    """The vocabulary for gateway accounts."""

    def current(self, organization: Organization) -> Self:
        """The account that new payments of this organization go through, if any."""
        return self.filter(organization=organization, is_current=True)


class GatewayAccount(models.Model):
    """An organization's account at a gateway; its credentials rest sealed."""

    id = models.CharField(primary_key=True, max_length=40, default=_gateway_account_id, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="gateway_accounts")
    gateway = models.CharField(max_length=20)
    sealed_credentials = models.TextField()
    is_current = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    # Up to when we have read the gateway's own list, and when the worker reads on (DESIGN P5).
    reconciled_until = models.DateTimeField(null=True)
    reconcile_at = models.DateTimeField(default=now)

    objects = GatewayAccountQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["organization"],
                condition=models.Q(is_current=True),
                name="one_current_gateway_account",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.gateway} for {self.organization_id}"

    @property
    def credentials(self) -> dict[str, str]:
        """The credentials in the clear; raises Unsealable when the secret key was lost."""
        return unseal(self.sealed_credentials, settings.PARTWAY_SECRET_KEYS)

    @credentials.setter
    def credentials(self, values: dict[str, str]) -> None:
        self.sealed_credentials = seal(values, settings.PARTWAY_SECRET_KEYS)
