"""The organization of the key: what its settings allow in calls."""

from __future__ import annotations

from ninja import Router
from pydantic import BaseModel

from partway.accounts.permissions import Permission

from .access import KeyRequest, call
from .schemas import DecimalString, decimal_string

router = Router(tags=["Organization"])


class Organization(BaseModel):
    """The organization that a key belongs to, and the settings that calls follow.

    currency, default_due_days, default_tax_percent: of documents that do not say otherwise. payment_modes: the values
    of `method` of an offline payment. return_urls: the sites at or below which a `return_url` may be.
    payments_enabled: whether customers can pay online.
    """

    id: str
    slug: str
    name: str
    currency: str
    time_zone: str
    default_due_days: int
    default_tax_percent: DecimalString
    payment_modes: list[str]
    return_urls: list[str]
    payments_enabled: bool


@call(router, "GET", "/organization", permission=Permission.VIEW_OVERVIEW, returns=Organization)
def show(request: KeyRequest) -> Organization:
    """Reads the organization of the key, with its payment modes and the sites that customers may be led back to."""
    found = request.caller.organization
    return Organization(
        id=found.pk,
        slug=found.slug,
        name=found.name,
        currency=found.currency,
        time_zone=found.time_zone,
        default_due_days=found.default_due_days,
        default_tax_percent=decimal_string(found.default_tax_percent),
        payment_modes=found.payment_modes,
        return_urls=found.return_urls,
        payments_enabled=found.payments_enabled,
    )
