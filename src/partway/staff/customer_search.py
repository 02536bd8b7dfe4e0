"""Finds customers by what a member types: in the list of customers, and where a document is written for one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import QuerySet
from django.utils.translation import gettext, ngettext

from partway.accounts.models import Organization
from partway.billing.models import Customer
from partway.billing.models.search import Search
from partway.billing.models.search_index import MIN_LENGTH
from partway.delivery.formats import format_count

from .keyset_pages import Order, Readable, Stream, few_or_walked

BY_NAME = Order(("sort_key", "id"), is_whole=True)
_MAX_SUGGESTED = 6  # before a search: those added last
_MAX_SHOWN = 12  # of a search


@dataclass(slots=True)
class CustomerChoices:
    """The customers to choose from, the chosen one first, and how they were found."""

    customers: list[Customer]
    message: str


def find_customers(organization: Organization, typed: str) -> tuple[Sequence[Readable], int | None]:
    """Returns the customers of a search as a list reads them, and how many there are where they are few; else None."""
    mine: QuerySet[Customer] = Customer.objects.for_organization(organization)
    search = Search(typed, organization)
    # As a program of the member names them: too short or too common to be found among names.
    named = list(mine.filter(external_reference=typed).values_list("pk", flat=True))
    rows = search.among(Customer.objects.all(), or_ids=named)
    selections = [rows, mine] if search.finds_few(Customer) else [mine]
    return few_or_walked(rows, selections, walked=[Stream(mine)])


def choices(
    organization: Organization, *, typed: str, chosen_id: str, is_asked: bool = False
) -> CustomerChoices:
    """Returns the customers that a member can choose from.

    typed: the search; without one those added last are shown, but not beside a chosen one unless `is_asked`.
    """
    mine: QuerySet[Customer] = Customer.objects.for_organization(organization)
    chosen = list(mine.filter(pk=chosen_id))
    found = _found(mine, organization, typed) if typed else _newest(mine, is_asked=is_asked or not chosen)
    found.customers = [*chosen, *(customer for customer in found.customers if customer not in chosen)]
    return found


def _newest(mine: QuerySet[Customer], *, is_asked: bool) -> CustomerChoices:
    newest = list(mine.order_by("-created_at", "-id")[: _MAX_SUGGESTED + 1])
    if len(newest) <= _MAX_SUGGESTED:  # no search is needed
        return CustomerChoices(sorted(newest, key=lambda each: (bytes(each.sort_key), each.pk)), "")
    if not is_asked:
        return CustomerChoices([], "")
    return CustomerChoices(newest[:_MAX_SUGGESTED], gettext("These were added last. Search for any other."))


def _found(mine: QuerySet[Customer], organization: Organization, typed: str) -> CustomerChoices:
    found, stopped = BY_NAME.read(find_customers(organization, typed)[0], None, _MAX_SHOWN + 1)
    ids = [row[-1] for row in found][:_MAX_SHOWN]
    if stopped or len(found) > len(ids):
        text = gettext("More than %(count)s may match “%(typed)s”. Type more of the name or address.")
    elif ids:
        text = ngettext(
            "%(count)s customer matches “%(typed)s”.", "%(count)s customers match “%(typed)s”.", len(ids)
        )
    elif len(typed) < MIN_LENGTH:
        text = gettext("No customer is found by “%(typed)s”. Type three letters or more, or add a new one.")
    else:
        text = gettext("No customer matches “%(typed)s”. Type less of it, or add a new customer.")
    message = text % {"count": format_count(len(ids)), "typed": typed}
    return CustomerChoices(list(mine.filter(pk__in=ids).order_by(*BY_NAME.columns)), message)
