"""`partway organizations create`: starts a real organization and prints the link with which its owner signs in."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.urls import reverse

from partway.accounts import passwords
from partway.accounts.models import Organization, Role, User
from partway.billing.errors import Invalid
from partway.billing.events import OPERATOR
from partway.billing.people import organizations
from partway.billing.people.members import NewUser
from partway.billing.people.organizations import Profile
from partway.delivery.messages import field_messages
from partway.lib import clock


class Command(BaseCommand):
    """Makes and lists organizations."""

    help = "Create or list organizations."

    def add_arguments(self, parser: CommandParser) -> None:
        """create --name --owner [...], or list."""
        acts = parser.add_subparsers(dest="act", required=True)
        acts.add_parser("list", help="list the organizations")
        create = acts.add_parser("create", help="start an organization with its owner")
        create.add_argument("--name", required=True, help="what the business is called")
        create.add_argument("--owner", required=True, help="the owner's mail address")
        create.add_argument("--owner-name", default="", help="the owner's name")
        create.add_argument("--currency", default="USD")
        create.add_argument("--time-zone", default="UTC")

    def handle(self, *args: Any, act: str, **options: Any) -> None:
        """Do the act."""
        if act == "list":
            for organization in Organization.objects.order_by("slug"):
                self.stdout.write(f"{organization.slug}  {organization.name}")
            return
        self._create(options)

    def _create(self, options: dict[str, Any]) -> None:
        email = options["owner"].strip().lower()
        profile = Profile(
            name=options["name"],
            email=email,
            currency=options["currency"].upper(),
            time_zone=options["time_zone"],
        )
        owner = NewUser(email, options["owner_name"] or email.partition("@")[0])
        try:
            organization = organizations.create(profile=profile, owner=owner, by=OPERATOR, now=clock.now())
        except Invalid as error:
            raise CommandError(
                "; ".join(f"{field}: {message}" for field, message in field_messages(error).items())
            ) from error
        self.stdout.write(f"Created {organization.name}: {settings.PARTWAY_URL}/o/{organization.slug}/")
        self.stdout.write(self._welcome(organization))

    def _welcome(self, organization: Organization) -> str:
        user = User.objects.get(memberships__organization=organization, memberships__role=Role.OWNER)
        if user.has_usable_password():
            return f"{user.email} signs in with the password they have."
        path = reverse("welcome", args=passwords.welcome_link_parts(user))
        return f"{user.email} sets a password here, once: {settings.PARTWAY_URL}{path}"
