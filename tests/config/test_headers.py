"""Every response has the security headers, refusals of every kind included; what a member sees is not kept."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path

from partway.accounts.models import Member
from partway.config.limits import MAX_BYTES
from partway.config.urls import urlpatterns as pages
from tests.support import personas, totp_codes

pytestmark = pytest.mark.django_db


def broken(_: HttpRequest) -> HttpResponse:
    """Raises as a view with a defect does."""
    raise RuntimeError


def busy(_: HttpRequest) -> HttpResponse:
    """Responds as a bulkhead does."""
    return HttpResponse(status=503)


urlpatterns = [path("broken", broken), path("busy", busy), *pages]


@pytest.mark.parametrize(
    ("method", "address", "extra", "status"),
    [
        ("GET", "/signin/", {"HTTP_HOST": "evil.example"}, 400),
        ("GET", "/nothing", {}, 404),
        ("GET", "/p/nothing/", {}, 404),
        ("GET", "/signout/", {}, 405),
        ("POST", "/signin/", {"CONTENT_LENGTH": str(MAX_BYTES + 1)}, 413),
        ("GET", "/metrics", {}, 403),
        ("GET", "/broken", {}, 500),
        ("GET", "/busy", {}, 503),
        ("GET", "/o/alder/", {}, 302),
        ("GET", f"{settings.STATIC_URL}partway/base.css", {}, 0),
        ("GET", "/healthz", {}, 200),
    ],
)
@pytest.mark.urls("tests.config.test_headers")
def test_every_response_has_security_headers(
    method: str, address: str, extra: dict[str, str], status: int
) -> None:
    answer = Client(raise_request_exception=False).generic(method, address, **extra)
    assert answer.status_code == status or not status
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    "address", ["/", "/profile/", "/profile/password/", "/o/alder/", "/nothing", "/signin/inactive/"]
)
def test_pages_of_signed_in_person_are_not_stored(address: str) -> None:
    client, alice = Client(), personas.alder().alice
    Member.objects.create(
        organization=personas.organization("birch", "Birch"), user=alice.user, role="reader"
    )
    client.force_login(alice.user)
    assert "no-store" in client.get(address).headers["Cache-Control"]


def test_pages_of_pending_sign_in_are_not_stored() -> None:
    client, alice = Client(), personas.alder().alice
    totp_codes.enable_two_factor(alice.user)
    answer = client.post("/signin/", {"email": alice.user.email, "password": personas.PASSWORD})
    assert "no-store" in answer.headers["Cache-Control"]
    assert "no-store" in client.get("/signin/code/").headers["Cache-Control"]
