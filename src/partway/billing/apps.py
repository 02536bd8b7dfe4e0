"""Tells Django of the billing room."""

from django.apps import AppConfig


class BillingConfig(AppConfig):
    """Everything about documents and money."""

    name = "partway.billing"
    label = "billing"
