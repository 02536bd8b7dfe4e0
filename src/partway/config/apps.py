"""Tells Django of the wiring, so that its checks run."""

from django.apps import AppConfig


class ConfigConfig(AppConfig):
    """Registers the checks that refuse unsafe settings."""

    name = "partway.config"
    label = "config"

    def ready(self) -> None:
        """Importing the module registers its checks."""
        from . import checks  # noqa: F401 - Django asks for it here, when apps are loaded
