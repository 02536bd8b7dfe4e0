"""The Content-Security-Policy header, with the setting names of Django 6."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.deprecation import MiddlewareMixin


class ContentSecurityPolicyMiddleware(MiddlewareMixin):
    """Adds the policy to each response; a view adds origins as `csp_form_action` or replaces directives as `csp`."""

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        """Adds the header to the response, unless the view has set one."""
        policy: dict[str, list[str]] = {**settings.SECURE_CSP, **getattr(response, "csp", {})}
        # Browsers apply form-action to the redirect after a POST too, so it must name the gateway.
        policy["form-action"] = [*policy["form-action"], *getattr(response, "csp_form_action", [])]
        header = "; ".join(" ".join([name, *sources]) for name, sources in policy.items())
        response.headers.setdefault("Content-Security-Policy", header)
        return response
