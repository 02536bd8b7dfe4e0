"""`partway organizations` and `partway serve`."""

from __future__ import annotations

import os
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from partway.accounts.models import Organization
from tests.support import personas

pytestmark = pytest.mark.django_db


def command(*message: str) -> str:
    """Returns the output of a command."""
    out = StringIO()
    call_command(*message, stdout=out)
    return out.getvalue()


def create(*more: str) -> str:
    return command(
        "organizations", "create", "--name", "Cedar & Sons", "--owner", "Carol@Cedar.example", *more
    )


def test_organizations_create_prints_welcome_link_of_owner() -> None:
    printed = create("--currency", "jpy", "--time-zone", "Asia/Tokyo")
    made = Organization.objects.get()
    assert (made.slug, made.currency, made.time_zone) == ("cedar-sons", "JPY", "Asia/Tokyo")
    [link] = [word for word in printed.split() if "/welcome/" in word]
    assert Client().get(link, follow=True).status_code == 200


def test_organizations_create_keeps_password_of_existing_owner() -> None:
    personas.alder()
    printed = command("organizations", "create", "--name", "Cedar", "--owner", "alice@alder.example")
    assert "signs in with the password they have" in printed


def test_organizations_create_names_invalid_field() -> None:
    with pytest.raises(CommandError) as refusal:
        create("--currency", "XYZ")
    assert "currency: “XYZ” is not a currency" in str(refusal.value)
    assert not Organization.objects.exists()


def test_organizations_list_prints_slug_and_name() -> None:
    personas.alder()
    assert command("organizations", "list") == "alder  Alder Joinery\n"


def test_serve_refuses_several_processes_on_sqlite() -> None:
    from django.db import connection

    if connection.vendor == "sqlite":
        with pytest.raises(CommandError):
            command("serve", "--processes", "2")


@pytest.mark.parametrize("name", ["verify", "serve"])
def test_command_on_an_empty_home_says_to_migrate(name: str, tmp_path: Path) -> None:
    inherited = {key: value for key, value in os.environ.items() if key != "DATABASE_URL"}
    environment = {**inherited, "PARTWAY_HOME": str(tmp_path)}
    ran = subprocess.run(
        [sys.executable, "-m", "partway", name], env=environment, capture_output=True, text=True
    )
    assert (ran.returncode, "Run partway migrate first." in ran.stderr) == (1, True)
    assert "Traceback" not in ran.stderr
