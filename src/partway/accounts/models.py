"""The tables of organizations, users, members, keys, invitations, sessions, counted attempts and gateway accounts."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import ClassVar, Self

from babel import Locale
from babel.localedata import locale_identifiers
from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from partway.lib import clock, return_urls
from partway.lib.clock import now
from partway.lib.colors import contrast_with_white, is_color
from partway.lib.email_addresses import unicode_address
from partway.lib.ids import digest_id, new_id
from partway.lib.money import EXPONENTS

from .fields import ExactDecimalField, SealedValues

# The least contrast of normal text in WCAG 2.2, criterion 1.4.3.
MIN_CONTRAST = 4.5


def default_payment_modes() -> list[str]:
    """Returns the modes of offline payments that a new organization starts with."""
    return ["Cash", "Check", "Bank transfer", "Card terminal", "Other"]


def validate_time_zone(name: str) -> None:
    """Raises ValidationError for a name that is not in the time zone database."""
    if name not in clock.time_zones():
        raise ValidationError("not a time zone", code="time_zone_unknown", params={"value": name})


def validate_locale(name: str) -> None:
    """Raises ValidationError for a name that is not in CLDR, or is a variant of a locale."""
    # en_US_POSIX is how programs write numbers to each other, without groups; the other variants are orthographies,
    # of which documents have no translations. Each has its plain locale, as ca_ES of ca_ES_VALENCIA.
    if name not in locale_identifiers() or Locale.parse(name).variant:
        raise ValidationError("not a locale", code="locale_unknown", params={"value": name})


def validate_currency(code: str) -> None:
    """Raises ValidationError for a code that is not in ISO 4217."""
    if code not in EXPONENTS:
        raise ValidationError("not an ISO 4217 code", code="currency_unknown", params={"value": code})


def validate_color(color: str) -> None:
    """Raises ValidationError for text that is no color, and for a color too light for white text."""
    if not is_color(color):
        raise ValidationError("not a color", code="color_invalid", params={"value": color})
    if contrast_with_white(color) < MIN_CONTRAST:
        raise ValidationError("too light", code="color_too_light", params={"value": color})


class Organization(models.Model):
    """A business that is owed money, with its own members, customers and books."""

    id = models.CharField(primary_key=True, max_length=40, default=partial(new_id, "org"), editable=False)
    slug = models.SlugField(unique=True, max_length=60)
    name = models.CharField(max_length=120)
    email = models.EmailField("sender address", help_text="Mails to customers come from this address.")
    phone = models.CharField(max_length=40, blank=True)
    address = models.TextField(max_length=400, blank=True)
    currency = models.CharField(max_length=3, default="USD", validators=[validate_currency])
    time_zone = models.CharField(max_length=64, default="UTC", validators=[validate_time_zone])
    # How its members and customers read amounts, dates and numbers.
    locale = models.CharField(
        "language and region", max_length=20, default="en_US", validators=[validate_locale]
    )
    payments_enabled = models.BooleanField(default=False)
    # The operator's decision whether it may take online payments; None where the installation's setting says it.
    payments_allowed = models.BooleanField(null=True, blank=True)
    invoice_prefix = models.CharField(max_length=12, default="INV-", blank=True)
    next_invoice_number = models.PositiveIntegerField(default=1)
    tax_number = models.CharField(max_length=40, blank=True)
    color = models.CharField(max_length=7, default="#1f5c3d", validators=[validate_color])
    payment_instructions = models.TextField(max_length=600, blank=True)
    logo = models.ForeignKey("Logo", on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    default_tax_percent = ExactDecimalField(default=0)
    default_due_days = models.PositiveSmallIntegerField(default=14, validators=[MaxValueValidator(365)])
    # The modes of offline payments, as the owner names and orders them.
    payment_modes = models.JSONField(default=default_payment_modes)
    # The days for which a new payment request can be paid; None for until it is paid or canceled.
    request_expires_days = models.PositiveSmallIntegerField(null=True, blank=True)
    # The sites, or folders of them, that customers may be led back to after they paid; canonical (lib.return_urls).
    return_urls = models.JSONField(default=list, blank=True)
    # Whether a webhook endpoint of it is enabled: without one, an event costs no look for endpoints.
    has_webhooks = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name

    def allowed_return_url(self, url: str) -> str:
        """Returns the address in its one spelling if a customer may be led to it as of now, else an empty text."""
        return return_urls.allowed(url, self.return_urls, allows_loopback=settings.PARTWAY_RETURN_TO_LOOPBACK)

    def return_url_refusal(self, url: str) -> str:
        """Returns the code of why no customer may be led there: its form, which no list mends, or the list; or none."""
        if not url or self.allowed_return_url(url):
            return ""
        try:
            return_urls.canonical(url, allows_loopback=settings.PARTWAY_RETURN_TO_LOOPBACK)
        except return_urls.InvalidReturnUrl:
            return "return_url_form"
        return "return_url_not_allowed"

    def lock(self) -> None:
        """Locks the row until the transaction ends; what was read before may be old, so the caller reads it anew."""
        list(Organization.objects.filter(pk=self.pk).select_for_update(no_key=True).values_list("pk"))


class Logo(models.Model):
    """A logo of an organization, encoded anew by `logos.reencode`; never the uploaded bytes.

    A row is never changed or deleted, and its id is the digest of its content: documents that were sent with it show it
    after the organization has another one or none (DESIGN D9).
    """

    id = models.CharField(primary_key=True, max_length=40, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="logos")
    content = models.BinaryField()
    media_type = models.CharField(max_length=40, default="image/png")
    created_at = models.DateTimeField()

    def content_id(self) -> str:
        """Returns the id that follows from the content."""
        return digest_id("logo", self.organization_id.encode(), bytes(self.content))


def sign_in_address(text: str) -> str:
    """Returns a typed address as User and Invitation store it; one that is no address in lower case all the same.

    Browsers write the domain of a field for addresses in ASCII, password managers and people in Unicode.
    """
    return unicode_address(text.strip()).lower()


class Users(BaseUserManager["User"]):
    """Finds and creates users by email address, which is stored as `sign_in_address` writes it."""

    def get_by_natural_key(self, username: str | None) -> User:
        """Returns the user with this address in any spelling; raises User.DoesNotExist."""
        return self.get(email=sign_in_address(username or ""))

    def create_user(self, email: str, name: str, password: str | None = None) -> User:
        """Creates a user; without a password they cannot sign in until they set one by a link."""
        user = User(email=sign_in_address(email), name=name)
        user.set_password(password)
        user.save()
        return user


class User(AbstractBaseUser):
    """A person who can sign in, to every organization of which they are a member."""

    id = models.CharField(primary_key=True, max_length=40, default=partial(new_id, "usr"), editable=False)
    email = models.EmailField(unique=True)
    name = models.CharField(max_length=120)
    is_active = models.BooleanField(default=True)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]
    objects = Users()

    def __str__(self) -> str:
        return self.name or self.email

    @property
    def locale(self) -> str:
        """The locale that every organization of the person has; empty where they differ, or without any. A query."""
        locales = set(self.memberships.values_list("organization__locale", flat=True))
        return locales.pop() if len(locales) == 1 else ""


class UserSession(models.Model):
    """A browser in which a user is signed in; deleted with Django's session, which stores only a digest of its key."""

    session = models.OneToOneField(
        "sessions.Session", primary_key=True, on_delete=models.CASCADE, related_name="user_session"
    )
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="user_sessions")
    ip_address = models.GenericIPAddressField()
    browser = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField()


