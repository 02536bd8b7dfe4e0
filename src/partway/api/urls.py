"""The addresses of the API."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import path

from . import docs
from .problems import problem
from .v1 import api


def not_found(_request: HttpRequest, rest: str = "") -> HttpResponse:
    """Refuses every other address below /api/."""
    return problem(404, "not_found")


urlpatterns = [
    path("api/v1/docs/", docs.show, name="api_docs"),
    path("api/v1/", api.urls),
    path("api", not_found),
    path("api/<path:rest>", not_found),
]
