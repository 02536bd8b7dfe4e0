"""`partway people`: helps somebody in who cannot help themselves, such as after losing the phone."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from partway.accounts.models import User
from partway.billing.events import OPERATOR
from partway.billing.people import members
from partway.lib import clock


class Command(BaseCommand):
    """Takes a second factor away; whoever asks for it must have proved to you who they are."""

    help = "Help somebody who cannot sign in."

    def add_arguments(self, parser: CommandParser) -> None:
        """disable_two_factor --email."""
        acts = parser.add_subparsers(dest="act", required=True)
        off = acts.add_parser("disable_two_factor", help="let somebody in by password alone, once more")
        off.add_argument("--email", required=True, help="the address they sign in with")

    def handle(self, *args: Any, act: str, email: str, **options: Any) -> None:
        """Do the act."""
        user = User.objects.filter(email=email.strip().lower()).first()
        if user is None:
            raise CommandError(f"Nobody signs in as {email}.")
        if members.reset_two_factor(user, by=OPERATOR, now=clock.now()):
            self.stdout.write(f"{user.email} signs in by password alone now. A mail tells them.")
        else:
            self.stdout.write(f"{user.email} has no second factor.")
