"""The columns in which a program keeps what it knows a row by: its own reference, and metadata."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q


class ExternalFieldsModel(models.Model):
    """A row that programs may give a reference of their own, and metadata: texts by key, which mean nothing here."""

    # None of a row without one, so that the index of the constraint has only rows that have one.
    external_reference = models.CharField(max_length=100, null=True)
    metadata = models.JSONField(default=dict)

    class Meta:
        abstract = True

    kind: ClassVar[str]  # the noun of its events


def external_reference_unique(noun: str) -> models.UniqueConstraint:
    """Holds that two rows of one kind and organization never have the same reference; lists filter by its index."""
    return models.UniqueConstraint(
        fields=["organization", "external_reference"],
        condition=Q(external_reference__isnull=False),
        name=f"{noun}_external_reference_unique",
    )
