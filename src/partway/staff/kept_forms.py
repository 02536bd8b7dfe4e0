"""Forms that come after their session had ended are shown again after the sign-in, so that nothing typed is lost.

Where no member is signed in, what was typed is kept for the member who was, and the address to return to names it.
Where one is, and only the token of the form is old because they signed in again in another tab, the page is shown
at once. Both mark the form as KEPT, so that it is not valid: it is never sent by itself (decision 0045).
"""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.utils.datastructures import MultiValueDict
from django.views import csrf

from partway.accounts import kept_forms
from partway.accounts.models import User
from partway.lib import clock

from . import device_cookie
from .forms import KEPT, normalize, query_text, strip_nul

QUERY = "kept"  # the parameter of the address that names a kept form


def asks_for_a_part(request: HttpRequest) -> bool:
    """Whether a script asks for a part of the page, such as totals while one types, and no person waits."""
    target = request.headers.get("HX-Target")
    return bool(request.headers.get("HX-Request")) and target != "dialog-content"


def path_after_signin(request: HttpRequest) -> str:
    """Returns the address to return to after the sign-in; keeps what was typed if the request is a form."""
    if request.method != "POST":
        return request.get_full_path()
    # The session is over, and only this cookie still says whose it was. Of a stranger nothing is kept.
    device = device_cookie.read(request)
    user = User.objects.filter(pk=device.user_id, is_active=True).first() if device else None
    fields = normalize(request.POST)
    fields.pop("csrfmiddlewaretoken", None)
    now = clock.now()
    kept = kept_forms.keep(user, path=strip_nul(request.path), fields=fields, now=now) if user else None
    path = request.get_full_path().partition("?")[0]
    return f"{path}?{QUERY}={kept.pk if kept else 'none'}"


def restore(request: HttpRequest, user: User) -> bool:
    """Turns the request for a kept form into the form as it was sent, marked as KEPT; False where nothing is kept."""
    named = query_text(request.GET, QUERY)
    fields = kept_forms.find(user, kept_id=named, path=strip_nul(request.path), now=clock.now())
    if fields is None:
        return False
    request.method = "POST"
    _mark(request, fields)
    return True


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponseBase:
    """Shows the page of a form whose token is old, with what was typed; refuses every other form with 403."""
    match = request.resolver_match
    # A form of another site has another origin, and what it typed is shown to no member.
    is_own = reason.startswith("CSRF") and bool(request.headers.get("Origin"))
    if match is None or not is_own or not hasattr(match.func, "permission"):
        return csrf.csrf_failure(request, reason=reason)
    if asks_for_a_part(request):
        return HttpResponse(status=204)
    _mark(request, normalize(request.POST))
    response: HttpResponseBase = match.func(request, *match.args, **match.kwargs)
    return response


def _mark(request: HttpRequest, fields: dict[str, str]) -> None:
    post = QueryDict(mutable=True, encoding=settings.DEFAULT_CHARSET)
    post.update({KEPT: "1", **fields})
    request.POST = post  # type: ignore[assignment]  # django-stubs has an immutable one
    request._files = MultiValueDict()  # type: ignore[attr-defined]  # else the body is read again
