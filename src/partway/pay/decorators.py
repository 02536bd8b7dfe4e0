"""Shared by the customer's pages: the row of a link, forms that a reload does not repeat, and the opened view."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST

from partway.accounts.models import Member
from partway.billing.models import Event, Invoice, Payment, PaymentRequest, Quote
from partway.delivery.formats import use_locale
from partway.lib.clock import now

from . import responses

View = Callable[..., HttpResponse]
Row = Invoice | Quote | PaymentRequest | Payment | Event

# The headers in which browsers and previews of links state that no person looks at the page.
_PURPOSE_HEADERS = ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz")


def row_of_link(by_token: Callable[[str], Row | None]) -> Callable[[View], View]:
    """Calls the view with the row of the link's token, in the organization's locale; 404 for a token of no row."""

    def decorator(view: View) -> View:
        @wraps(view)
        def wrapper(request: HttpRequest, token: str, *args: Any, **kwargs: Any) -> HttpResponse:
            row = by_token(token)
            if row is None:
                return responses.not_found(request)
            with use_locale(row.organization.locale):
                return view(request, token, row, *args, **kwargs)

        return wrapper

    return decorator


def opened_view(by_token: Callable[[str], Row | None], mark_opened: Callable[..., None]) -> View:
    """Returns the view by which a page's script reports that it is visible, not just fetched ahead (DESIGN R8).

    Nothing is recorded where a member of the organization looks, or a program that says it looks ahead.
    """

    @require_POST
    @row_of_link(by_token)
    def view(request: HttpRequest, token: str, row: Row) -> HttpResponse:
        if not _is_preview(request, row):
            mark_opened(row, now=now())
        return HttpResponse(status=204)

    return view


def _is_preview(request: HttpRequest, row: Row) -> bool:
    """Whether the page is not in front of the customer, as far as the request says so itself."""
    # Scanners of mails that run scripts look like browsers: only those that declare themselves are left out.
    purposes = (request.headers.get(name, "").lower() for name in _PURPOSE_HEADERS)
    if any("prefetch" in purpose or "preview" in purpose for purpose in purposes):
        return True
    user = request.user
    return (
        user.is_authenticated
        and Member.objects.filter(organization=row.organization_id, user=user.pk).exists()
    )


def form_of(page: str) -> Callable[[View], View]:
    """Lets the view handle POST only; GET and HEAD of a form's address, as a reload sends, lead to its page."""

    def decorator(view: View) -> View:
        @require_http_methods(["GET", "HEAD", "POST"])
        @wraps(view)
        def wrapper(request: HttpRequest, token: str) -> HttpResponse:
            return view(request, token) if request.method == "POST" else redirect(page, token)

        return wrapper

    return decorator
