"""Who may see a page: resolves organization, member and role before a view runs.

Signed out leads to the sign-in page and back. No membership, an unknown organization and another organization's
row are all the same 404, so that nothing of another organization can be detected (DESIGN D5). Too low a role is
a 403 that names the role it takes.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from django.contrib.auth.views import redirect_to_login
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import resolve_url

from partway.accounts.models import Member, Role, User
from partway.billing.models.fields import OrganizationQuerySet
from partway.lib import clock

from .context import MemberContext
from .forms import strip_nul

Row = TypeVar("Row", bound=Model)
Page = Callable[..., HttpResponseBase]
View = Callable[..., HttpResponseBase]


def reader(page: Page) -> View:
    """Every member of the organization may see it."""
    return _for(Role.READER, page)


def collector(page: Page) -> View:
    """Collectors and owners may."""
    return _for(Role.COLLECTOR, page)


def owner(page: Page) -> View:
    """Only owners may."""
    return _for(Role.OWNER, page)


def _for(role: Role, page: Page) -> View:
    @wraps(page)
    def view(request: HttpRequest, slug: str, **ids: Any) -> HttpResponseBase:
        if not isinstance(request.user, User):
            return redirect_to_signin(request)
        ctx = MemberContext(request=request, member=_member(request.user, slug), now=clock.now())
        return _private(page(ctx, **ids) if ctx.member.has_role(role) else _forbidden(ctx, role))

    return view


def _private(answer: HttpResponseBase) -> HttpResponseBase:
    """What a member saw is not kept by the browser: after sign-out, Back shows nothing."""
    answer.headers.setdefault("Cache-Control", "no-store")
    return answer


def redirect_to_signin(request: HttpRequest) -> HttpResponse:
    """Sign in, then come back here; a dialog sends its whole page there."""
    if not request.headers.get("HX-Request"):
        return redirect_to_login(request.get_full_path(), resolve_url("account_login"))
    answer = HttpResponse()
    answer.headers["HX-Redirect"] = redirect_to_login(
        request.get_full_path(), resolve_url("account_login")
    ).url
    return answer


def _member(user: User, slug: str) -> Member:
    members = Member.objects.select_related("organization", "user")
    found = members.filter(user=user, organization__slug=slug).first()
    if found is None:
        raise Http404
    return found


def _forbidden(ctx: MemberContext, role: Role) -> HttpResponse:
    return ctx.render("staff/forbidden.html", {"needed": role.label.lower()}, status=403)


def get_own_or_404(ctx: MemberContext, rows: OrganizationQuerySet[Row], row_id: str) -> Row:
    """This organization's row of that id, else the same 404 as for one that does not exist."""
    found = rows.for_organization(ctx.organization).filter(pk=strip_nul(row_id)).first()
    if found is None:
        raise Http404
    return found
