"""Customers: the people and businesses that owe."""

from __future__ import annotations

from typing import ClassVar, Literal

from django.db import models

from partway.accounts.models import Organization

from .external_fields import ExternalFieldsModel, external_reference_unique
from .fields import OrganizationQuerySet, id_field
from .search_index import SearchIndex
from .text_keys import SearchKeyField, SortKeyField, TextKeyModel, has_sort_key


class CustomerQuerySet(OrganizationQuerySet["Customer"]):
    """The vocabulary for customers."""

    def locked(self, pk: str) -> Customer:
        """Returns the customer, locked until the transaction ends; spending credit locks them before any invoice."""
        return self.select_for_update(no_key=True).get(pk=pk)


class Customer(ExternalFieldsModel, TextKeyModel):
    """A person or business that an organization sends invoices to."""

    kind: ClassVar[Literal["customer"]] = "customer"

    id = id_field("cus")
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="customers")
    name = models.CharField(max_length=120)
    email = models.EmailField(max_length=254)
    phone = models.CharField(max_length=40, blank=True)
    address = models.TextField(max_length=400, blank=True)
    created_at = models.DateTimeField()
    sort_key = SortKeyField("name")
    search_key = SearchKeyField("name", "email")

    objects = CustomerQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            has_sort_key("customer", "name", "sort_key"),
            external_reference_unique("customer"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["organization", "-created_at", "-id"], name="customer_newest"),
            models.Index(fields=["organization", "sort_key", "id"], name="customer_by_name"),
            # Of what is too short for trigrams.
            models.Index(fields=["organization", "search_key", "id"], name="customer_by_search_key"),
            SearchIndex(name="customer_search"),
        ]

    def __str__(self) -> str:
        return self.name
