"""Refuses requests with a body larger than any form or call of Partway, before a byte of it is read."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils.deprecation import MiddlewareMixin

from partway.api.middleware import PREFIX
from partway.lib import untrusted_json

# The largest upload is a logo of at most two megabytes, within its form.
MAX_BYTES = 3_000_000


class BodyLimitMiddleware(MiddlewareMixin):
    """Responds 413 by the Content-Length; without one, WSGI reads no body at all."""

    def process_request(self, request: HttpRequest) -> HttpResponse | None:
        """Returns None to pass the request on, or responds 413."""
        length = request.META.get("CONTENT_LENGTH") or "0"
        limit = untrusted_json.MAX_BYTES if request.path_info.startswith(PREFIX) else MAX_BYTES
        if not length.isdigit() or int(length) > limit:
            return HttpResponse("This is larger than Partway takes.", status=413, content_type="text/plain")
        return None
