"""Tells Django of the pay door."""

from django.apps import AppConfig


class PayConfig(AppConfig):
    """The pages customers open by link, and the address gateways call back."""

    name = "partway.pay"
    label = "pay"
