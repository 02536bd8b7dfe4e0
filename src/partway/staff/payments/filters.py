"""The filters of the list of payments, which narrow each kind of rows in its own way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from partway.accounts.models import GatewayAccount
from partway.billing.models import Event, Invoice, Payment, PaymentRequest, Quote
from partway.delivery.formats import current_locale, format_money
from partway.delivery.messages.numbers import number_message
from partway.delivery.receipt_figures import method_label
from partway.gateways.registry import GATEWAYS
from partway.lib.money import EXPONENTS, parse_money
from partway.lib.texts import gettext_noop
from partway.lib.typed_numbers import NumberError

from ..context import MemberContext
from ..keyset_pages import few_values
from ..list_filters import (
    Filtered,
    InvalidFilter,
    Reader,
    apply_to,
    of_customers,
    of_words,
    one_of,
    people,
    range_label,
    read_range,
    shorten,
)
from .sources import SOURCES, Source

# The rows of each kind that are left; one that is missing has none.
Rows = dict[Source, QuerySet[Any]]

KINDS: dict[str, str | Promise] = {
    "payment": _("Payments"),
    "refund": _("Refunds"),
    "dispute": _("Disputes"),
    "adjustment": _("Adjustments"),
}
STATES: dict[str, str | Promise] = {
    "succeeded": _("Succeeded"),
    "in_progress": _("In progress"),
    "failed": _("Failed"),
    "canceled": _("Canceled"),
    "reversed": _("Reversed"),
    "partly_refunded": _("Partly refunded"),
    "refunded": _("Refunded"),
    "disputed": _("Disputed"),
    "lost": _("Lost in a dispute, or returned by the bank"),
    "won": _("Dispute won"),
    "settled": _("Settled"),
    "taken_back": _("Taken back"),
}
_MAX_MINOR = 2**63 - 1  # of any column
_PAID = ("paid_from", "paid_until")
OFFLINE = "offline"  # a gateway that is none


def apply_filters(ctx: MemberContext) -> Filtered[Rows]:
    """Applies every filter of the address that can be read to the rows of this organization."""
    return apply_to({source: source.select(ctx.organization) for source in SOURCES}, ctx, FILTERS)


def _narrow(rows: Rows, condition: Callable[[Source], Q | None]) -> Rows:
    """Filters each kind by its own condition; None selects no row of that kind."""
    conditions = {source: condition(source) for source in rows}
    return {source: rows[source].filter(found) for source, found in conditions.items() if found is not None}


def _read_paid(rows: Rows, ctx: MemberContext, texts: list[str]) -> tuple[Rows, str]:
    """By days of the organization's own calendar (DESIGN D7)."""
    first, last = read_range(texts)
    zone = ctx.organization.time_zone

    def condition(source: Source) -> Q:
        since = source.since(first, zone) if first else Q()
        return since & source.until(last, zone) if last else since

    return _narrow(rows, condition), range_label(first, last)


def within_days(rows: Rows, filtered: Filtered[Rows], ctx: MemberContext) -> Rows:
    """Narrows rows to the days that were filtered by, which the order of the list begins with."""
    texts = [filtered.query.get(name, "") for name in _PAID]
    return _read_paid(rows, ctx, texts)[0] if any(texts) else rows


def _of_payments(rows: Rows) -> Rows:
    """Returns the rows that are payments: the others have no index of what they take from their payment."""
    return {source: selected for source, selected in rows.items() if source.kind == "payment"}


def _read_method(rows: Rows, ctx: MemberContext, texts: list[str]) -> tuple[Rows, str, Rows]:
    """Any text: an organization may have had other payment modes before."""
    found = _narrow(rows, lambda source: source.has_method(texts[0]))
    return found, method_label(texts[0]), _of_payments(found)


def _read_gateway(rows: Rows, ctx: MemberContext, texts: list[str]) -> tuple[Rows, str, Rows]:
    if texts[0] == OFFLINE:
        found = _narrow(rows, lambda source: source.offline)
        return found, gettext("Offline"), _of_payments(found)
    if texts[0] not in GATEWAYS:
        message = gettext("There is no payment service “%(gateway)s”.")
        raise InvalidFilter(message % {"gateway": shorten(texts[0])})

    accounts = GatewayAccount.objects.filter(organization=ctx.organization, gateway=texts[0])

    def condition(source: Source) -> Q | None:
        if not source.gateway_account:
            return None
        through = Q(**{f"{source.gateway_account}__in": accounts.values("pk")})
        return through & ~source.offline if source.offline else through

    found = _narrow(rows, condition)
    return found, gettext(GATEWAYS[texts[0]].name), _of_payments(found)


