"""`partway users`: helps users who cannot sign in, such as after losing the phone with the second factor."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from partway.accounts import rate_limits
from partway.accounts.models import User, sign_in_address
from partway.billing.events import OPERATOR
from partway.billing.people import members
from partway.lib import clock
from partway.worker.management.partway_command import PartwayCommand


class Command(PartwayCommand):
    """Removes a second factor, or a limit; the operator makes sure beforehand that the user asks for it."""

    help = "Help a user who cannot sign in."

    def add_arguments(self, parser: CommandParser) -> None:
        """disable_two_factor --email, unlock --email."""
        operations = parser.add_subparsers(dest="operation", required=True)
        disable = operations.add_parser("disable_two_factor", help="let a user sign in by password alone")
        unlock = operations.add_parser("unlock", help="forget the wrong passwords and codes of an account")
        for operation in (disable, unlock):
            operation.add_argument("--email", required=True, help="the address they sign in with")

    def handle(self, *args: Any, operation: str, email: str, **options: Any) -> None:
        """Removes the second factor of this user, or the count of their failures."""
        user = User.objects.filter(email=sign_in_address(email)).first()
        if user is None:
            raise CommandError(f"No user signs in as {email}.")
        if operation == "unlock":
            for action in rate_limits.ACCOUNT_ACTIONS:
                rate_limits.clear(action, user.email)
            self.stdout.write(f"The attempts on {user.email} are forgotten; those of one network wait on.")
        elif members.reset_two_factor(user, by=OPERATOR, now=clock.now()):
            self.stdout.write(f"{user.email} signs in by password alone now. A mail tells them.")
        else:
            self.stdout.write(f"{user.email} has no second factor.")
