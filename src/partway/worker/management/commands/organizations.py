"""`partway organizations`: creates an organization with its owner, lists them, and lets them take online payments."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.urls import reverse

from partway.accounts import passwords
from partway.accounts.models import Organization, Role, User
from partway.billing.errors import Invalid
from partway.billing.events import OPERATOR
from partway.billing.people import organizations
from partway.billing.people.members import NewUser
from partway.billing.people.organizations import Profile
from partway.delivery.formats import DEFAULT_LOCALE
from partway.delivery.messages import field_messages
from partway.lib import clock
from partway.worker.management.partway_command import PartwayCommand


class Command(PartwayCommand):
    """Creates and lists organizations, and lets them take online payments or not."""

    help = "Create or list organizations, or let one take online payments."

    def add_arguments(self, parser: CommandParser) -> None:
        """create --name --owner [...], list, or payments on|off SLUG."""
        operations = parser.add_subparsers(dest="operation", required=True)
        operations.add_parser("list", help="list the organizations")
        payments = operations.add_parser("payments", help="let an organization take online payments, or not")
        payments.add_argument("switch", choices=("on", "off"))
        payments.add_argument("slug", help="as in the list and in the addresses of its pages")
        create = operations.add_parser("create", help="start an organization with its owner")
        create.add_argument("--name", required=True, help="what the business is called")
        create.add_argument("--owner", required=True, help="the owner's mail address")
        create.add_argument("--owner-name", default="", help="the owner's name")
        create.add_argument("--currency", default="USD")
        create.add_argument("--time-zone", default="UTC")
        create.add_argument(
            "--locale", default=DEFAULT_LOCALE, help="how it writes amounts and dates, as de_AT"
        )

    def handle(self, *args: Any, operation: str, **options: Any) -> None:
        """Runs `create`, `list` or `payments`."""
        if operation == "create":
            self._create(**options)
            return
        if operation == "payments":
            self._switch_payments(**options)
            return
        for organization in Organization.objects.order_by("slug"):
            self.stdout.write(f"{organization.slug}  {organization.name}")

    def _switch_payments(self, *, switch: str, slug: str, **_: Any) -> None:
        organization = Organization.objects.filter(slug=slug).first()
        if organization is None:
            raise CommandError(f"There is no organization {slug}; `partway organizations list` lists them.")
        organizations.set_payments_allowed(organization, allowed=switch == "on", by=OPERATOR, now=clock.now())
        state = "on" if organization.payments_enabled else "off"
        self.stdout.write(f"Online payments of {organization.name} are {state}.")
        if switch == "on" and state == "off":
            self.stdout.write("The owner may switch them on once the check of the connection passes.")

    def _create(
        self, *, name: str, owner: str, owner_name: str, currency: str, time_zone: str, locale: str, **_: Any
    ) -> None:
        email = owner.strip().lower()
        profile = Profile(
            name=name, email=email, currency=currency.upper(), time_zone=time_zone, locale=locale
        )
        person = NewUser(email, owner_name or email.partition("@")[0])
        try:
            organization = organizations.create(profile=profile, owner=person, by=OPERATOR, now=clock.now())
        except Invalid as error:
            messages = [f"{field}: {message}" for field, message in field_messages(error).items()]
            raise CommandError("; ".join(messages)) from error
        self.stdout.write(f"Created {organization.name}: {settings.PARTWAY_URL}/o/{organization.slug}/")
        user = User.objects.get(memberships__organization=organization, memberships__role=Role.OWNER)
        if user.has_usable_password():
            self.stdout.write(f"{user.email} signs in with the password they have.")
        else:
            path = reverse("welcome", args=passwords.welcome_link_parts(user))
            self.stdout.write(f"{user.email} sets a password here, once: {settings.PARTWAY_URL}{path}")
