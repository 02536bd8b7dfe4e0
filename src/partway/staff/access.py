"""Access to pages: resolves organization, member and permission before a view runs.

A signed-out visitor is sent to the sign-in page and back. No membership, an unknown organization and another
organization's row are all the same 404, so that nothing of another organization can be detected (DESIGN D5). A
missing permission is a 403 that names the role it takes.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any, TypeVar

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.db import transaction
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import resolve_url
from django.urls import URLPattern, path
from django.utils.translation import gettext
from django.views.defaults import page_not_found

from partway.accounts.models import Member, User
from partway.accounts.permissions import ALLOWED_ROLES, Permission
from partway.accounts.prepared import Prepared
from partway.billing.models import Invoice, Quote
from partway.billing.models.fields import OrganizationQuerySet
from partway.billing.models.parties import ISSUED
from partway.delivery.formats import use_locale
from partway.lib import clock

from . import kept_forms
from .context import MemberContext
from .forms import KEPT, strip_nul

RowT = TypeVar("RowT", bound=Model)
View = Callable[..., HttpResponseBase]

_members = Prepared(
    lambda user, slug: Member.objects.select_related("organization", "user").filter(
        user=user, organization__slug=slug
    )
)
_invoices = Prepared(
    lambda organization, pk: Invoice.objects.select_related(
        "organization", "customer", "quote", *ISSUED
    ).filter(organization=organization, pk=pk)
)


def page(
    route: str, permission: Permission, view: View, name: str, *, is_background: bool = False
) -> URLPattern:
    """Returns the route of a page that only members with this permission can open.

    is_background: a script asks for it by itself, which does not keep the session of an absent member alive.
    """

    @wraps(view)
    def guarded(request: HttpRequest, slug: str, **ids: Any) -> HttpResponseBase:
        # Before the user is read, which reads the session.
        session: Any = request.session
        session.is_background = is_background
        if not isinstance(request.user, User):
            return redirect_to_signin(request)
        member = _members.first(request.user.pk, slug)
        # No 403: a user of another organization must not learn that this one exists (D5).
        if member is None:
            raise Http404
        ctx = MemberContext(request, member, clock.now(), is_background)
        with use_locale(ctx.organization.locale):
            if permission in ctx.permissions:
                response = _run(ctx, view, **ids)
            else:
                needed = ALLOWED_ROLES[permission][0].label.lower()
                response = ctx.render("staff/forbidden.html", {"needed": needed}, status=403)
        # The browser does not keep what a member saw: after sign-out, Back shows nothing.
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    vars(guarded)["permission"] = permission
    return path(route, guarded, name=name)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The page of every 404: for members with the navigation of the organization in its address, else without.

    That an organization exists is shown only to its members, who see its navigation on any page (DESIGN D5).
    """
    user, slug = getattr(request, "user", None), re.match(r"/o/([\w-]+)/", request.path_info, re.ASCII)
    member = _members.first(user.pk, slug[1]) if slug and isinstance(user, User) else None
    if member is None:
        return page_not_found(request, exception)
    ctx = MemberContext(request, member, clock.now())
    with use_locale(ctx.organization.locale):
        return ctx.render("staff/not_found.html", status=404)


def _run(ctx: MemberContext, view: View, **ids: Any) -> HttpResponseBase:
    """Runs the view; with a form that was typed before the sign-in, as one that may change nothing."""
    names_kept_form = ctx.request.method == "GET" and kept_forms.QUERY in ctx.request.GET
    if names_kept_form and not kept_forms.restore(ctx.request, ctx.member.user):
        gone = gettext(
            "What was typed before you signed in is not kept: it is, for an hour, for the member who typed it."
        )
        messages.warning(ctx.request, gone)
    if not ctx.is_post or KEPT not in ctx.request.POST:
        return view(ctx, **ids)
    with transaction.atomic():
        response = view(ctx, **ids)
        # A kept form is not valid, so that no view acts on it. Whatever one writes all the same is not stored.
        transaction.set_rollback(True)
    if names_kept_form and response.status_code == HTTPStatus.FORBIDDEN:
        response.status_code = HTTPStatus.OK  # a page that was asked for by its address, and is no refusal
    return response


def redirect_to_signin(request: HttpRequest) -> HttpResponse:
    """Redirects to the sign-in page and back here after it, with what was typed; a dialog redirects its whole page."""
    if kept_forms.asks_for_a_part(request):
        return HttpResponse(status=204)  # the page stays, with what is typed in it
    redirect = redirect_to_login(kept_forms.path_after_signin(request), resolve_url("account_login"))
    if not request.headers.get("HX-Request"):
        return redirect
    return HttpResponse(headers={"HX-Redirect": redirect.url})


def get_own_or_404(ctx: MemberContext, rows: OrganizationQuerySet[RowT], row_id: str) -> RowT:
    """Returns this organization's row of that id; the same 404 for another organization's and for an unknown one."""
    found = rows.for_organization(ctx.organization).filter(pk=strip_nul(row_id)).first()
    if found is None:
        raise Http404
    return found


def get_invoice_or_404(ctx: MemberContext, invoice_id: str) -> Invoice:
    """Returns this organization's invoice, with its organization, customer and quote."""
    found = _invoices.first(ctx.organization.pk, strip_nul(invoice_id))
    if found is None:
        raise Http404
    return found


def get_quote_or_404(ctx: MemberContext, quote_id: str) -> Quote:
    """Returns this organization's quote, with its organization and customer."""
    return get_own_or_404(ctx, Quote.objects.select_related("organization", "customer", *ISSUED), quote_id)
