"""Signing in, signing out, and setting the first password from a link."""

from __future__ import annotations

from django.contrib import auth
from django.contrib.auth.password_validation import validate_password
from django.contrib.auth.tokens import default_token_generator
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.utils.http import url_has_allowed_host_and_scheme, urlsafe_base64_decode
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from partway.accounts.models import User

from .forms import Form


@sensitive_post_parameters("password")
@never_cache
def signin(request: HttpRequest) -> HttpResponse:
    """Anyone: address and password, then on to where they were going."""
    form = Form.typed(request.POST)
    onward = _safe_next(request)
    if request.method == "POST":
        user = auth.authenticate(
            request, username=form.text("email"), password=request.POST.get("password", "")
        )
        if user is not None:
            auth.login(request, user)
            return redirect(onward)
        form.refusal = "This address and password do not fit together. Check both and try again."
        form.status = 422
    elif request.user.is_authenticated:
        return redirect(onward)
    return render(request, "staff/signin/signin.html", {"form": form, "next": onward}, status=form.status)


@require_POST
def signout(request: HttpRequest) -> HttpResponse:
    """Anyone: end the session."""
    auth.logout(request)
    return redirect("staff:signin")


@sensitive_post_parameters("password", "again")
@never_cache
def welcome(request: HttpRequest, uid: str, token: str) -> HttpResponse:
    """Whoever holds the link from the invitation: set the first password and come in. The link works once."""
    user = _invited(uid, token)
    if user is None:
        return render(request, "staff/signin/dead_link.html", status=404)
    form = Form.typed(request.POST)
    if request.method == "POST" and _set_password(user, form, request.POST.get("password", "")):
        auth.login(request, user, backend="django.contrib.auth.backends.ModelBackend")
        return redirect("staff:home")
    return render(request, "staff/signin/welcome.html", {"form": form, "user": user}, status=form.status)


def _invited(uid: str, token: str) -> User | None:
    try:
        user = User.objects.filter(pk=urlsafe_base64_decode(uid).decode(), is_active=True).first()
    except ValueError:
        return None
    return user if user and default_token_generator.check_token(user, token) else None


def _set_password(user: User, form: Form, password: str) -> bool:
    try:
        validate_password(password, user)
        if password != form.values.get("again"):
            raise ValidationError({"again": "The two do not match. Type the same password twice."})
    except ValidationError as error:
        form.take(error if hasattr(error, "error_dict") else ValidationError({"password": error.messages}))
        return False
    user.set_password(password)
    user.save(update_fields=["password"])
    return True


def _safe_next(request: HttpRequest) -> str:
    """Where to go afterwards, if that is a page of ours."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    if url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure()):
        return wanted
    return resolve_url("staff:home")
