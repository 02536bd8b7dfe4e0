"""The bulkheads of a web process: the check that they leave threads over, and the page of a full one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext as _

from partway.lib.bulkheads import FULL, BulkheadFull

_RETRY_AFTER_SECONDS = "5"


@register("partway")
def check_bulkheads(**_kwargs: Any) -> list[CheckMessage]:
    """E030: the bulkheads together leave half of the threads to pages that wait for nothing, /healthz among them."""
    sizes = settings.PARTWAY_BULKHEADS
    taken, threads = sum(sizes.values()), settings.PARTWAY_THREADS
    if min(sizes.values()) >= 1 and taken <= threads // 2:
        return []
    names = ", ".join(f"PARTWAY_{name.upper()}" for name in sizes)
    hint = f"Each of {names} is at least 1, and together at most half of PARTWAY_THREADS ({threads})."
    return [Error(f"The bulkheads may take {taken} threads of {threads}.", hint=hint, id="partway.E030")]


class BulkheadMiddleware:
    """Responds 503 with Retry-After when a bulkhead is full, and 422 for a document that is too large to print."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Passes the request on."""
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Returns the page for these two exceptions, which any view may raise; None for others."""
        from partway.delivery.pdf import TypesettingFailed  # here, as each command loads this module

        match exception:
            case BulkheadFull():
                if exception.bulkhead.has_line:
                    request.META[FULL] = exception.bulkhead
                # A page that only shows something asks again by itself; a form is the person's to send again.
                again = request.method in ("GET", "HEAD")
                context = {
                    "title": _("Partway is busy right now"),
                    "message": _(
                        "There are too many requests at the same time. Nothing was changed or charged."
                    ),
                    "advice": _("This page tries again by itself.")
                    if again
                    else _("Go back, and try again in a few seconds."),
                }
                response = render(request, "not_now.html", context, status=503)
                response.headers["Retry-After"] = _RETRY_AFTER_SECONDS
                if again:
                    response.headers["Refresh"] = _RETRY_AFTER_SECONDS
            case TypesettingFailed():
                context = {
                    "title": _("This document is too large to print"),
                    "message": _("It has more text than fits into a PDF of a reasonable size."),
                    "advice": _("Its page shows all of it. With fewer or shorter lines it can be printed."),
                }
                response = render(request, "not_now.html", context, status=422)
            case _other:
                return None
        add_never_cache_headers(response)
        return response
