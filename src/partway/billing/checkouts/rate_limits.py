"""Counts the checkouts of a link and of an address, so that nobody tests stolen cards here (DESIGN P8)."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection

from ..errors import RateLimited
from ..models import Invoice, Payment, PaymentRequest, Quote

_WINDOW = timedelta(hours=1)


def check(
    document: Invoice | Quote, request: PaymentRequest | None, payer_ip: str | None, *, now: datetime
) -> None:
    """Return if this link and this address may begin one more checkout, else raise RateLimited.

    Call it under the document's lock, in the transaction that writes the payment: then no two can be the last one.
    """
    # What a member recorded offline is no checkout.
    recent = Payment.objects.filter(created_at__gt=now - _WINDOW, gateway_account__isnull=False)
    of = {"quote": document} if isinstance(document, Quote) else {"invoice": document}
    if recent.filter(**of, payment_request=request).count() >= settings.PARTWAY_CHECKOUTS_PER_LINK:
        raise RateLimited()
    if payer_ip is None:
        return
    _hold(payer_ip)
    if recent.filter(payer_ip=payer_ip).count() >= settings.PARTWAY_CHECKOUTS_PER_ADDRESS:
        raise RateLimited()


def _hold(payer_ip: str) -> None:
    """Until the commit nobody else counts this address: it pays many documents, whose locks never meet.

    SQLite has one writer at a time, so there nobody else could.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"payer {payer_ip}"])
