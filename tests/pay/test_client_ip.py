"""The payer's IP address with and without trusted proxies."""

from __future__ import annotations

import pytest
from django.test import RequestFactory
from pytest_django import Settings

from partway.pay.client_ip import payer_ip


@pytest.mark.parametrize(
    ("proxies", "forwarded", "client_ip"),
    [
        (0, "198.51.100.9", "203.0.113.7"),
        (1, "", "203.0.113.7"),
        (1, "198.51.100.9", "198.51.100.9"),
        (1, "6.6.6.6, 198.51.100.9", "198.51.100.9"),
        (2, "6.6.6.6, 198.51.100.9, 10.0.0.2", "198.51.100.9"),
        (3, "198.51.100.9", "198.51.100.9"),
        (1, "198.51.100.9:4711", "198.51.100.9"),
        (1, "[2001:db8::1]:443", "2001:db8::"),
        (1, "2001:DB8:0:0:7::1", "2001:db8::"),
        (1, "::ffff:198.51.100.9", "198.51.100.9"),
        (1, "unknown", "203.0.113.7"),
        (1, "6.6.6.6, <script>", "203.0.113.7"),
        (1, " , ,", "203.0.113.7"),
    ],
)
def test_payer_ip_address_comes_only_from_trusted_proxies(
    settings: Settings, proxies: int, forwarded: str, client_ip: str
) -> None:
    settings.PARTWAY_TRUSTED_PROXIES = proxies
    http = RequestFactory().get("/", REMOTE_ADDR="203.0.113.7", HTTP_X_FORWARDED_FOR=forwarded)
    assert payer_ip(http) == client_ip


def test_payer_ip_address_is_unknown_behind_unix_socket(settings: Settings) -> None:
    settings.PARTWAY_TRUSTED_PROXIES = 0
    assert payer_ip(RequestFactory().get("/", REMOTE_ADDR="")) is None
