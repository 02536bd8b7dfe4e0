"""The Django app of the configuration, so that its system checks run."""

import gc

from django.apps import AppConfig


class ConfigConfig(AppConfig):
    """Settings, and the checks that refuse unsafe ones."""

    name = "partway.config"
    label = "config"

    def ready(self) -> None:
        """Imports the checks, which registers them, and lets garbage be collected again: this app is the last."""
        from . import bulkheads, checks  # noqa: F401 - only possible once apps are loaded

        gc.freeze()
        gc.enable()
