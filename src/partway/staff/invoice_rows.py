"""Invoices as the rows of every list show them."""

from __future__ import annotations

from typing import Any

from django.db.models import Prefetch, QuerySet

from partway.billing.models import Invoice, PaymentRequest
from partway.billing.models.fields import OrganizationQuerySet


def with_open_requests(rows: OrganizationQuerySet[Invoice]) -> QuerySet[Any]:
    """Fetches the customer and the open request of each invoice with the rows."""
    open_requests = Prefetch("payment_requests", PaymentRequest.objects.open(), to_attr="open_requests")
    return rows.select_related("customer").prefetch_related(open_requests)
