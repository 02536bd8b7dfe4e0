"""The test's own database, for tests that start other processes on it."""

from __future__ import annotations

import os

from django.db import connection


def database_url() -> str:
    """The DATABASE_URL by which another process reaches this test's database."""
    name, host = connection.settings_dict["NAME"], connection.settings_dict["HOST"]
    if connection.vendor == "sqlite":
        return f"sqlite:///{name}"
    return f"{os.environ['DATABASE_URL'].rpartition('/')[0]}/{name}" if host else ""
