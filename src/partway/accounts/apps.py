"""The Django app of the accounts."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Organizations, users, members, gateway accounts."""

    name = "partway.accounts"
    label = "accounts"
