"""Customers: the people and businesses that owe."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from partway.accounts.models import Organization

from .fields import OrganizationQuerySet, id_field


class CustomerQuerySet(OrganizationQuerySet["Customer"]):
    """The vocabulary for customers."""

    def locked(self, pk: str) -> Customer:
        """Returns the customer, locked until the transaction ends; spending credit locks them before any invoice."""
        return self.select_for_update(no_key=True).get(pk=pk)


class Customer(models.Model):
    """A person or business that an organization sends invoices to."""

    id = id_field("cus")
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="customers")
    name = models.CharField(max_length=120)
    email = models.EmailField(max_length=254)
    phone = models.CharField(max_length=40, blank=True)
    address = models.TextField(max_length=400, blank=True)
    created_at = models.DateTimeField()

    objects = CustomerQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["organization", "name"], name="customer_by_name")]

    def __str__(self) -> str:
        return self.name
