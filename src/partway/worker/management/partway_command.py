"""The base of Partway's commands: the settings are checked first, and no page is loaded for that."""

from __future__ import annotations

from django.core.management.base import BaseCommand


class PartwayCommand(BaseCommand):
    """Runs the checks of config/checks.py; those of Django look at the code, so `migrate` and the tests run them.

    Django's check of the URLs imports every page, which doubles the start of a command.
    """

    requires_system_checks = ("partway",)
