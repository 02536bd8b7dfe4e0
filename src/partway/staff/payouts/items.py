"""The entries of payouts with the documents that they are about."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from partway.billing.models.parties import ISSUED


def with_documents(items: QuerySet[Any]) -> QuerySet[Any]:
    """Fetches the payment of each entry, its document and the parties of its receipt with the rows."""
    documents = ("payment__invoice__customer", "payment__quote__customer")
    return items.select_related("refund", *documents, *(f"payment__{party}" for party in ISSUED))
