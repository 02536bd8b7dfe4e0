"""The front step: on to the member's organization, or a choice of several."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from partway.accounts.models import Organization, User

from ..access import redirect_to_signin


def home(request: HttpRequest) -> HttpResponse:
    """Anyone: to the sign-in page, to their one organization, or to a page that lists theirs."""
    if not isinstance(request.user, User):
        return redirect_to_signin(request)
    mine = list(Organization.objects.filter(members__user=request.user).order_by("name"))
    if len(mine) == 1:
        return redirect("staff:organization", mine[0].slug)
    return render(request, "staff/home.html", {"organizations": mine})
