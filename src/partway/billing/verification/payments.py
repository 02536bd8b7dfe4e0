"""Checks payments, the calls to gateways and their callbacks (DESIGN P1 to P7)."""

from __future__ import annotations

from django.db.models import Exists, F, OuterRef, Q, Value
from django.db.models.fields.json import KT
from django.db.models.functions import Coalesce, Concat, NullIf, StrIndex, Substr

from partway.accounts.models import GatewayAccount

from ..models import Alert, Callback, Dispute, Event, GatewayCall, Payment, Payout, Refund
from ..models.payments import RECEIVED_STATUSES, UNDER_WAY, UNSETTLED, UNWANTED
from .checks import check, no_rows_where

_UNSETTLED = Q(status__in=UNSETTLED)
_EARLIER = Payment.objects.filter(UNDER_WAY, pk__lt=OuterRef("pk"))
_HAS_START_CALL = Exists(GatewayCall.objects.filter(payment=OuterRef("pk"), operation="start"))
_PREVIOUS_ATTEMPT = GatewayCall.objects.filter(
    payment=OuterRef("payment"), operation=OuterRef("operation"), attempt=OuterRef("attempt") - 1
)
_HAS_EARLIER = Exists(_PREVIOUS_ATTEMPT.filter(refund=OuterRef("refund")))
_IN_PROGRESS = Q(outcome="in_progress")
_CAPTURED = Q(status="succeeded", gateway_account__isnull=False)
_SUCCEEDED_EVENTS = Event.objects.filter(type="payment.succeeded", payment=OuterRef("pk"))
_ALERTS = Alert.objects.filter(
    payment=OuterRef("pk"), kind__in=("unwanted_payment", "captured_amount_mismatch")
)
_RESOLVED_EVENTS = Event.objects.filter(
    type="alert.resolved", organization=OuterRef("organization"), created_at=OuterRef("resolved_at")
)
_BOOKED = Payment.objects.filter(
    gateway_account=OuterRef("gateway_account"), checkout_ref=OuterRef("checkout_ref")
)
_BOOKED_PAYOUT = Payout.objects.filter(
    gateway_account=OuterRef("gateway_account"), gateway_ref=OuterRef("payout_ref")
)
# One alert per checkout, payout or other object, the first that a callback names.
_NAMED = Coalesce(NullIf("checkout_ref", Value("")), NullIf("payout_ref", Value("")), "object_ref")
_ALERT_SUBJECT = Substr(Concat("gateway_account", Value(":"), _NAMED), 1, 200)
# As text: PostgreSQL compares no column with JSON.
_AUTOMATIC_EVENTS = Event.objects.annotate(named=KT("data__refund")).filter(
    type="refund.started", payment=OuterRef("payment"), named=OuterRef("pk"), data__automatic=True
)
_CALLBACK_ALERTS = Alert.objects.filter(kind="unmatched_callback", subject=OuterRef("about"))
_ACCOUNTS = GatewayAccount.objects.filter(organization=OuterRef("organization"))
_SUBJECT_ACCOUNTS = _ACCOUNTS.annotate(at=StrIndex(OuterRef("subject"), Concat("pk", Value(":")))).filter(
    at=1
)
_IS_ABOUT_DISPUTE = Exists(Dispute.objects.filter(pk=OuterRef("subject"), payment=OuterRef("payment")))

