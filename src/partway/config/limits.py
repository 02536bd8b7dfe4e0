"""Refuses requests that are far larger than anything Partway asks for, before a byte of them is read."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

# A logo is the largest thing anybody sends, two megabytes at most, with its form around it.
MAX_BYTES = 3_000_000


class BodyLimitMiddleware:
    """Answers 413 by the announced length; without one, WSGI reads no body at all."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Go on, or refuse."""
        announced = request.META.get("CONTENT_LENGTH") or "0"
        if not announced.isdigit() or int(announced) > MAX_BYTES:
            return HttpResponse("This is larger than Partway takes.", status=413, content_type="text/plain")
        return self.get_response(request)
