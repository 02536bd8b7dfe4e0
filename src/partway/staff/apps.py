"""Tells Django of the staff door."""

from django.apps import AppConfig


class StaffConfig(AppConfig):
    """Pages for members; no tables."""

    name = "partway.staff"
    label = "staff"
