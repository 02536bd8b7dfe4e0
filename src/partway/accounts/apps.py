"""Tells Django of the accounts room."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Organizations, users, members, gateway accounts."""

    name = "partway.accounts"
    label = "accounts"
