"""Tells Django of the mail room and the shared look."""

from django.apps import AppConfig


class DeliveryConfig(AppConfig):
    """Mails, and the static files and template tags that the doors share."""

    name = "partway.delivery"
    label = "delivery"
