"""`partway keys`: creates, lists and revokes the keys by which programs act for an organization."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.core.management.base import CommandError, CommandParser

from partway.accounts.models import ApiKey, KeyScope, Organization
from partway.billing.errors import BillingError, Invalid
from partway.billing.events import OPERATOR
from partway.billing.people import api_keys
from partway.billing.people.api_keys import NewKey
from partway.delivery.messages import error_message, field_messages
from partway.lib import clock
from partway.worker.management.partway_command import PartwayCommand


class Command(PartwayCommand):
    """Creates, lists and revokes keys of the API."""

    help = "Create, list or revoke keys of the API."

    def add_arguments(self, parser: CommandParser) -> None:
        """create --organization --scope [...], list --organization, or revoke ID."""
        operations = parser.add_subparsers(dest="operation", required=True)
        create = operations.add_parser("create", help="create a key, and print it: it is not shown again")
        create.add_argument("--organization", required=True, help="its slug")
        create.add_argument("--scope", required=True, choices=KeyScope.values)
        create.add_argument("--name", default="Command line", help="of the program that gets it")
        create.add_argument("--until", type=date.fromisoformat, help="the last day, as 2027-01-31")
        create.add_argument("--from", dest="networks", help="networks, as 203.0.113.0/24,2001:db8::/64")
        listed = operations.add_parser("list", help="list the keys of an organization")
        listed.add_argument("--organization", required=True, help="its slug")
        revoke = operations.add_parser("revoke", help="end a key")
        revoke.add_argument("key", help="its id, as in the list")

    def handle(self, *args: Any, operation: str, **options: Any) -> None:
        """Runs `create`, `list` or `revoke`."""
        try:
            if operation == "create":
                self._create(**options)
            elif operation == "list":
                self._list(**options)
            else:
                self._revoke(**options)
        except Invalid as error:
            messages = [f"{field}: {message}" for field, message in field_messages(error).items()]
            raise CommandError("; ".join(messages)) from error
        except BillingError as error:
            raise CommandError(error_message(error)) from error

    def _create(
        self, *, organization: str, scope: str, name: str, until: date | None, networks: str | None, **_: Any
    ) -> None:
        owner, now = _organization(organization), clock.now()
        _first, last = clock.plausible_days(clock.today(now, owner.time_zone))
        if until and until > last:
            raise CommandError(f"--until is a day until {last}.")
        # An empty variable of a script would make a key that works from everywhere.
        if networks is not None and not networks.strip(" ,"):
            raise CommandError("--from names no network.")
        new_key = NewKey(
            name=name,
            scope=scope,
            expires_at=clock.end_of_day(until, owner.time_zone) if until else None,
            networks=tuple(network.strip() for network in (networks or "").split(",") if network.strip()),
        )
        _key, secret = api_keys.create(owner, new_key=new_key, by=OPERATOR, now=now)
        # Alone, so that a script can take it as it is.
        self.stdout.write(secret)

    def _list(self, *, organization: str, **_: Any) -> None:
        for key in _organization(organization).api_keys.order_by("created_at", "pk"):
            state = "usable" if key.is_usable(clock.now()) else "revoked" if key.revoked_at else "expired"
            used = key.last_used_at.isoformat(timespec="minutes") if key.last_used_at else "never"
            self.stdout.write(
                f"{key.pk}  {key.scope:7}  {state:7}  last used {used}  …{key.last_letters}  {key.name}"
            )

    def _revoke(self, *, key: str, **_: Any) -> None:
        found = ApiKey.objects.select_related("organization").filter(pk=key).first()
        if found is None:
            raise CommandError(f"There is no key {key}; `partway keys list` lists them.")
        api_keys.revoke(found, by=OPERATOR, now=clock.now())
        self.stdout.write(f"The key {found.name} of {found.organization.name} is revoked.")


def _organization(slug: str) -> Organization:
    organization = Organization.objects.filter(slug=slug).first()
    if organization is None:
        raise CommandError(f"There is no organization {slug}; `partway organizations list` lists them.")
    return organization
