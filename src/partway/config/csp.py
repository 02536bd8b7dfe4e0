"""Sends the Content-Security-Policy, with the setting names that Django 6 uses."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

GetResponse = Callable[[HttpRequest], HttpResponse]


class ContentSecurityPolicyMiddleware:
    """Adds the policy to each answer; a page that leads to a gateway names it as `csp_form_action`."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, with the policy as a header."""
        response = self.get_response(request)
        # Browsers hold the redirect after a POST to form-action too, so the gateway must be named there.
        extra = {"form-action": getattr(response, "csp_form_action", [])}
        response.headers.setdefault("Content-Security-Policy", _policy(extra, getattr(response, "csp", {})))
        return response


def _policy(extra: dict[str, list[str]], replaced: dict[str, list[str]]) -> str:
    policy: dict[str, list[str]] = {**settings.SECURE_CSP, **replaced}
    return "; ".join(" ".join([name, *sources, *extra.get(name, [])]) for name, sources in policy.items())
