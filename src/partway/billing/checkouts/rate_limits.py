"""Limits the checkouts of a link and of an IP address, against the testing of stolen cards (DESIGN P8)."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection
from django.db.models import Q

from ..errors import RateLimited
from ..models import Invoice, Payment, PaymentRequest, Quote

_WINDOW = timedelta(hours=1)


def check(
    document: Invoice | Quote, request: PaymentRequest | None, payer_ip: str | None, *, now: datetime
) -> None:
    """Returns if this link and this address may start one more checkout; raises RateLimited.

    Call it under the document's lock, in the transaction that writes the payment: so two cannot both be the last one.
    """
    # A payment without a gateway was recorded by a member and is no checkout.
    recent = Q(created_at__gt=now - _WINDOW, gateway_account__isnull=False)
    of_link = document.payments.filter(recent, payment_request=request)
    if of_link.count() >= settings.PARTWAY_CHECKOUTS_PER_LINK:
        raise RateLimited()
    if payer_ip is None:
        return
    # One address pays many documents, and their locks do not exclude each other: it has a lock of its own until
    # the commit. SQLite has one writer at a time.
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"payer {payer_ip}"])
    if Payment.objects.filter(recent, payer_ip=payer_ip).count() >= settings.PARTWAY_CHECKOUTS_PER_IP:
        raise RateLimited()
