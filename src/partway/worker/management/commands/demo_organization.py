"""`partway demo_organization`: builds the demo organization if there is none yet, and prints how to sign in."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from partway.accounts.models import Organization
from partway.billing import links
from partway.billing.errors import BillingError
from partway.delivery.messages import error_message
from partway.gateways.registry import DEMO_GATEWAY, GATEWAYS
from partway.lib import clock
from partway.worker import demo
from partway.worker.demo import organization as demo_organization
from partway.worker.management.partway_command import PartwayCommand


class Command(PartwayCommand):
    """A part of `partway demo`; needs the demo's gateway to be up."""

    help = "Build the demo organization (part of `partway demo`)."

    def add_arguments(self, parser: CommandParser) -> None:
        """--gateway CODE."""
        parser.add_argument("--gateway", choices=sorted(GATEWAYS), default=DEMO_GATEWAY)

    def handle(self, *args: Any, **options: Any) -> None:
        """Builds what is missing and prints the sign-ins and a payment link."""
        if settings.PARTWAY_LIVE:
            message = "This installation is marked live; the demo organization does not belong there."
            raise CommandError(message)
        now = clock.now()
        organization = Organization.objects.filter(slug=demo.SLUG).first() or demo_organization.build(now)
        try:
            demo_organization.use_gateway(organization, options["gateway"], now)
        except BillingError as error:
            raise CommandError(error_message(error)) from error
        request = demo_organization.payable_request(organization, now)
        self.stdout.write(f"\n  Partway is at     {settings.PARTWAY_URL}/\n")
        for role, (email, _) in demo.DEMO_USERS.items():
            self.stdout.write(f"  sign in as {role:<9}  {email}  password {demo.PASSWORD}")
        self.stdout.write(f"\n  a payment link    {links.request_url(request)}")
        self.stdout.write(
            f"  a card that works {GATEWAYS[options['gateway']].test_card}, any expiry and code"
        )
        self.stdout.write(f"  every mail sent   {settings.PARTWAY_URL}/o/{organization.slug}/inbox/\n")
