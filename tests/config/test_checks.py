"""System checks refuse unsafe settings."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings as settings_of_run
from django.core.checks import run_checks
from django.http import HttpResponse
from django.test import RequestFactory
from pytest_django.fixtures import Settings

from partway.config import checks
from partway.config.checks import check_live_url, check_open_url, check_secret_key
from partway.config.proxies import ProxyHeadersMiddleware
from partway.gateways.registry import GATEWAYS
from partway.pay.client_ip import payer_ip

DEFAULT_URLS = {code: gateway.default_url for code, gateway in GATEWAYS.items()}


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


STRONG = "kT9-vQ2mX7rB4nL8sD1wY6pH3gJ5zC0f"


@pytest.fixture
def live(settings: Settings) -> Settings:
    """A live installation whose settings are all safe."""
    settings.PARTWAY_LIVE = True
    settings.PARTWAY_URL = "https://pay.alder.example"
    settings.PARTWAY_TRUSTED_PROXIES, settings.PARTWAY_PROXY_NETWORKS = 1, []
    settings.PARTWAY_FAST_PASSWORD_HASH = False
    settings.PARTWAY_SECRET_KEY, settings.SECRET_KEY_FALLBACKS = STRONG, []
    settings.ALLOWED_HOSTS = ["pay.alder.example"]
    settings.EMAIL_BACKEND = "partway.delivery.mail.backends.SmtpBackend"
    settings.EMAIL_HOST, settings.EMAIL_HOST_PASSWORD = "mail.example", "a password"
    settings.EMAIL_USE_TLS, settings.EMAIL_USE_SSL = True, False
    settings.PARTWAY_MAIL_TO_FILES = False
    settings.PARTWAY_GATEWAY_URLS = DEFAULT_URLS
    settings.PARTWAY_METRICS_TOKEN, settings.PARTWAY_METRICS_NETWORKS = "", []
    return settings


def found() -> list[str]:
    return [error.id or "" for error in run_checks(tags=["partway"])]


def test_safe_live_settings_pass_system_checks(live: Settings) -> None:
    assert found() == []


@pytest.mark.parametrize(
    ("unsafe", "id_"),
    [
        ({"PARTWAY_FAST_PASSWORD_HASH": True}, "partway.E005"),
        ({"DEBUG": True}, "partway.E005"),
        ({"ALLOWED_HOSTS": ["*"]}, "partway.E006"),
        ({"ALLOWED_HOSTS": ["pay.alder.example", ".example"]}, "partway.E006"),
        ({"PARTWAY_SECRET_KEY": "a" * 32}, "partway.E001"),
        ({"PARTWAY_SECRET_KEY": "0123456789" * 5}, "partway.E001"),
        ({"PARTWAY_SECRET_KEY": "abcdefghijklmnopqrstuvwxyz012345"}, "partway.E001"),
        ({"PARTWAY_SECRET_KEY": f"change-me-{STRONG}"}, "partway.E001"),
        ({"SECRET_KEY_FALLBACKS": ["b" * 32]}, "partway.E001"),
        ({"EMAIL_USE_TLS": False}, "partway.E007"),
        ({"PARTWAY_MAIL_TO_FILES": True}, "partway.E007"),
        ({"EMAIL_BACKEND": "anymail.backends.test.EmailBackend"}, "partway.E007"),
        ({"EMAIL_BACKEND": "anymail.backends.console.EmailBackend"}, "partway.E007"),
        ({"PARTWAY_GATEWAY_URLS": {**DEFAULT_URLS, "sandbox": "https://sandbox.example"}}, "partway.E008"),
        ({"PARTWAY_GATEWAY_URLS": {**DEFAULT_URLS, "stripe": "http://stripe.example"}}, "partway.E008"),
        ({"PARTWAY_METRICS_TOKEN": "short"}, "partway.E009"),
        ({"PARTWAY_METRICS_NETWORKS": ["0.0.0.0/0"]}, "partway.E009"),
        ({"PARTWAY_METRICS_NETWORKS": ["::/0"]}, "partway.E009"),
        ({"PARTWAY_METRICS_NETWORKS": ["everywhere"]}, "partway.E009"),
        ({"PARTWAY_PROXY_NETWORKS": ["0.0.0.0/0"]}, "partway.E013"),
        ({"PARTWAY_PROXY_NETWORKS": ["the proxy"]}, "partway.E013"),
        ({"PARTWAY_WEBHOOK_ALLOW_NETWORKS": ["::/0"]}, "partway.E015"),
        ({"PARTWAY_WEBHOOK_ALLOW_NETWORKS": ["10.0.0.0/33"]}, "partway.E015"),
        ({"PARTWAY_SIGNIN_FAILURES": 0}, "partway.E010"),
        ({"PARTWAY_SIGNIN_FAILURES": 1_000_000}, "partway.E010"),
        ({"PARTWAY_CHECKOUTS_PER_IP": 1_000_000}, "partway.E010"),
        ({"PARTWAY_MAILS_PER_MEMBER": -1}, "partway.E010"),
        ({"PARTWAY_TRUSTED_PROXIES": 99}, "partway.E004"),
        ({"PARTWAY_TRUSTED_PROXIES": 0}, "partway.E004"),
        ({"PARTWAY_TRUSTED_PROXIES": -1}, "partway.E004"),
        ({"PARTWAY_URL": "http://127.0.0.1:8000"}, "partway.E002"),
    ],
)
def test_unsafe_live_settings_fail_system_check(live: Settings, unsafe: dict[str, Any], id_: str) -> None:
    for name, value in unsafe.items():
        setattr(live, name, value)
    assert found() == [id_]


@pytest.mark.parametrize(
    ("harmless"),
    [
        {"EMAIL_USE_TLS": False, "EMAIL_HOST": "localhost"},
        {"EMAIL_USE_TLS": False, "EMAIL_HOST_PASSWORD": ""},
        {"EMAIL_USE_TLS": False, "EMAIL_USE_SSL": True},
        {"ALLOWED_HOSTS": [".alder.example"]},
        {"PARTWAY_METRICS_NETWORKS": ["10.0.0.0/8", "2001:db8::/32"]},
        {"PARTWAY_SECRET_KEY": "9f86d081884c7d659a2feaa0c55ad015"},
    ],
)
def test_harmless_live_settings_pass_system_checks(live: Settings, harmless: dict[str, Any]) -> None:
    for name, value in harmless.items():
        setattr(live, name, value)
    assert found() == []


@pytest.mark.parametrize("url", ["https://pay.alder.example", "http://127.0.0.1:8000"])
def test_test_mode_passes_on_loopback_only(live: Settings, url: str) -> None:
    live.PARTWAY_LIVE, live.PARTWAY_FAST_PASSWORD_HASH, live.PARTWAY_URL = False, True, url
    assert ("partway.E005" in found()) == url.startswith("https")


def use_sqlite(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    database = settings_of_run.DATABASES["default"]
    monkeypatch.setitem(database, "ENGINE", "django.db.backends.sqlite3")
    monkeypatch.setitem(database, "NAME", name)


@pytest.mark.parametrize(
    ("mounts", "ids"),
    [
        ([("/", "ext4"), ("/srv", "nfs4")], ["partway.E011"]),
        ([("/", "ext4"), ("/srv/data", "cifs")], ["partway.E011"]),
        ([("/", "nfs4"), ("/srv", "xfs")], []),
        ([], []),
    ],
)
def test_sqlite_on_network_file_system_fails_system_check(
    live: Settings, monkeypatch: pytest.MonkeyPatch, mounts: list[tuple[str, str]], ids: list[str]
) -> None:
    """No test can mount a file system; only the list of the kernel is replaced."""
    use_sqlite(monkeypatch, "/srv/data/partway.sqlite3")
    monkeypatch.setattr(checks, "_mounts", lambda: iter(mounts))
    assert found() == ids


@pytest.mark.parametrize(
    ("host", "options", "ids"),
    [
        ("db.example", {"sslmode": "disable"}, ["partway.E012"]),
        ("db.example", {"sslmode": "prefer"}, ["partway.E012"]),
        ("db.example", {}, ["partway.E012"]),
        ("10.0.0.7", {}, ["partway.E012"]),
        ("db.example", {"sslmode": "require"}, []),
        ("db.example", {"sslmode": "verify-full"}, []),
        ("127.0.0.1", {}, []),
        ("/run/postgresql", {}, []),
        ("", {}, []),
    ],
)
def test_database_of_another_machine_without_tls_fails_system_check(
    live: Settings, monkeypatch: pytest.MonkeyPatch, host: str, options: dict[str, str], ids: list[str]
) -> None:
    database = settings_of_run.DATABASES["default"]
    monkeypatch.delenv("PGSSLMODE", raising=False)
    for key, value in {"ENGINE": "django.db.backends.postgresql", "HOST": host, "OPTIONS": options}.items():
        monkeypatch.setitem(database, key, value)
    assert found() == ids


@pytest.mark.parametrize(("peer", "believed"), [("10.0.0.1", True), ("203.0.113.9", False), ("", False)])
def test_headers_of_a_proxy_are_believed_from_its_networks_only(
    settings: Settings, peer: str, believed: bool
) -> None:
    settings.PARTWAY_TRUSTED_PROXIES, settings.PARTWAY_PROXY_NETWORKS = 1, ["10.0.0.0/8"]
    request = RequestFactory().get(
        "/", REMOTE_ADDR=peer, HTTP_X_FORWARDED_FOR="192.0.2.1", HTTP_X_FORWARDED_PROTO="https"
    )
    ProxyHeadersMiddleware(lambda request: HttpResponse())(request)
    assert ("HTTP_X_FORWARDED_PROTO" in request.META) == believed
    assert payer_ip(request) == ("192.0.2.1" if believed else peer or None)


def test_sqlite_in_memory_fails_system_check(live: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    use_sqlite(monkeypatch, ":memory:")
    assert found() == ["partway.E011"]


@pytest.mark.parametrize(
    ("name", "value", "ids"),
    [
        ("PARTWAY_MAIL_FROM", "pay@example.com", []),
        ("PARTWAY_MAIL_FROM", '"Zahlung, schnell" <pay@müller.example>', []),
        ("PARTWAY_MAIL_FROM", "zahlung@müller_söhne.example", ["partway.E014"]),
        ("PARTWAY_MAIL_FROM", "bürö@example.com", ["partway.E014"]),
        ("PARTWAY_MAIL_FROM", "Partway", ["partway.E014"]),
        ("EMAIL_HOST_USER", "bürö", ["partway.E014"]),
        ("EMAIL_HOST_PASSWORD", "pässword", ["partway.E014"]),
    ],
)
def test_mail_setting_that_no_mail_can_be_sent_with_fails_system_check(
    settings: Settings, name: str, value: str, ids: list[str]
) -> None:
    setattr(settings, name, value)
    assert found() == ids
