"""Logs contain no token of a link."""

from __future__ import annotations

import logging

import pytest
import structlog
from django.http import HttpRequest, HttpResponse

from partway.config.logs import RequestLogMiddleware, mask, mask_tokens
from partway.lib.ids import new_id
from partway.lib.links import make_token


@pytest.fixture
def token() -> str:
    """A token of a payment link."""
    return make_token(new_id("preq"), "a key")


def test_log_mask_keeps_token_id_and_removes_secret(token: str) -> None:
    bare, _, secret = token.partition("-")
    masked = mask(f"GET /p/{token}/pay/ failed")
    assert masked == f"GET /p/{bare}-…/pay/ failed"
    assert secret not in masked


def test_log_mask_covers_every_field(token: str) -> None:
    entry = mask_tokens(None, "info", {"event": f"/p/{token}/", "exception": f"x {token} y", "ms": 3})
    assert token not in str(entry)
    assert entry["ms"] == 3


def test_log_mask_keeps_ordinary_text(token: str) -> None:
    assert mask("2026-11-22 a-b INV-0001") == "2026-11-22 a-b INV-0001"


def test_request_log_contains_no_token(token: str) -> None:
    request = HttpRequest()
    request.method, request.path = "GET", f"/p/{token}/"
    with structlog.testing.capture_logs() as lines:
        RequestLogMiddleware(lambda _: HttpResponse(status=410))(request)
    [line] = lines
    assert (line["method"], line["status"]) == ("GET", 410)
    assert token not in str(line)


def test_third_party_log_line_is_masked(token: str) -> None:
    [handler] = [one for one in logging.getLogger().handlers if type(one) is logging.StreamHandler]
    record = logging.makeLogRecord({"name": "django", "msg": "lost /p/%s/", "args": (token,)})
    assert token not in handler.format(record)


def test_log_mask_covers_welcome_link() -> None:
    assert mask("/welcome/dXNyXzAx/czx1k2-0123456789abcdef/") == "/welcome/dXNyXzAx/…/"


def test_log_mask_covers_password_reset_link() -> None:
    assert mask("/signin/reset/usr_06f3k0/czx1k2-0123456789abcdef/") == "/signin/reset/usr_06f3k0/…/"
