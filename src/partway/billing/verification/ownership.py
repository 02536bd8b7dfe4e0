"""Checks that each row and all that it refers to belong to one organization (DESIGN D5)."""

from __future__ import annotations

from django.db.models import Exists, Model, OuterRef, Q, Value
from django.db.models.functions import Coalesce

from partway.accounts.models import GatewayAccount, Logo

from ..models import (
    Adjustment,
    Alert,
    Allocation,
    Customer,
    Dispute,
    Event,
    Invoice,
    Mail,
    Party,
    Payment,
    PaymentRequest,
    Payout,
    Quote,
    Refund,
)
from .checks import TableCheck, check, no_rows_where


def _matches(other: type[Model], noun: str, *shared: str) -> Exists:
    """Returns whether the row in the column `noun` has the same organization and the same values in these columns."""
    matching = other._default_manager.filter(pk=OuterRef(noun), organization=OuterRef("organization"))
    for column in shared:
        matching = matching.annotate(**{f"its_{column}": Coalesce(f"{column}_id", Value(""))})
        matching = matching.filter(**{f"its_{column}": Coalesce(OuterRef(f"{column}_id"), Value(""))})
    return Exists(matching)


def _has(noun: str) -> Q:
    return Q(**{f"{noun}__isnull": False})


def _same_organization(model: type[Model], **others: type[Model]) -> list[TableCheck]:
    """Returns one part per reference: each alone becomes a join, all in one would be looked up row by row."""
    message = "is of {{organization}}, and {noun} {{{noun}}} is not"
    return [
        no_rows_where(model, _has(noun) & ~_matches(other, noun), message.format(noun=noun))
        for noun, other in others.items()
    ]


CHECKS = (
    check(
        "D5",
        "a row and all that it refers to belong to one organization",
        *_same_organization(Invoice, customer=Customer, quote=Quote, issued_by=Party, issued_to=Party),
        *_same_organization(Quote, customer=Customer, issued_by=Party, issued_to=Party),
        *_same_organization(PaymentRequest, invoice=Invoice),
        *_same_organization(Payment, invoice=Invoice, quote=Quote, payment_request=PaymentRequest),
        *_same_organization(Payment, gateway_account=GatewayAccount, issued_by=Party, issued_to=Party),
        *_same_organization(Party, logo=Logo),
        *_same_organization(Allocation, payment=Payment, invoice=Invoice, refund=Refund, dispute=Dispute),
        *_same_organization(
            Adjustment, invoice=Invoice, taken_from=Adjustment, refund=Refund, dispute=Dispute
        ),
        *_same_organization(Refund, payment=Payment),
        *_same_organization(Dispute, payment=Payment),
        *_same_organization(Alert, payment=Payment, invoice=Invoice),
        *_same_organization(Payout, gateway_account=GatewayAccount),
        *_same_organization(Event, customer=Customer, payout=Payout),
        # An event is compared with its most specific row, whose own references have parts above.
        no_rows_where(
            Event,
            _has("payment") & ~_matches(Payment, "payment", "payment_request", "invoice", "quote"),
            "{type} does not fit {payment}",
        ),
        no_rows_where(
            Event,
            _has("payment_request")
            & ~_has("payment")
            & ~_matches(PaymentRequest, "payment_request", "invoice"),
            "{type} does not fit {payment_request}",
        ),
        no_rows_where(
            Event,
            _has("invoice") & ~_has("payment_request") & ~_has("payment") & ~_matches(Invoice, "invoice"),
            "{type} does not fit {invoice}",
        ),
        no_rows_where(
            Event, _has("quote") & ~_has("payment") & ~_matches(Quote, "quote"), "{type} does not fit {quote}"
        ),
        no_rows_where(
            Mail,
            _has("event") & ~_matches(Event, "event", "payment", "payment_request", "invoice", "quote"),
            "{kind} does not fit {event}, which it is about",
        ),
    ),
)
