"""Refuses posts that a browser sends from another site's page.

There are no cookies to forge a request with; this only keeps other pages from submitting our forms. A browser sends the
origin of a request in Sec-Fetch-Site, or at least in Origin; a program sends neither.
"""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseForbidden

Respond = Callable[[HttpRequest], HttpResponse]


def same_origin_posts(respond: Respond) -> Respond:
    """Middleware that returns 403 for a cross-origin POST."""

    def middleware(request: HttpRequest) -> HttpResponse:
        site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
        # Compared as text: a stranger's Origin need not be an address that a parser takes.
        is_ours = origin is None or origin.partition("://")[2] == request.get_host()
        if site:
            is_ours = site in ("same-origin", "none")
        if request.method == "POST" and not is_ours:
            return HttpResponseForbidden("This form was sent from another site.", content_type="text/plain")
        return respond(request)

    return middleware
