"""Checks payouts: what they are made of, and that their events lead to what is stored (DESIGN M4, M6)."""

from __future__ import annotations

from django.db.models import Case, Exists, F, OuterRef, Q, Value, When

from ..models import Alert, Dispute, Payment, Payout, PayoutItem, Refund
from .checks import check, has_event, no_rows_where, total

_FACTS = {"amount_minor": "amount_minor", "currency": "currency", "arrives_on": "arrives_on"}
_SAYING_FACTS = ("payout.reported", "payout.changed", "payout.paid", "payout.failed")
_ALERTS = Alert.objects.filter(kind="payout_does_not_add_up")
_PAYMENTS = Payment.objects.filter(
    pk=OuterRef("payment"),
    gateway_account=OuterRef("payout__gateway_account"),
    checkout_ref=OuterRef("checkout_ref"),
)
_SOURCE = {"payment": OuterRef("payment"), "gateway_ref": OuterRef("source_ref")}

CHECKS = (
    check(
        "M4",
        "a payout is the sum of its items, and each of them its amount less its fee, or there is an alert",
        no_rows_where(
            Payout,
            ~Q(amount_minor=F("items_sum")) & ~Exists(_ALERTS.filter(subject=OuterRef("pk"))),
            "{amount_minor} {currency}, its items come to {items_sum}, and no alert was raised",
            items_sum=total(PayoutItem.objects.all(), "payout", "net_minor"),
        ),
        no_rows_where(
            PayoutItem,
            ~Q(net_minor=F("amount_minor") - F("fee_minor"))
            & ~Exists(_ALERTS.filter(subject=OuterRef("payout"))),
            "{amount_minor} less {fee_minor} is not {net_minor}, and no alert was raised",
        ),
        no_rows_where(PayoutItem, ~Q(currency=F("payout__currency")), "{currency} in a payout of {payout}"),
    ),
    check(
        "M6",
        "each payout has the event that began it, and its facts and its status are those of its events",
        no_rows_where(
            Payout,
            ~has_event("payout", "payout.reported", at="created_at"),
            "created at {created_at}: no event begins it",
        ),
        no_rows_where(
            Payout,
            ~has_event("payout", *_SAYING_FACTS, data_columns=_FACTS),
            "{amount_minor} {currency} on {arrives_on}, which no event says",
        ),
        no_rows_where(
            Payout,
            ~Q(status=F("said")),
            "{status}, its events lead to {said}",
            said=Case(
                When(has_event("payout", "payout.failed"), then=Value("failed")),
                When(has_event("payout", "payout.paid"), then=Value("paid")),
                default=Value("pending"),
            ),
        ),
    ),
    check(
        "M6",
        "an item of a payout is linked to the payment, the refund and the dispute that it names",
        no_rows_where(
            PayoutItem,
            Q(payment__isnull=False) & ~Exists(_PAYMENTS),
            "of {checkout_ref}, but linked to {payment}",
        ),
        *(
            no_rows_where(
                PayoutItem,
                Q(**{f"{noun}__isnull": False}) & ~Exists(model.objects.filter(pk=OuterRef(noun), **_SOURCE)),
                f"of {{source_ref}}, but linked to {{{noun}}}",
            )
            for noun, model in (("refund", Refund), ("dispute", Dispute))
        ),
    ),
)
