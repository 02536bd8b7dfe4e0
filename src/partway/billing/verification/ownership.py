"""Each row and all it refers to belong to one organization (DESIGN D5)."""

from __future__ import annotations

from django.db.models import Exists, Model, OuterRef, Q, Value
from django.db.models.functions import Coalesce

from partway.accounts.models import GatewayAccount

from ..models import Alert, Allocation, Customer, Event, Invoice, Mail, Payment, PaymentRequest, Quote
from .checks import TableCheck, check, no_rows_where


def _fits(other: type[Model], noun: str, *shared: str) -> Exists:
    """Whether what the row calls `noun` is of the same organization, and agrees with it on these columns."""
    agreeing = other._default_manager.filter(pk=OuterRef(noun), organization=OuterRef("organization"))
    for column in shared:
        agreeing = agreeing.annotate(**{f"its_{column}": Coalesce(f"{column}_id", Value(""))})
        agreeing = agreeing.filter(**{f"its_{column}": Coalesce(OuterRef(f"{column}_id"), Value(""))})
    return Exists(agreeing)


def _has(noun: str) -> Q:
    return Q(**{f"{noun}__isnull": False})


def _of_one(model: type[Model], **others: type[Model]) -> list[TableCheck]:
    """Each is asked on its own, so that a database can join; what is asked at once it would look up row by row."""
    message = "is of {{organization}}, and {noun} {{{noun}}} is not"
    return [
        no_rows_where(model, _has(noun) & ~_fits(other, noun), message.format(noun=noun))
        for noun, other in others.items()
    ]


CHECKS = (
    check(
        "D5",
        "a row and all that it refers to belong to one organization",
        *_of_one(Invoice, customer=Customer, quote=Quote),
        *_of_one(Quote, customer=Customer),
        *_of_one(PaymentRequest, invoice=Invoice),
        *_of_one(Payment, invoice=Invoice, quote=Quote, payment_request=PaymentRequest),
        *_of_one(Payment, gateway_account=GatewayAccount),
        *_of_one(Allocation, payment=Payment, invoice=Invoice),
        *_of_one(Alert, payment=Payment, invoice=Invoice),
        *_of_one(Event, customer=Customer),
        # What a payment belongs to is asked of the payment itself, and so on: one look settles the others.
        no_rows_where(
            Event,
            _has("payment") & ~_fits(Payment, "payment", "payment_request", "invoice", "quote"),
            "{type} does not fit {payment}",
        ),
        no_rows_where(
            Event,
            _has("payment_request") & ~_has("payment") & ~_fits(PaymentRequest, "payment_request", "invoice"),
            "{type} does not fit {payment_request}",
        ),
        no_rows_where(
            Event,
            _has("invoice") & ~_has("payment_request") & ~_has("payment") & ~_fits(Invoice, "invoice"),
            "{type} does not fit {invoice}",
        ),
        no_rows_where(
            Event, _has("quote") & ~_has("payment") & ~_fits(Quote, "quote"), "{type} does not fit {quote}"
        ),
        no_rows_where(
            Mail,
            _has("event") & ~_fits(Event, "event", "payment", "payment_request", "invoice", "quote"),
            "{kind} does not fit {event}, of which it tells",
        ),
    ),
)
