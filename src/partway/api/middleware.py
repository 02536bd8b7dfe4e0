"""Keeps pages, cookies and sessions out of the API: each of its errors is a problem, whatever refused the request."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from partway.lib.buffered_wsgi import REFUSAL_CODES

from .problems import MEDIA_TYPE, problem

PREFIX = "/api/"  # of addresses, of which the root may lack the slash
URLS = "partway.api.urls"
# The code of what Django, other middleware or the table of routes refuses.
_CODES = {**REFUSAL_CODES, 404: "not_found", 405: "method_not_allowed", 429: "rate_limited"}
# These tell a program what to do next.
_KEPT_HEADERS = ("Allow", "Retry-After")


class ProblemMiddleware:
    """Serves the URLs of the API, with a problem in place of each error page, and takes the cookies off what comes in.

    Without a cookie there is no session, so that no browser of a member can be made to act here.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Passes the request on."""
        if not f"{request.path_info}/".startswith(PREFIX):
            return self.get_response(request)
        request.META.pop("HTTP_COOKIE", None)
        # Named here, so that Django imports the API with its first request: its library takes a second and 25 MB.
        request.urlconf = URLS
        method = request.method
        if method == "HEAD":  # a GET, of which the server sends only the headers (RFC 9110, section 9.3.2)
            request.method = "GET"
        response = self.get_response(request)
        request.method = method
        status = response.status_code
        if status >= 400 and response.headers.get("Content-Type") != MEDIA_TYPE:
            headers = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
            code = _CODES.get(status, "bad_request" if status < 500 else "internal_error")
            response = problem(status, code, headers=headers)
        response.headers.setdefault("Cache-Control", "no-store")
        return response
