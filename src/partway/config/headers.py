"""The headers that protect every response: pages, files, errors of every kind, and refusals of other middleware.

The outermost middleware but the log. Django's SecurityMiddleware adds its headers only to what passes through it: not
to the refusal of an unknown host, which it raises itself, nor to anything that is refused before it is reached.
"""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

GetResponse = Callable[[HttpRequest], HttpResponse]

_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
}


class SecurityHeadersMiddleware:
    """Adds each header to each response that has none of its own.

    A view adds origins to the Content-Security-Policy as `csp_form_action`, or replaces directives as `csp`.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Adds the headers."""
        response = self.get_response(request)
        for name, value in _ALWAYS.items():
            response.headers.setdefault(name, value)
        response.headers.setdefault("Referrer-Policy", settings.SECURE_REFERRER_POLICY)
        if settings.SECURE_HSTS_SECONDS and request.is_secure():
            response.headers.setdefault(
                "Strict-Transport-Security", f"max-age={settings.SECURE_HSTS_SECONDS}"
            )
        policy: dict[str, list[str]] = {**settings.SECURE_CSP, **getattr(response, "csp", {})}
        # Browsers apply form-action to the redirect after a POST too, so it must name the gateway.
        policy["form-action"] = [*policy["form-action"], *getattr(response, "csp_form_action", [])]
        header = "; ".join(" ".join([name, *sources]) for name, sources in policy.items())
        response.headers.setdefault("Content-Security-Policy", header)
        return response


class NoStoreMiddleware:
    """Lets no browser and no proxy keep what was made for a person who is signed in, or is signing in.

    A request with a session's cookie gets such a page; a view that may be kept says so itself.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Adds Cache-Control: no-store where a session's cookie came, or is set now."""
        response = self.get_response(request)
        cookie = settings.SESSION_COOKIE_NAME
        if cookie in request.COOKIES or cookie in response.cookies:
            response.headers.setdefault("Cache-Control", "no-store")
        return response
