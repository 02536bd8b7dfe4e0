"""Settings follow environment variables; each test reads them in a fresh process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SCRIPT = """
import json
from django.conf import settings
names = ["SECRET_KEY", "SECRET_KEY_FALLBACKS", "EMAIL_BACKEND", "SESSION_COOKIE_SECURE", "ALLOWED_HOSTS",
    "SESSION_COOKIE_NAME", "CSRF_COOKIE_NAME"]
database = settings.DATABASES["default"]
print(json.dumps({name: getattr(settings, name) for name in names}
    | {"engine": database["ENGINE"], "name": str(database["NAME"]), "options": database["OPTIONS"]}))
"""


@pytest.fixture
def read_settings(tmp_path: Path) -> Any:
    """Returns the settings in an empty home with this environment."""

    def read(**environment: str) -> dict[str, Any]:
        kept = ("PATH", "PYTHONPATH", "VIRTUAL_ENV", "LANG")
        clean = {name: os.environ[name] for name in kept if name in os.environ}
        clean |= {"DJANGO_SETTINGS_MODULE": "partway.config.settings", "PARTWAY_HOME": str(tmp_path)}
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT],
            env=clean | environment,
            capture_output=True,
            text=True,
            check=True,
        )
        return dict(json.loads(done.stdout))

    return read


def test_default_settings_use_sqlite_file_under_home(read_settings: Any, tmp_path: Path) -> None:
    found = read_settings()
    assert (found["engine"], found["name"]) == (
        "partway.config.databases.sqlite3",
        str(tmp_path / "partway.sqlite3"),
    )
    assert found["options"]["transaction_mode"] == "IMMEDIATE"
    assert found["SECRET_KEY"] == (tmp_path / "secret.key").read_text().strip()


def test_database_url_selects_postgresql(read_settings: Any) -> None:
    found = read_settings(DATABASE_URL="postgres://partway@db.example/books")
    assert (found["engine"], found["name"]) == ("partway.config.databases.postgresql", "books")


def test_postgresql_has_lock_and_idle_timeouts(read_settings: Any) -> None:
    limits = read_settings(DATABASE_URL="postgres://partway@db.example/books")["options"]["options"]
    assert limits == "-c lock_timeout=20s -c idle_in_transaction_session_timeout=60s"


def test_https_url_makes_session_cookie_secure(read_settings: Any) -> None:
    assert not read_settings()["SESSION_COOKIE_SECURE"]
    found = read_settings(PARTWAY_URL="https://pay.alder.example/")
    assert found["SESSION_COOKIE_SECURE"]
    assert found["ALLOWED_HOSTS"][0] == "pay.alder.example"


def test_https_url_binds_cookies_to_the_host(read_settings: Any) -> None:
    assert read_settings()["SESSION_COOKIE_NAME"] == "sessionid"
    found = read_settings(PARTWAY_URL="https://pay.alder.example/")
    assert [found["SESSION_COOKIE_NAME"], found["CSRF_COOKIE_NAME"]] == [
        "__Host-sessionid",
        "__Host-csrftoken",
    ]


def test_secret_key_fallbacks_are_read_from_settings(read_settings: Any) -> None:
    found = read_settings(PARTWAY_SECRET_KEY="new" * 20, PARTWAY_SECRET_KEY_FALLBACKS="old,older")
    assert (found["SECRET_KEY"], found["SECRET_KEY_FALLBACKS"]) == ("new" * 20, ["old", "older"])


def test_mail_backend_follows_settings(read_settings: Any) -> None:
    assert read_settings()["EMAIL_BACKEND"] == "partway.delivery.mail.backends.FileBackend"
    assert (
        read_settings(EMAIL_URL="smtp://mail.example:25")["EMAIL_BACKEND"]
        == "partway.delivery.mail.backends.SmtpBackend"
    )
    assert read_settings(PARTWAY_MAIL_BACKEND="postmark.EmailBackend")["EMAIL_BACKEND"].startswith("anymail.")
