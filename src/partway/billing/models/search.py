"""Searches rows by words, in their own search key and in those of the rows that they name.

The rows of a word are looked up in indexes, up to a limit; the other words are asked of these rows alone. Where no word
has so few, a list finds its rows near each other in its order, so each row is asked
(docs/decisions/0067-search-by-trigrams.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from django.core.exceptions import EmptyResultSet
from django.db.models import CharField, F, Func, Lookup, Model, Q, QuerySet

from partway.accounts.models import Organization
from partway.lib.folding import search_words, whole_line
from partway.lib.natural_sort import key_range

from .search_index import MIN_LENGTH, ids_with, is_searched

MAX_FOUND = (
    1_000  # rows of one word or filter that are read at once, so that a page costs the same in larger books
)

RowsT = TypeVar("RowsT", bound=QuerySet[Any])
Word = tuple[str, ...]  # the spellings of one word


class AnyOf(Lookup):
    """The condition that a column is one of many texts, which Django and psycopg would pass on one by one."""

    lookup_name = "any_of"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        """Writes column IN (%s, %s, …); raises EmptyResultSet where there are none."""
        if not self.rhs:
            raise EmptyResultSet
        column, params = self.process_lhs(compiler, connection)
        return f"{column} IN ({', '.join(['%s'] * len(self.rhs))})", (*params, *self.rhs)

    def as_postgresql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        """Writes column = ANY(%s), with a list as parameter; raises EmptyResultSet where it is empty."""
        if not self.rhs:
            raise EmptyResultSet
        column, params = self.process_lhs(compiler, connection)
        return f"{column} = ANY(%s)", (*params, list(self.rhs))


class Unindexed(Func):
    """A column whose index SQLite leaves: without statistics it prefers all rows of an organization to a few ids."""

    template = "%(expressions)s"
    arity = 1

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """Writes +column."""
        return self.as_sql(compiler, connection, template="+%(expressions)s", **context)


class Search:
    """The words that were typed into an organization's search; what was found is kept for the next kind of rows.

    A word is found in the search key of a row and of those that its `searched_through` names; of a document also as its
    number, in any case and with any leading zeros. Nothing is found where nothing is left to search for.
    """

    def __init__(self, typed: str, organization: Organization) -> None:
        self.typed = typed
        self._words = search_words(typed)
        self.organization = organization
        self._known: dict[Any, list[str] | None] = {}

    def among(self, rows: RowsT, *, or_ids: Sequence[str] = ()) -> RowsT:
        """Returns the organization's rows that contain each of the words, and those with one of the ids `or_ids`.

        rows: of all organizations; the first filter, since what follows must not choose an index.
        """
        if not self._words:
            return self._with_ids(rows, or_ids)
        left = list(self._words)
        found = rows.filter(organization=self.organization)
        for word in self._words:
            if (ids := self._ids(rows.model, word)) is not None:
                left.remove(word)
                found = self._with_ids(rows, [*ids, *or_ids])
                break
        for word in left:
            has_word = _has_word(rows.model, word)
            found = found.filter(has_word | Q(pk__in=or_ids) if or_ids else has_word)
        return found

    def finds_few(self, model: type[Any]) -> bool:
        """Whether the rows of a model are looked up; else each is asked, since every word has more than MAX_FOUND."""
        return not self._words or any(self._ids(model, word) is not None for word in self._words)

    def _with_ids(self, rows: RowsT, ids: Sequence[str]) -> RowsT:
        own = rows.alias(own=Unindexed("organization", output_field=CharField()))
        return own.filter(AnyOf(F("pk"), ids), own=self.organization.pk)

    def _ids(self, model: type[Any], word: Word) -> list[str] | None:
        """Returns the ids of the rows that contain a word; None of more than MAX_FOUND."""
        if (model, word) not in self._known:
            self._known[model, word] = self._read_ids(model, word)
        return self._known[model, word]

    def _read_ids(self, model: type[Any], word: Word) -> list[str] | None:
        found: set[str] = set()
        conditions = []
        if is_searched(model) and (texts := _indexed_texts(word)):
            own = ids_with(model, texts, self.organization.pk, limit=MAX_FOUND)
            if own is None:
                return None
            found.update(own)
        if other := _by_other_index(model, word):
            conditions.append(other & Q(organization=self.organization))
        for name in model.searched_through:
            related = self._ids(model._meta.get_field(name).related_model, word)
            if related is None:
                return None
            if related:
                conditions.append(Q(AnyOf(F(name), related)))
        for condition in conditions:
            matching = model._default_manager.filter(condition)
            found.update(matching.values_list("pk", flat=True)[: MAX_FOUND + 1])
            if len(found) > MAX_FOUND:
                return None
        return list(found)


def ids_of_text(model: type[Model], text: str, organization: Organization) -> list[str]:
    """Returns the ids of rows of which one searched text is this one in full, in any capitals and accents.

    None of a text that more than MAX_FOUND rows have.
    """
    return ids_with(model, [whole_line(text)], organization.pk, limit=MAX_FOUND) or []


def _has_word(model: type[Any], word: Word, path: str = "") -> Q:
    """Selects rows that contain a word, asking each row by joins; `path` leads to this model."""
    found = _by_other_index(model, word, path)
    if is_searched(model):
        for text in _indexed_texts(word):
            found |= Q(**{f"{path}search_key__contains": text})
    for name in model.searched_through:
        found |= _has_word(model._meta.get_field(name).related_model, word, f"{path}{name}__")
    return found


def _indexed_texts(word: Word) -> list[str]:
    """Returns the texts of which a search key must have one: in full, or of two letters where a word begins.

    Two letters of a script without spaces are looked for by `_by_other_index`.
    """
    texts: list[str] = []
    for spelling in word:
        if len(spelling) >= MIN_LENGTH:
            texts.append(spelling)
        elif len(spelling) == MIN_LENGTH - 1 and _is_beginning(spelling):
            texts += [start + spelling for start in "\n -"]
    return texts


def _by_other_index(model: type[Any], word: Word, path: str = "") -> Q:
    """Selects documents by their number, and customers by one letter or by two of a script without spaces."""
    names = {field.name for field in model._meta.concrete_fields}
    found = Q()
    if "number_key" in names:
        first, beyond = key_range(word[0])
        found = Q(**{f"{path}number_key__gte": first, f"{path}number_key__lt": beyond})
    elif not model.searched_through:  # named by others: few, and their keys have an index of their own
        for spelling in word:
            if len(spelling) < MIN_LENGTH and not _is_beginning(spelling):
                found |= Q(**{f"{path}search_key__contains": spelling})
            elif len(spelling) == 1:  # and the name begins with it
                key = f"{path}search_key"
                found |= Q(**{f"{key}__gte": f"\n{spelling}", f"{key}__lt": f"\n{chr(ord(spelling) + 1)}"})
    return found


def _is_beginning(short: str) -> bool:
    """Whether one or two characters are looked for where a word begins, and not within words too."""
    return short.isascii() and short.isalnum()