class Attempt(models.Model):
    """One counted use of something that is limited; `accounts/rate_limits.py` is its only reader and writer.

    `subject` is a keyed digest: people type passwords into the field of the address, and none is stored.
    """

    action = models.CharField(max_length=40)
    subject = models.CharField(max_length=40)
    created_at = models.DateTimeField()
    # When the longest window of its limit is over: from then on the row counts for nothing.
    expires_at = models.DateTimeField()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["action", "subject", "created_at"], name="attempt_of_subject"),
            models.Index(fields=["expires_at"], name="attempt_expired"),
        ]

    def __str__(self) -> str:
        return f"{self.action} of {self.subject}"


class UsedCode(models.Model):
    """The time step of a code of an authenticator app that was accepted, so that no code works twice."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="used_codes")
    time_step = models.BigIntegerField()
    used_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "time_step"], name="code_used_once"),
        ]
        indexes: ClassVar = [models.Index(fields=["used_at"], name="used_code_age")]

    def __str__(self) -> str:
        return f"{self.user_id} at step {self.time_step}"


class KeptForm(models.Model):
    """The fields of a form that came after its session had ended, as typed; `path` is where it was sent."""

    id = models.CharField(primary_key=True, max_length=40, default=partial(new_id, "kpt"), editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="kept_forms")
    path = models.CharField(max_length=500)
    sealed_fields = models.TextField()
    created_at = models.DateTimeField()

    fields = SealedValues("sealed_fields")

    class Meta:
        indexes: ClassVar = [models.Index(fields=["created_at"], name="kept_form_age")]

    def __str__(self) -> str:
        return f"{self.path} of {self.user_id}"


class Role(models.TextChoices):
    """A member's role; `permissions.ALLOWED_ROLES` says what each may do."""

    OWNER = "owner", _("Owner")
    COLLECTOR = "collector", _("Collector")
    READER = "reader", _("Reader")


class Member(models.Model):
    """A user in one organization, with a role."""

    id = models.CharField(primary_key=True, max_length=40, default=partial(new_id, "mem"), editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="members")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=12, choices=Role.choices)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organization", "user"], name="one_membership_per_user"),
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="member_role_known"),
        ]


class KeyScope(models.TextChoices):
    """How much a key may do; `permissions.SCOPE_ROLES` names the role whose permissions it has."""

    READ = "read", _("Read")
    COLLECT = "collect", _("Collect")
    ADMIN = "admin", _("Admin")


