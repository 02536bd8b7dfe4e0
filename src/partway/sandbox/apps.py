"""Names the sandbox for Django."""

from __future__ import annotations

from django.apps import AppConfig


class SandboxConfig(AppConfig):
    """The sandbox: a test payment company."""

    name = "partway.sandbox"
    label = "sandbox"
    default_auto_field = "django.db.models.BigAutoField"
