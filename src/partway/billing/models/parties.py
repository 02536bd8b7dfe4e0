"""The seller and the customer as a document that was issued shows them (DESIGN D9)."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from django.db import models

from partway.accounts.models import Logo, Organization
from partway.lib.ids import digest_id

from .customers import Customer
from .fields import OrganizationQuerySet
from .search_index import SearchIndex
from .text_keys import SearchKeyField, TextKeyField, TextKeyModel

# The relations that a reader of what was issued selects with it.
ISSUED = ("issued_by", "issued_to")

# The columns that a party takes from its organization or its customer.
_OF_SELLER = (
    *("name", "address", "email", "phone", "tax_number", "payment_instructions"),
    *("color", "logo_id", "currency", "locale", "time_zone"),
)
_OF_CUSTOMER = ("name", "address", "email")


class Party(TextKeyModel):
    """A seller or a customer at one time; all documents that show the same share one row.

    A row is never changed. Its id is the digest of its content, so writing it twice changes nothing, and `verify`
    finds a row that was altered.
    """

    id = models.CharField(primary_key=True, max_length=40, editable=False)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="parties")
    name = models.CharField(max_length=120)
    address = models.TextField(max_length=400, blank=True)
    email = models.EmailField(max_length=254)
    phone = models.CharField(max_length=40, blank=True)
    tax_number = models.CharField(max_length=40, blank=True)
    # Only of a seller: what else its documents take from the settings of the organization.
    payment_instructions = models.TextField(max_length=600, blank=True)
    color = models.CharField(max_length=7, blank=True)
    logo = models.ForeignKey(Logo, on_delete=models.PROTECT, null=True, related_name="+")
    currency = models.CharField(max_length=3, blank=True)  # of the organization, which decides the paper
    locale = models.CharField(max_length=20, blank=True)
    time_zone = models.CharField(max_length=64, blank=True)
    search_key = SearchKeyField("name", "email")

    objects = OrganizationQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [
            # Of what is too short for trigrams.
            models.Index(fields=["organization", "search_key", "id"], name="party_by_search_key"),
            SearchIndex(name="party_search"),
        ]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def of_seller(cls, organization: Organization) -> Party:
        """Returns the organization as it is now, not saved."""
        party = cls(organization=organization, **{name: getattr(organization, name) for name in _OF_SELLER})
        party.id = party.content_id()
        return party

    @classmethod
    def of_customer(cls, customer: Customer) -> Party:
        """Returns the customer as they are now, not saved."""
        columns = {name: getattr(customer, name) for name in _OF_CUSTOMER}
        party = cls(organization_id=customer.organization_id, **columns)
        party.id = party.content_id()
        return party

    def content_id(self) -> str:
        """Returns the id that follows from the content; the organization is part of it (DESIGN D5)."""
        content = {
            field.attname: getattr(self, field.attname)
            for field in self._meta.concrete_fields
            if not field.primary_key and not isinstance(field, TextKeyField)
        }
        return digest_id("pty", json.dumps(content, sort_keys=True).encode())


class IssuedModel(models.Model):
    """A row that is issued to a customer: an invoice, a quote, a payment as its receipt.

    The parties are stored when it is issued; before that, `seller` and `recipient` are what they are now.
    """

    # Without an index here: only documents are looked up by party.
    issued_by = models.ForeignKey(
        Party, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    issued_to = models.ForeignKey(
        Party, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )

    organization: models.ForeignKey[Organization, Organization]
    customer: Any  # a column of a document; of a payment, its document's

    class Meta:
        abstract = True

    @property
    def seller(self) -> Party:
        """The organization as this shows it."""
        return self.issued_by or Party.of_seller(self.organization)

    @property
    def recipient(self) -> Party:
        """The customer as this shows them."""
        return self.issued_to or Party.of_customer(self.customer)


def parties_when(noun: str, issued: models.Q) -> models.CheckConstraint:
    """Holds that both parties are stored of what was issued, and none of what was not."""
    both = models.Q(issued_by__isnull=False, issued_to__isnull=False)
    none = models.Q(issued_by__isnull=True, issued_to__isnull=True)
    return models.CheckConstraint(
        condition=(issued & both) | (~issued & none), name=f"{noun}_parties_when_issued"
    )
