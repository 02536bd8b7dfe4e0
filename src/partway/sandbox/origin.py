"""Refuses posts that a browser sends from another site's page.

There are no cookies to forge a request with; this only keeps other pages from pressing our buttons. A browser
says in Sec-Fetch-Site, or at least in Origin, where a request comes from; a program says neither.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse, HttpResponseForbidden

Respond = Callable[[HttpRequest], HttpResponse]


def same_origin_posts(respond: Respond) -> Respond:
    """Middleware: 403 for a cross-origin POST."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.method == "POST" and not _from_here(request):
            return HttpResponseForbidden("This form was sent from another site.", content_type="text/plain")
        return respond(request)

    return middleware


def _from_here(request: HttpRequest) -> bool:
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if site:
        return site in ("same-origin", "none")
    return origin is None or urlsplit(origin).netloc == request.get_host()
