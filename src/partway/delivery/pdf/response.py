"""A document as the answer to a request."""

from __future__ import annotations

from django.http import HttpResponse
from django.utils.cache import add_never_cache_headers
from django.utils.http import content_disposition_header

from .typesetting import PdfFile


def pdf_response(file: PdfFile) -> HttpResponse:
    """Shown in the browser, saved under its name, kept by no cache and listed by no search engine."""
    disposition = content_disposition_header(as_attachment=False, filename=file.name)
    headers = {"Content-Disposition": disposition or "inline", "X-Robots-Tag": "noindex, nofollow"}
    response = HttpResponse(file.content, content_type=file.media_type, headers=headers)
    add_never_cache_headers(response)
    return response
