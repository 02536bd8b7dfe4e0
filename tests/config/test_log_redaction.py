"""Logs contain no token of a link."""

from __future__ import annotations

import logging

import pytest
import structlog
from django.http import HttpRequest, HttpResponse

from partway.config.logs import RequestLogMiddleware
from partway.lib.ids import new_id
from partway.lib.links import make_token, mask_links


@pytest.fixture
def token() -> str:
    """A token of a payment link."""
    return make_token(new_id("preq"), "a key")


def test_log_mask_keeps_token_id_and_removes_secret(token: str) -> None:
    bare, _, secret = token.partition("-")
    masked = mask_links(f"GET /p/{token}/pay/ failed")
    assert masked == f"GET /p/{bare}-…/pay/ failed"
    assert secret not in masked


def test_log_mask_covers_token_in_escaped_text(token: str) -> None:
    secret = token.partition("-")[2]
    for text in (f"/signin/?next=%2Fp%2F{token}%2F", f"first line\\n{token}"):
        assert secret not in mask_links(text)


def test_log_mask_keeps_ordinary_text(token: str) -> None:
    assert mask_links("2026-11-22 a-b INV-0001") == "2026-11-22 a-b INV-0001"


def test_request_log_contains_no_token(token: str) -> None:
    request = HttpRequest()
    request.method, request.path = "GET", f"/p/{token}/"
    with structlog.testing.capture_logs() as lines:
        RequestLogMiddleware(lambda _: HttpResponse(status=410))(request)
    [line] = lines
    assert (line["method"], line["status"]) == ("GET", 410)
    assert token not in str(line)


@pytest.fixture
def handler() -> logging.Handler:
    """The handler of all logs."""
    [handler] = [one for one in logging.getLogger().handlers if type(one) is logging.StreamHandler]
    return handler


def test_third_party_log_line_is_masked(token: str, handler: logging.Handler) -> None:
    record = logging.makeLogRecord({"name": "django", "msg": "lost /p/%s/", "args": (token,)})
    assert token not in handler.format(record)


def test_log_field_that_is_no_text_is_masked(token: str, handler: logging.Handler) -> None:
    entry = {"event": "lost", "paths": [f"/p/{token}/"], "error": ValueError(token), "ms": 3, "_record": None}
    record = logging.makeLogRecord({"name": "partway", "msg": entry})
    record._logger, record._name = None, "info"  # as structlog hands an entry over
    line = handler.format(record)
    assert token not in line
    assert "lost" in line


def test_log_mask_covers_welcome_link() -> None:
    assert mask_links("/welcome/dXNyXzAx/czx1k2-0123456789abcdef/") == "/welcome/dXNyXzAx/…/"


def test_log_mask_covers_password_reset_link() -> None:
    assert mask_links("/signin/reset/usr_06f3k0/czx1k2-0123456789abcdef/") == "/signin/reset/usr_06f3k0/…/"
