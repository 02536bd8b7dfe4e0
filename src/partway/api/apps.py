"""The Django app of the API: its templates and static files."""

from django.apps import AppConfig


class ApiConfig(AppConfig):
    """Programs call it; it has no models."""

    name = "partway.api"
    label = "api"