class ApiKey(models.Model):
    """A key by which a program acts for an organization; its secret is shown once, and only a digest is stored."""

    id = models.CharField(primary_key=True, max_length=40, default=partial(new_id, "key"), editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=80)
    scope = models.CharField(max_length=8, choices=KeyScope.choices)
    digest = models.CharField(max_length=40, unique=True)
    # By which an owner tells apart the keys that their programs hold.
    last_letters = models.CharField(max_length=4)
    # From where it may be used, as "203.0.113.0/24"; empty for anywhere.
    networks = models.JSONField(default=list)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(scope__in=KeyScope.values), name="key_scope_known"),
        ]

    def __str__(self) -> str:
        return self.name

    def is_usable(self, at: datetime) -> bool:
        """Returns whether it is neither revoked nor past its end."""
        return self.revoked_at is None and (self.expires_at is None or at < self.expires_at)


class IdempotentCall(models.Model):
    """A call of a program that named an idempotency key; `accounts/idempotent_calls.py` is its only reader and writer.

    `status` is null until the call has its answer, which may hold payment links and is stored sealed (DESIGN R8).
    """

    id = models.CharField(primary_key=True, max_length=40, default=partial(new_id, "idc"), editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="idempotent_calls")
    key_digest = models.CharField(max_length=40)
    fingerprint = models.CharField(max_length=40)
    created_at = models.DateTimeField()
    # Until then the request that makes the call is at work; afterwards a repetition takes it over.
    claimed_until = models.DateTimeField()
    status = models.PositiveSmallIntegerField(null=True)
    sealed_answer = models.TextField(blank=True)

    answer = SealedValues("sealed_answer")
    # Of the row as `begin` returns it: whether an earlier request has begun this call, and may have acted.
    is_repeated = False

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["organization", "key_digest"], name="one_call_per_idempotency_key"
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["created_at"], name="idempotent_call_age")]

    def __str__(self) -> str:
        return f"{self.pk} of {self.organization_id}"


class InvitationStatus(models.TextChoices):
    """The stored status of an invitation; that it has expired is derived from `expires_at`."""

    OPEN = "open", _("Open")
    ACCEPTED = "accepted", _("Accepted")
    WITHDRAWN = "withdrawn", _("Withdrawn")


class Invitation(models.Model):
    """An invitation to become a member; its link is generated when the mail is sent and never stored."""

    id = models.CharField(primary_key=True, max_length=40, default=partial(new_id, "ivt"), editable=False)
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

    def is_open(self, now: datetime) -> bool:
        """Returns whether the link still works."""
        return self.status == InvitationStatus.OPEN and now < self.expires_at


class GatewayAccountQuerySet(models.QuerySet["GatewayAccount"]):
    """Queries of gateway accounts."""

    def current(self, organization: Organization) -> Self:
        """Filters for the account that new payments of this organization use; at most one."""
        return self.filter(organization=organization, is_current=True)


class GatewayAccount(models.Model):
    """An account of an organization at a gateway; its credentials are stored sealed."""

    id = models.CharField(primary_key=True, max_length=40, default=partial(new_id, "gwa"), editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="gateway_accounts")
    gateway = models.CharField(max_length=20)
    sealed_credentials = models.TextField()
    # Opened by the operator's platform, whose one endpoint hears of it by `account_ref`; it has no key of its own.
    is_of_platform = models.BooleanField(default=False)
    is_current = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    # The gateway's own id and name of the account, and the latest report on the connection: `findings` are those of
    # `gateways.connection_report`, as JSON. Empty and null until it was checked.
    account_ref = models.CharField(max_length=200, blank=True)
    account_name = models.CharField(max_length=200, blank=True)
    findings = models.JSONField(default=list)
    checked_at = models.DateTimeField(null=True)
    # The methods that customers are offered; empty for all that the gateway has.
    methods = models.JSONField(default=list)
    # Until when the list of the gateway is reconciled, and when the worker reads it next (DESIGN P5).
    reconciled_until = models.DateTimeField(null=True)
    reconcile_at = models.DateTimeField(default=now)
    # The same for the list of its payouts.
    payouts_read_until = models.DateTimeField(null=True)
    payouts_due_at = models.DateTimeField(default=now)

    credentials = SealedValues("sealed_credentials")

    objects = GatewayAccountQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["organization"],
                condition=models.Q(is_current=True),
                name="one_current_gateway_account",
            ),
            # A callback of the platform names the account only, so it must lead to one organization.
            models.UniqueConstraint(
                fields=["gateway", "account_ref"],
                condition=models.Q(is_of_platform=True),
                name="one_organization_per_platform_account",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["reconcile_at", "id"], name="gateway_account_to_list"),
            models.Index(fields=["payouts_due_at", "id"], name="gateway_account_payouts_due"),
        ]

    @property
    def passes(self) -> bool:
        """Whether the latest check found nothing wrong; False before the first one."""
        return self.checked_at is not None and all(one["level"] != "wrong" for one in self.findings)
