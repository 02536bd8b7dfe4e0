"""Columns that our tables share: prefixed ids and exact four-place decimals."""

from __future__ import annotations

from functools import partial
from typing import Any, TypeVar

from django.db import models

from partway.accounts.fields import ExactDecimalField
from partway.accounts.models import Organization
from partway.lib.ids import new_id

__all__ = ["ExactDecimalField", "OrganizationQuerySet", "id_field"]

M = TypeVar("M", bound=models.Model)


def id_field(prefix: str) -> Any:
    """A primary key that is also the public id, as `inv_01k3…`."""
    return models.CharField(primary_key=True, max_length=40, default=partial(new_id, prefix), editable=False)


class OrganizationQuerySet(models.QuerySet[M]):
    """Rows of one organization: the only way a door may look anything up (DESIGN D5)."""

    def for_organization(self, organization: Organization) -> OrganizationQuerySet[M]:
        """Only this organization's rows."""
        return self.filter(organization=organization)
