"""Checks that the parties of what was issued are those of its event, and that no party was altered (DESIGN D9)."""

from __future__ import annotations

from django.db.models import F, Model, OuterRef, Q, Subquery, TextField, Value
from django.db.models.fields.json import KT
from django.db.models.functions import Coalesce, Concat

from partway.accounts.models import Logo

from ..models import Event, Invoice, Party, Payment, Quote
from ..models.payments import RECEIVED_STATUSES
from .checks import Findings, Rows, TableCheck, check, no_rows_where


def _as_its_events_say(model: type[Model], issued: Q, *types: str) -> TableCheck:
    """Returns a part that finds each issued row whose parties are not those of the last event that names any."""
    named = Concat(KT("data__issued_by"), Value(" "), KT("data__issued_to"), output_field=TextField())
    events = Event.objects.filter(type__in=types, **{model.__name__.lower(): OuterRef("pk")})
    # A correction says which version it replaced. The clocks of two machines differ, versions do not.
    last_first = events.order_by(F("data__before__version").desc(nulls_last=True))
    stored = Concat(Coalesce("issued_by_id", Value("")), Value(" "), Coalesce("issued_to_id", Value("")))
    return no_rows_where(
        model,
        issued & ~Q(stored=F("named")),
        "issued by and to {stored}, its event says “{named}”",
        stored=stored,
        named=Coalesce(Subquery(last_first.values_list(named)[:1]), Value(""), output_field=TextField()),
    )


def _altered(rows: Rows) -> Findings:
    """Compares each row with its id, which is the digest of its content."""
    for row in rows.iterator():
        if row.content_id() != row.pk:
            yield row.pk, "was altered: its id is not that of its content"


CHECKS = (
    check(
        "D9",
        "what was issued shows the parties that its event names",
        _as_its_events_say(Invoice, Q(sent_at__isnull=False), "invoice.sent", "invoice.parties_corrected"),
        _as_its_events_say(Quote, Q(sent_at__isnull=False), "quote.sent"),
        _as_its_events_say(Payment, Q(status__in=RECEIVED_STATUSES), "payment.succeeded", "payment.recorded"),
    ),
    check(
        "D9",
        "a party and a logo are what they were when they were stored",
        TableCheck(Party, _altered),
        TableCheck(Logo, _altered),
    ),
)
