"""Who tries too often to sign in waits: counted per account and network address, whether the account exists or not."""

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

_DEFAULT_ADDRESS = "127.0.0.1"  # behind a socket of the same machine


def ip_address(request: HttpRequest) -> str:
    """Where the browser is, as far as our own proxies say so."""
    forwarded_for = request.META.get("HTTP_X_FORWARDED_FOR", "")
    called_from = request.META.get("REMOTE_ADDR", "")
    return client_ip(forwarded_for, called_from, settings.PARTWAY_TRUSTED_PROXIES) or _DEFAULT_ADDRESS


def account_name(request: HttpRequest, credentials: Mapping[str, str] | None = None) -> str:
    """The address that was typed, in the one spelling under which tries are counted."""
    typed = (credentials or request.POST).get("email") or ""
    return typed.replace("\x00", "").strip().lower()[:254]


def is_locked(request: HttpRequest, user: User) -> bool:
    """Whether this account can not be tried from here at the moment."""
    return not AxesProxyHandler.is_allowed(request, {"email": user.email})


def record_failure(request: HttpRequest, user: User) -> None:
    """Count a wrong code like a wrong password."""
    user_login_failed.send(sender=__name__, credentials={"email": user.email}, request=request)


def clear_lockout(user: User) -> None:
    """Whoever reads the mail of an account may try again at once."""
    reset(username=user.email)


def lockout_response(
    request: HttpRequest, _answer: HttpResponse | None = None, _credentials: Mapping[str, str] | None = None
) -> HttpResponse:
    """What somebody sees who has to wait."""
    wait = settings.AXES_COOLOFF_TIME
    context = {"minutes": round(wait.total_seconds() / 60)}
    answer = render(request, "staff/signin/locked.html", context, status=429)
    answer.headers["Retry-After"] = str(round(wait.total_seconds()))
    return answer
