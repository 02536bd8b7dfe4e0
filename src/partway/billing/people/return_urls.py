"""The sites that customers may be led back to after they paid, a list that owners edit."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings

from partway.accounts.models import Organization
from partway.accounts.permissions import Permission, needs
from partway.lib.return_urls import InvalidReturnUrl, canonical_prefix

from ..errors import Invalid, field_error
from ..events import Actor
from . import organizations

MAX_SITES = 20


@needs(Permission.CONFIGURE_PAYMENTS)
def change(
    organization: Organization,
    *,
    sites: list[str],
    by: Actor,
    now: datetime,
    initial: list[str] | None = None,
) -> Organization:
    """Replaces the list; a payment request whose address is on it no more leads nowhere from now on.

    Raises Invalid on `return_urls`. `initial` is the list that the form showed (DESIGN D8).
    """
    allows_loopback = settings.PARTWAY_RETURN_TO_LOOPBACK
    found: list[str] = []
    for typed in sites:
        try:
            found.append(canonical_prefix(typed, allows_loopback=allows_loopback))
        except InvalidReturnUrl as error:
            wrong = field_error("return_url_invalid", url=typed[:60])
            raise Invalid({"return_urls": wrong}) from error
    found = list(dict.fromkeys(found))
    if len(found) > MAX_SITES:
        raise Invalid({"return_urls": field_error("return_urls_count", limit=MAX_SITES)})
    return organizations.set_lines(
        organization, name="return_urls", lines=found, field="return_urls", initial=initial, by=by, now=now
    )
