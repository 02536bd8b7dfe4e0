"""The lockout after failed sign-ins, counted per account and network address, whether the account exists or not."""

from __future__ import annotations

from collections.abc import Mapping

from axes.handlers.proxy import AxesProxyHandler
from axes.utils import reset
from django.conf import settings
from django.contrib.auth.signals import user_login_failed
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from partway.accounts.models import User
from partway.lib.ip_addresses import client_ip

_DEFAULT_ADDRESS = "127.0.0.1"  # of a Unix socket


def ip_address(request: HttpRequest) -> str:
    """Returns the browser's address; of forwarded ones only those from trusted proxies count."""
    forwarded_for = request.META.get("HTTP_X_FORWARDED_FOR", "")
    called_from = request.META.get("REMOTE_ADDR", "")
    return client_ip(forwarded_for, called_from, settings.PARTWAY_TRUSTED_PROXIES) or _DEFAULT_ADDRESS


def account_name(request: HttpRequest, credentials: Mapping[str, str] | None = None) -> str:
    """Returns the mail address that was typed, in the spelling that failures are counted by."""
    typed = (credentials or request.POST).get("email") or ""
    return typed.replace("\x00", "").strip().lower()[:254]


def is_locked(request: HttpRequest, user: User) -> bool:
    """Whether the account is locked for this address now."""
    return not AxesProxyHandler.is_allowed(request, {"email": user.email})


def record_failure(request: HttpRequest, user: User) -> None:
    """Counts a wrong code like a wrong password."""
    user_login_failed.send(sender=__name__, credentials={"email": user.email}, request=request)


def clear_lockout(user: User) -> None:
    """Unlocks the account at once, for a person who has proved to read its mail."""
    reset(username=user.email)


def lockout_response(
    request: HttpRequest, _response: HttpResponse | None = None, _credentials: Mapping[str, str] | None = None
) -> HttpResponse:
    """Returns the page of a locked account, as 429 with Retry-After."""
    wait = settings.AXES_COOLOFF_TIME
    context = {"minutes": round(wait.total_seconds() / 60)}
    response = render(request, "staff/signin/locked.html", context, status=429)
    response.headers["Retry-After"] = str(round(wait.total_seconds()))
    return response
