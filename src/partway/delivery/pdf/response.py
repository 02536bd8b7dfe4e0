"""A PDF file as an HTTP response."""

from __future__ import annotations

from django.http import HttpResponse
from django.utils.cache import add_never_cache_headers
from django.utils.http import content_disposition_header

from .typesetting import PdfFile


def pdf_response(file: PdfFile) -> HttpResponse:
    """Returns the file to show in the browser and save under its name; no cache keeps it, no search engine lists it."""
    disposition = content_disposition_header(as_attachment=False, filename=file.name)
    headers = {"Content-Disposition": disposition or "inline", "X-Robots-Tag": "noindex, nofollow"}
    response = HttpResponse(file.content, content_type=file.media_type, headers=headers)
    add_never_cache_headers(response)
    return response
