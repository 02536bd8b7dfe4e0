"""The Content-Security-Policy header, with the setting names of Django 6."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

GetResponse = Callable[[HttpRequest], HttpResponse]


class ContentSecurityPolicyMiddleware:
    """Adds the policy to each response; a view adds origins as `csp_form_action` or replaces directives as `csp`."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Adds the header to the response, unless the view has set one."""
        response = self.get_response(request)
        policy: dict[str, list[str]] = {**settings.SECURE_CSP, **getattr(response, "csp", {})}
        # Browsers apply form-action to the redirect after a POST too, so it must name the gateway.
        policy["form-action"] = [*policy["form-action"], *getattr(response, "csp_form_action", [])]
        header = "; ".join(" ".join([name, *sources]) for name, sources in policy.items())
        response.headers.setdefault("Content-Security-Policy", header)
        return response
