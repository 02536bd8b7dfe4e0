"""Limits the checkouts of a link and of a network, against the testing of stolen cards (DESIGN P8)."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings

from partway.accounts import rate_limits
from partway.accounts.rate_limits import Limit, LimitReached, Uses, Window

from ..errors import RateLimited
from ..models import Invoice, PaymentRequest, Quote

_WINDOW = timedelta(hours=1)
# A business with a /48 pays from many more addresses than a household with a /64.
_SITE_FACTOR = 5


def check(
    document: Invoice | Quote, request: PaymentRequest | None, payer_ip: str | None, *, now: datetime
) -> None:
    """Returns if this link and this network may start one more checkout; raises RateLimited. Counts nothing."""
    try:
        rate_limits.check(_uses(document, request, payer_ip), now=now)
    except LimitReached as reached:
        raise RateLimited(reached.retry_after) from reached


def consume(
    document: Invoice | Quote, request: PaymentRequest | None, payer_ip: str | None, *, now: datetime
) -> None:
    """Counts a checkout that is started in this transaction; raises RateLimited when it is one too many."""
    try:
        rate_limits.consume(_uses(document, request, payer_ip), now=now)
    except LimitReached as reached:
        raise RateLimited(reached.retry_after) from reached


def _uses(document: Invoice | Quote, request: PaymentRequest | None, payer_ip: str | None) -> Uses:
    per_address = settings.PARTWAY_CHECKOUTS_PER_IP
    limits = (
        Limit("checkout.network", Window(per_address, _WINDOW)),
        Limit("checkout.site", Window(_SITE_FACTOR * per_address, _WINDOW)),
    )
    per_link = Limit("checkout.link", Window(settings.PARTWAY_CHECKOUTS_PER_LINK, _WINDOW))
    link = request.pk if request else document.pk
    return {per_link: link, **dict(zip(limits, rate_limits.networks(payer_ip), strict=False))}
