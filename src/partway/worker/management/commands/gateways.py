"""`partway gateways`: lists the gateways, and tries one in a real account of its test mode."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from partway.gateways.protocol import GatewayError
from partway.gateways.registry import GATEWAYS


class Command(BaseCommand):
    """Lists gateways, or checks one."""

    help = "List the gateways, or try one in a real account of its test mode."

    def add_arguments(self, parser: CommandParser) -> None:
        """list, or check CODE."""
        operations = parser.add_subparsers(dest="operation", required=True)
        operations.add_parser("list", help="list the gateways")
        check = operations.add_parser("check", help="run a payment in a real account of the test mode")
        check.add_argument("gateway", choices=sorted(code for code, one in GATEWAYS.items() if one.trial))

    def handle(self, *args: Any, operation: str, **options: Any) -> None:
        """Runs `list` or `check`; without a key in the environment a check is skipped."""
        if operation == "list":
            for code, gateway in GATEWAYS.items():
                self.stdout.write(f"{code}  {settings.PARTWAY_GATEWAY_URLS[code]}  {gateway.name}")
            return
        code = options["gateway"]
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
