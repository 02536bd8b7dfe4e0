"""`partway gateways`: lists the gateways, tries one in its test mode, and sets up the operator's platform."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.urls import reverse

from partway.gateways.protocol import GatewayError
from partway.gateways.registry import GATEWAYS
from partway.worker.management.partway_command import PartwayCommand


class Command(PartwayCommand):
    """Lists gateways, checks one, or makes the endpoint of a platform."""

    help = "List the gateways, try one in a real account of its test mode, or set up your platform."

    def add_arguments(self, parser: CommandParser) -> None:
        """list, check CODE, or platform CODE."""
        operations = parser.add_subparsers(dest="operation", required=True)
        operations.add_parser("list", help="list the gateways")
        check = operations.add_parser("check", help="run a payment in a real account of the test mode")
        check.add_argument("gateway", choices=sorted(code for code, one in GATEWAYS.items() if one.trial))

        platform = operations.add_parser("platform", help="make the endpoint of your platform's callbacks")
        platform.add_argument(
            "gateway", choices=sorted(code for code, one in GATEWAYS.items() if one.platform)
        )

    def handle(self, *args: Any, operation: str, **options: Any) -> None:
        """Runs `list`, `check` or `platform`; without a key in the environment a check is skipped."""
        if operation == "list":
            for code, gateway in GATEWAYS.items():
                self.stdout.write(f"{code}  {settings.PARTWAY_GATEWAY_URLS[code]}  {gateway.name}")
            return
        code = options["gateway"]
        if operation == "platform":
            self._set_up_platform(code)
            return
        key, definition = settings.PARTWAY_GATEWAY_TEST_KEYS.get(code, ""), GATEWAYS[code]
        if not key:
            self.stdout.write(f"skipped: no key (PARTWAY_{code.upper()}_TEST_KEY)")
            return
        if definition.trial is None or definition.account_moves_money({definition.fields[0].name: key}):
            raise CommandError("This is no key of a test mode; nothing was done.")
        try:
            for step in definition.trial(settings.PARTWAY_GATEWAY_URLS[code], key):
                self.stdout.write(f"ok  {step}")
        except GatewayError as error:
            raise CommandError(f"{definition.name}: {error}") from error

    def _set_up_platform(self, code: str) -> None:
        definition, platform = GATEWAYS[code].platform, settings.PARTWAY_GATEWAY_PLATFORMS.get(code)
        if definition is None or platform is None:
            raise CommandError(f"Set PARTWAY_{code.upper()}_PLATFORM_KEY first.")
        url = f"{settings.PARTWAY_URL}{reverse('pay:platform_callback', args=[code])}"
        try:
            secret = definition.create_endpoint(settings.PARTWAY_GATEWAY_URLS[code], platform, url)
        except GatewayError as error:
            raise CommandError(f"{GATEWAYS[code].name}: {error}") from error
        # Only here: the gateway does not tell it again, and the settings are the operator's.
        secrets = ",".join([secret, *platform.secrets])
        self.stdout.write(f"Events of all connected accounts are sent to {url}")
        self.stdout.write(f"PARTWAY_{code.upper()}_PLATFORM_SECRETS={secrets}")
