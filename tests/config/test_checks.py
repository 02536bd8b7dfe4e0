"""System checks refuse unsafe settings."""

from __future__ import annotations

import pytest
from pytest_django.fixtures import Settings

from partway.config.checks import check_live_url, check_open_url, check_secret_key


@pytest.mark.parametrize(
    ("key", "found"), [("x" * 31, ["partway.E001"]), ("x" * 32, []), ("", ["partway.E001"])]
)
def test_short_secret_key_fails_system_check(settings: Settings, key: str, found: list[str]) -> None:
    settings.PARTWAY_SECRET_KEY = key
    assert [error.id for error in check_secret_key()] == found


@pytest.mark.parametrize(
    ("live", "url", "found"),
    [
        (True, "http://127.0.0.1:8000", ["partway.E002"]),
        (True, "https://pay.alder.example", []),
        (False, "http://127.0.0.1:8000", []),
    ],
)
def test_live_installation_without_https_fails_system_check(
    settings: Settings, live: bool, url: str, found: list[str]
) -> None:
    settings.PARTWAY_LIVE, settings.PARTWAY_URL = live, url
    assert [error.id for error in check_live_url()] == found


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("http://pay.alder.example", ["partway.E003"]),
        ("http://192.0.2.1:8000", ["partway.E003"]),
        ("http://127.0.0.1.alder.example", ["partway.E003"]),
        ("http://localhost:8000", []),
        ("http://[::1]:8000", []),
        ("https://pay.alder.example", []),
        ("https://", ["partway.E003"]),
        ("localhost:8000", ["partway.E003"]),
        ("ftp://localhost", ["partway.E003"]),
        ("http://localhost:8000/app", ["partway.E003"]),
        ("https://bob@pay.alder.example", ["partway.E003"]),
        ("https://pay.alder.example?x", ["partway.E003"]),
    ],
)
def test_plain_http_url_beyond_localhost_fails_system_check(
    settings: Settings, url: str, found: list[str]
) -> None:
    settings.PARTWAY_URL = url
    assert [error.id for error in check_open_url()] == found


def test_short_fallback_secret_key_fails_system_check(settings: Settings) -> None:
    settings.SECRET_KEY_FALLBACKS = ["x" * 40, "old"]
    [error] = check_secret_key()
    assert "PARTWAY_SECRET_KEY_FALLBACKS" in error.msg
