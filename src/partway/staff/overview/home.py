"""The start page: redirects to the member's organization, or lets them choose one of several."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from partway.accounts.models import Organization, User
from partway.lib.natural_sort import sort_key

from ..access import redirect_to_signin


def home(request: HttpRequest) -> HttpResponse:
    """Redirects to the sign-in page or to the only organization; else lists the organizations."""
    if not isinstance(request.user, User):
        return redirect_to_signin(request)
    mine = sorted(
        Organization.objects.filter(members__user=request.user), key=lambda one: (sort_key(one.name), one.pk)
    )
    if len(mine) == 1:
        return redirect("staff:organization", mine[0].slug)
    return render(request, "staff/home.html", {"organizations": mine})