CHECKS = (
    check(
        "P1",
        "at most one payment is under way per invoice, and per quote",
        *(
            no_rows_where(
                Payment,
                UNDER_WAY & Exists(_EARLIER.filter(**{noun: OuterRef(noun)})),
                f"{{status}} beside an earlier one of {{{noun}}}",
            )
            for noun in ("invoice", "quote")
        ),
    ),
    check(
        "P3",
        "whether a processing or received payment is accepted is stored, as the event of its end says",
        no_rows_where(
            Payment,
            Q(status__in=("processing", *RECEIVED_STATUSES), accepted__isnull=True),
            "{status}, but accepted is not set",
        ),
        *(
            no_rows_where(
                Payment,
                _CAPTURED & Q(accepted=accepted) & ~Exists(_SUCCEEDED_EVENTS.filter(data__accepted=accepted)),
                "accepted is {accepted}, which no event says",
            )
            for accepted in (True, False)
        ),
    ),
    check(
        "P3",
        "a payment that was not accepted has an alert, and a resolved alert has the event of it",
        no_rows_where(
            Payment,
            Q(status="succeeded", accepted=False) & ~Exists(_ALERTS),
            "succeeded without being accepted, and no alert was raised",
        ),
        no_rows_where(
            Payment,
            UNWANTED & ~Exists(Alert.objects.filter(payment=OuterRef("pk"), kind="unwanted_debit")),
            "is being processed unwanted, and no alert was raised",
        ),
        no_rows_where(
            Alert,
            Q(resolved_at__isnull=False) & ~Exists(_RESOLVED_EVENTS),
            "resolved at {resolved_at} by “{resolved_by}”, which no event says",
        ),
    ),
    check(
        "P3",
        "money that was not due goes back by itself at most once, through the gateway, as an event says",
        no_rows_where(
            Refund,
            Q(is_automatic=True)
            & (
                ~Q(mode="gateway")
                | Exists(
                    Refund.objects.filter(
                        is_automatic=True, payment=OuterRef("payment"), pk__lt=OuterRef("pk")
                    )
                )
                | ~Exists(_AUTOMATIC_EVENTS)
            ),
            "{mode} refund of {amount_minor} is automatic",
        ),
        no_rows_where(
            Refund,
            Q(is_automatic=False) & Exists(_AUTOMATIC_EVENTS),
            "an event says that it is automatic, and it is not",
        ),
    ),
    check(
        "P4",
        "each call of the gateway has a row: each checkout was started, attempts count from one",
        no_rows_where(Payment, ~Q(checkout_ref="") & ~_HAS_START_CALL, "has a checkout that no call started"),
        no_rows_where(
            GatewayCall,
            ~Q(attempt=1)
            & (Q(refund__isnull=True) & ~Exists(_PREVIOUS_ATTEMPT) | Q(refund__isnull=False) & ~_HAS_EARLIER),
            "{operation} {attempt} of {payment} has no previous attempt",
        ),
        no_rows_where(
            Refund,
            Q(mode="gateway", status="succeeded")
            & ~Exists(GatewayCall.objects.filter(refund=OuterRef("pk"))),
            "succeeded, but no call sent it",
        ),
        no_rows_where(
            GatewayCall,
            _IN_PROGRESS & Q(answered_at__isnull=False) | ~_IN_PROGRESS & Q(answered_at__isnull=True),
            "outcome “{outcome}”, answered at {answered_at}",
        ),
    ),
    check(
        "P5",
        "a payment that has ended has a time of settlement, and a failed one has a failure code",
        no_rows_where(
            Payment,
            _UNSETTLED & Q(settled_at__isnull=False) | ~_UNSETTLED & Q(settled_at__isnull=True),
            "{status}, settled at {settled_at}",
        ),
        no_rows_where(Payment, Q(status="failed", failure_code=""), "failed without a failure code"),
    ),
    check(
        "P7",
        "a callback is pending, or belongs to a payment or a payout, or has an alert",
        no_rows_where(
            Callback,
            Q(status="pending", processed_at__isnull=False)
            | ~Q(status="pending") & Q(processed_at__isnull=True),
            "{status}, processed at {processed_at}",
        ),
        no_rows_where(
            Callback,
            Q(status="processed")
            & (Q(payout_ref="") & ~Exists(_BOOKED) | ~Q(payout_ref="") & ~Exists(_BOOKED_PAYOUT)),
            "processed, but no payment has {checkout_ref}, and no payout {payout_ref}",
        ),
        no_rows_where(
            Callback,
            Q(status="unmatched") & ~Exists(_CALLBACK_ALERTS),
            "unmatched, but there is no alert about {about}",
            about=_ALERT_SUBJECT,
        ),
        no_rows_where(
            Alert,
            Q(payment__isnull=False) & ~Q(subject=F("payment")) & ~_IS_ABOUT_DISPUTE
            | Q(kind="unmatched_callback") & ~Exists(_SUBJECT_ACCOUNTS),
            "{kind} is about {subject}, which is not its own",
        ),
    ),
)
