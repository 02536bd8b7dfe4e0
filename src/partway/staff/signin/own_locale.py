"""The locale of the pages of sign-in, which belong to a person and to no organization."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.template.response import SimpleTemplateResponse
from django.urls import URLPattern, path

from partway.accounts.models import User
from partway.delivery.formats import DEFAULT_LOCALE, use_locale


def page(route: str, view: Callable[..., HttpResponseBase], *, name: str) -> URLPattern:
    """Returns the route of a page in the locale of the person's organizations.

    A person who is not signed in yet, is in no organization, or in some with different locales, has the default one.
    """

    @wraps(view)
    def localized(request: HttpRequest, **parts: Any) -> HttpResponseBase:
        locale = request.user.locale if isinstance(request.user, User) else ""
        with use_locale(locale or DEFAULT_LOCALE):
            response = view(request, **parts)
            # allauth's views leave the rendering to Django, which would do it after this locale.
            return response.render() if isinstance(response, SimpleTemplateResponse) else response

    return path(route, localized, name=name)
