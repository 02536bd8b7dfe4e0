"""`partway demo_organization`: builds the demo's organization if it is not there yet, and says how to look at it."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from partway.accounts.models import Organization
from partway.billing import links
from partway.lib import clock
from partway.worker import demo, demo_data


class Command(BaseCommand):
    """Part of `partway demo`; needs the sandbox to be up."""

    help = "Build the demo organization (part of `partway demo`)."

    def handle(self, *args: Any, **options: Any) -> None:
        """Build what is missing and print the way in."""
        if settings.PARTWAY_LIVE:
            raise CommandError(
                "This installation is marked live; the demo organization does not belong there."
            )
        now = clock.now()
        organization = Organization.objects.filter(slug=demo.SLUG).first() or demo_data.build(now)
        request = demo_data.payable_request(organization, now)
        self.stdout.write(f"\n  Partway is at     {settings.PARTWAY_URL}/\n")
        for role, (email, _) in demo.DEMO_USERS.items():
            self.stdout.write(f"  sign in as {role:<9}  {email}  password {demo.PASSWORD}")
        self.stdout.write(f"\n  a payment link    {links.request_url(request)}")
        self.stdout.write("  a card that works 4242 4242 4242 4242, any expiry and code")
        self.stdout.write(f"  every mail sent   {settings.PARTWAY_URL}/o/{organization.slug}/inbox/\n")