def _read_member(rows: Rows, ctx: MemberContext, texts: list[str]) -> tuple[Rows, str, Rows | None]:
    """The member who requested, recorded or reversed it."""
    name = people(ctx).get(texts[0])
    if name is None:
        raise InvalidFilter(gettext("There is no member “%(member)s”.") % {"member": shorten(texts[0])})
    found = _narrow(rows, lambda source: source.has_member(texts[0]))
    events = Event.objects.for_organization(ctx.organization).filter(actor_kind="member", actor_id=texts[0])
    requests = PaymentRequest.objects.for_organization(ctx.organization).filter(requested_by=texts[0])
    acts, requested = (few_values(each, "pk") for each in (events, requests))
    if acts is None or requested is None:
        return found, name, None
    ids = list(events.filter(payment__isnull=False).values_list("payment", flat=True))
    ids += Payment.objects.filter(payment_request__in=requested).values_list("pk", flat=True)
    return found, name, _with_ids(_of_payments(found), lambda _source: ids)


def _with_ids(rows: Rows, ids: Callable[[Source], list[str] | None]) -> Rows:
    """Returns the rows of each kind that were looked up: by their ids alone, since SQLite prefers other indexes."""
    found = {source: ids(source) for source in rows}
    return {source: source.every.filter(pk__in=pks) for source, pks in found.items() if pks is not None}


def _of_customers(rows: Rows, customers: list[str]) -> tuple[Rows, Rows | None]:
    found = _narrow(rows, lambda source: source.in_documents_of(customers))
    invoices, quotes = (
        few_values(each.objects.filter(customer__in=customers), "pk") for each in (Invoice, Quote)
    )
    if invoices is None or quotes is None:
        return found, None
    payments = few_values(Payment.objects.filter(invoice__in=invoices), "pk")
    deposits = few_values(Payment.objects.filter(quote__in=quotes), "pk")
    if payments is None or deposits is None:
        return found, None
    payments += deposits
    of_kind: dict[str, Callable[[Source], list[str] | None]] = {
        "payment": lambda _source: payments,
        "adjustment": lambda source: few_values(source.rows.filter(invoice__in=invoices), "pk"),
        **dict.fromkeys(
            ("refund", "dispute"),
            lambda source: few_values(source.rows.filter(payment__in=payments), "pk"),
        ),
    }
    return found, _with_ids(found, lambda source: of_kind[source.kind](source))


def _read_amount(rows: Rows, ctx: MemberContext, texts: list[str]) -> tuple[Rows, str, Rows]:
    """In one currency, since amounts of two do not compare (DESIGN M1): the organization's where none is named."""
    currency = texts[2].upper() or ctx.organization.currency
    if currency not in EXPONENTS:
        message = gettext("“%(text)s” is not a currency. Write its three letters, like USD.")
        raise InvalidFilter(message % {"text": shorten(texts[2])})
    try:
        limits = [parse_money(text or "0", currency, locale=current_locale()) for text in texts[:2]]
    except NumberError as error:
        raise InvalidFilter(number_message(error)) from None
    names = {"least": format_money(limits[0]), "most": format_money(limits[1]), "currency": currency}
    least, most = limits[0].amount_minor, limits[1].amount_minor if texts[1] else _MAX_MINOR
    if most < least:
        raise InvalidFilter(gettext("%(most)s is less than %(least)s: swap the two amounts.") % names)
    labels = {
        (True, True): "%(least)s" if least == most else "%(least)s – %(most)s",
        (True, False): gettext("at least %(least)s"),
        (False, True): gettext("at most %(most)s"),
        (False, False): gettext("in %(currency)s"),
    }
    label = labels[bool(texts[0]), bool(texts[1])] % names
    found = _narrow(rows, lambda source: source.has_amount(least, most, currency))
    ids = {source: source.ids_with_amount(ctx.organization, least, most, currency) for source in found}
    return found, label, _with_ids(found, ids.get)


# The parts of the address that each filter is made of, and its reader.
FILTERS: dict[tuple[str, ...], Reader[Rows]] = {
    ("q",): of_words(
        lambda search: {source: source.select(search.organization, search) for source in SOURCES},
        lambda search, found: {
            source: rows for source, rows in found.items() if search.finds_few(source.rows.model)
        },
    ),
    ("kind",): one_of(
        KINDS,
        gettext_noop("There is no kind “%(text)s”."),
        lambda rows, kind: _narrow(rows, lambda source: Q() if source.kind == kind else None),
    ),
    ("state",): one_of(
        STATES,
        gettext_noop("There is no state “%(text)s”."),
        lambda rows, state: _narrow(rows, lambda source: source.states.get(state)),
    ),
    _PAID: _read_paid,
    ("method",): _read_method,
    ("gateway",): _read_gateway,
    ("customer",): of_customers(_of_customers),
    ("member",): _read_member,
    ("amount_from", "amount_until", "currency"): _read_amount,
}
