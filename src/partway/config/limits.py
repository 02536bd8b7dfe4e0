"""Refuses requests with a body larger than any form of Partway, before a byte of it is read."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

# The largest upload is a logo of at most two megabytes, within its form.
MAX_BYTES = 3_000_000


class BodyLimitMiddleware:
    """Responds 413 by the Content-Length; without one, WSGI reads no body at all."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Passes the request on, or responds 413."""
        length = request.META.get("CONTENT_LENGTH") or "0"
        if not length.isdigit() or int(length) > MAX_BYTES:
            return HttpResponse("This is larger than Partway takes.", status=413, content_type="text/plain")
        return self.get_response(request)
