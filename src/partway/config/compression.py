"""Compresses pages, answers of the API, files of texts and static files for clients that take gzip.

Not for a request that another site may have caused in the browser of a member: it could learn what a page says by
the length of many responses (docs/decisions/0081-compressed-responses.md).
"""

from __future__ import annotations

import gzip
from functools import lru_cache
from typing import cast

from django.conf import settings
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.middleware.gzip import GZipMiddleware
from django.utils.cache import patch_vary_headers

# Other types are compressed already: documents, spreadsheets, fonts, pictures.
_TYPES = ("text/", "application/json", "application/problem+json", "image/svg+xml")
_OWN_REQUESTS = ("same-origin", "none")  # of Sec-Fetch-Site: a page of ours, or an address that was typed
_STATIC_LEVEL = 9  # once for each file of a process


class CompressionMiddleware(GZipMiddleware):
    """Django's own, which adds a random length to each response, without what another site may have asked for.

    A static file is compressed once, and kept.
    """

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Compresses a response of a type that becomes shorter."""
        is_text = response.headers.get("Content-Type", "").startswith(_TYPES)
        if response.status_code == 206 or not is_text:  # a range is one of the bytes of the file itself
            return response
        patch_vary_headers(cast("HttpResponse", response), ("Accept-Encoding", "Sec-Fetch-Site"))
        if request.path.startswith(settings.STATIC_URL) and isinstance(response, FileResponse):
            if request.method == "GET" and "gzip" in request.headers.get("Accept-Encoding", ""):
                content = compress(response.getvalue())
                response.streaming_content = [content]
                response.headers["Content-Length"] = str(len(content))
                response.headers["Content-Encoding"] = "gzip"
            return response
        # Browsers send the header over https. Without https, nothing hides what a page says.
        is_own = request.headers.get("Sec-Fetch-Site") in _OWN_REQUESTS
        if request.is_secure() and settings.SESSION_COOKIE_NAME in request.COOKIES and not is_own:
            return response
        return super().process_response(request, cast("HttpResponse", response))


@lru_cache(maxsize=256)
def compress(content: bytes) -> bytes:
    """Returns the content of a static file compressed as small as it gets, which takes a few milliseconds once."""
    return gzip.compress(content, _STATIC_LEVEL, mtime=0)
