"""Columns that follow from the text of other columns of their row: sort keys and search keys.

They are written with the text by `save`, by `bulk_create` and by `update` of a queryset, so that no act has to think of
them. Lists sort and search by them, since each database sorts and folds text in its own way.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Q
from django.db.models.functions import Length, Substr
from django.db.models.lookups import Exact
from django.utils.deconstruct import deconstructible

from partway.lib.folding import search_key
from partway.lib.natural_sort import UNNUMBERED, sort_key


class TextKeyField(models.Field):  # type: ignore[type-arg]
    """A column computed from the columns `sources`; what is assigned to it counts for nothing."""

    def __init__(self, *sources: str, **options: Any) -> None:
        super().__init__(**{**options, "editable": False})
        self.sources = sources

    def deconstruct(self) -> tuple[str, str, list[str], dict[str, Any]]:
        """Adds the sources, for migrations."""
        name, path, _args, options = super().deconstruct()
        options.pop("editable", None)
        return name, path, list(self.sources), options

    @abstractmethod
    def compute(self, row: Mapping[str, Any]) -> Any:
        """Returns the value for a row with these columns."""

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        """Computes the value whenever a row is saved."""
        value = self.compute({name: getattr(model_instance, name) for name in self.sources})
        setattr(model_instance, self.attname, value)
        return value


class SortKeyField(TextKeyField, models.BinaryField):  # type: ignore[type-arg]
    """The key of lib.natural_sort of one column; None has the key that sorts last."""

    def compute(self, row: Mapping[str, Any]) -> bytes:
        """Returns the key."""
        text = row[self.sources[0]]
        return UNNUMBERED if text is None else sort_key(text)


class SearchKeyField(TextKeyField, models.TextField):  # type: ignore[type-arg]
    """The key of lib.folding of several columns; models/search.py has its queries."""

    def compute(self, row: Mapping[str, Any]) -> str:
        """Returns the key."""
        return search_key(*(row[name] or "" for name in self.sources))

    def db_parameters(self, connection: BaseDatabaseWrapper) -> dict[str, Any]:
        """Compares byte by byte on PostgreSQL, as SQLite does: faster, and an index serves prefixes."""
        collation = "C" if connection.vendor == "postgresql" else None
        return {**super().db_parameters(connection), "collation": collation}


def text_keys(model: type[models.Model]) -> list[TextKeyField]:
    """Returns the computed columns of a model."""
    return [field for field in model._meta.concrete_fields if isinstance(field, TextKeyField)]


class TextKeyModel(models.Model):
    """A model with computed columns, which a partial save writes with their sources."""

    searched_through: ClassVar[tuple[str, ...]] = ()  # foreign keys to rows whose words find this one too

    class Meta:
        abstract = True

    def save(self, *args: Any, update_fields: Iterable[str] | None = None, **options: Any) -> None:
        """Saves the row; `update_fields` need not name computed columns."""
        if update_fields is not None:
            names = set(update_fields)
            update_fields = names | {key.attname for key in text_keys(type(self)) if names & {*key.sources}}
        super().save(*args, update_fields=update_fields, **options)


def computed_columns(model: type[models.Model], columns: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the computed columns that an update of these columns must write too; those it names are its own.

    Raises TypeError where one follows from a column that is not among them, or that the database computes: the update
    would leave a key of another text.
    """
    computed = {}
    for key in text_keys(model):
        if key.attname in columns or not columns.keys() & {*key.sources}:
            continue
        texts = {name: columns.get(name, ...) for name in key.sources}
        if not all(text is None or isinstance(text, str) for text in texts.values()):
            raise TypeError(
                f"{key.attname} follows from {key.sources}: write all of them, as text, or save rows"
            )
        computed[key.attname] = key.compute(texts)
    return computed


@deconstructible(path="partway.billing.models.text_keys.Utf8")
class Utf8(models.Func):
    """The bytes of a text, for constraints."""

    template = "CAST(%(expressions)s AS BLOB)"
    output_field = models.BinaryField()

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """Names the encoding, which PostgreSQL asks for."""
        return self.as_sql(compiler, connection, template="convert_to(%(expressions)s, 'UTF8')", **context)


def has_sort_key(noun: str, text: str, key: str) -> models.CheckConstraint:
    """Holds that a row has the key of its text, or of None the key that sorts last: a key ends with its text.

    Whatever writes a text past the models and forgets the key is refused by the database itself.
    """
    start = Length(key) - Length(Utf8(text)) + 1
    return models.CheckConstraint(
        condition=Q(**{f"{text}__isnull": True, key: UNNUMBERED})
        | (Q(**{f"{text}__isnull": False}) & Q(Exact(Substr(key, start), Utf8(text)))),
        name=f"{noun}_{text}_has_key",
    )
