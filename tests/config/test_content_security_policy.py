"""Every response has a Content-Security-Policy; a payable page adds the gateway to form-action."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from partway.config.headers import SecurityHeadersMiddleware


def policy(response: HttpResponse) -> dict[str, list[str]]:
    with_policy = SecurityHeadersMiddleware(lambda _: response)(HttpRequest())
    parts = [part.split() for part in with_policy["Content-Security-Policy"].split(";")]
    return {name: sources for name, *sources in parts}


def test_csp_allows_only_own_origin() -> None:
    csp = policy(HttpResponse())
    assert csp["default-src"] == csp["script-src"] == csp["style-src"] == csp["form-action"] == ["'self'"]
    assert csp["frame-ancestors"] == csp["object-src"] == ["'none'"]


def test_csp_form_action_includes_gateway_of_payable_page() -> None:
    response = HttpResponse()
    response.csp_form_action = ["https://pay.example"]  # type: ignore[attr-defined]
    assert policy(response)["form-action"] == ["'self'", "https://pay.example"]


def test_csp_set_by_view_is_kept() -> None:
    response = HttpResponse(headers={"Content-Security-Policy": "default-src 'none'"})
    assert policy(response) == {"default-src": ["'none'"]}
