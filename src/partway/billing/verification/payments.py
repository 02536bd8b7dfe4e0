"""Payments and what the gateway was asked and told us (DESIGN P1 to P7)."""

from __future__ import annotations

from django.db.models import Exists, F, OuterRef, Q, Value
from django.db.models.functions import Concat, StrIndex, Substr

from partway.accounts.models import GatewayAccount

from ..models import Alert, Callback, Event, GatewayCall, Payment
from ..models.payments import RECEIVED_STATUSES, UNSETTLED
from .checks import check, no_rows_where

_UNSETTLED = Q(status__in=UNSETTLED)
_EARLIER = Payment.objects.filter(_UNSETTLED, pk__lt=OuterRef("pk"))
_STARTED = Exists(GatewayCall.objects.filter(payment=OuterRef("pk"), operation="start"))
_BEFORE = GatewayCall.objects.filter(
    payment=OuterRef("payment"), operation=OuterRef("operation"), attempt=OuterRef("attempt") - 1
)
_IN_PROGRESS = Q(outcome="in_progress")
_CAME_IN = Q(status="succeeded", gateway_account__isnull=False)
_TOLD = Event.objects.filter(type="payment.succeeded", payment=OuterRef("pk"))
_FLAGGED = Alert.objects.filter(
    payment=OuterRef("pk"), kind__in=("unwanted_payment", "captured_amount_mismatch")
)
_DEALT_WITH = Event.objects.filter(
    type="alert.resolved", organization=OuterRef("organization"), created_at=OuterRef("resolved_at")
)
_BOOKED = Payment.objects.filter(
    gateway_account=OuterRef("gateway_account"), checkout_ref=OuterRef("checkout_ref")
)
_UNKNOWN = Substr(Concat("gateway_account", Value(":"), "checkout_ref"), 1, 200)  # one flag for each checkout
_HANDED_OVER = Alert.objects.filter(kind="unmatched_callback", subject=OuterRef("about"))
_OURS = GatewayAccount.objects.filter(organization=OuterRef("organization"))
_ABOUT_OURS = _OURS.annotate(at=StrIndex(OuterRef("subject"), Concat("pk", Value(":")))).filter(at=1)

CHECKS = (
    check(
        "P1",
        "at most one payment is unsettled per invoice, and per quote",
        *(
            no_rows_where(
                Payment,
                _UNSETTLED & Exists(_EARLIER.filter(**{noun: OuterRef(noun)})),
                f"{{status}} beside an earlier one of {{{noun}}}",
            )
            for noun in ("invoice", "quote")
        ),
    ),
    check(
        "P3",
        "of a payment that is moving or came in it is known whether it was wanted, as the event of its end tells",
        no_rows_where(
            Payment,
            Q(status__in=("processing", *RECEIVED_STATUSES), accepted__isnull=True),
            "{status}, and nobody decided whether it is wanted",
        ),
        *(
            no_rows_where(
                Payment,
                _CAME_IN & Q(accepted=wanted) & ~Exists(_TOLD.filter(data__accepted=wanted)),
                "accepted is {accepted}, which no event tells",
            )
            for wanted in (True, False)
        ),
    ),
    check(
        "P3",
        "what nobody wanted stands on the Attention page, until somebody dealt with it",
        no_rows_where(
            Payment,
            Q(status="succeeded", accepted=False) & ~Exists(_FLAGGED),
            "came in unwanted, and no flag was raised",
        ),
        no_rows_where(
            Alert,
            Q(resolved_at__isnull=False) & ~Exists(_DEALT_WITH),
            "resolved at {resolved_at} by “{resolved_by}”, which no event tells",
        ),
    ),
    check(
        "P4",
        "the gateway was never called without a row: each checkout was started, attempts count from one on",
        no_rows_where(Payment, ~Q(checkout_ref="") & ~_STARTED, "has a checkout that no call started"),
        no_rows_where(
            GatewayCall,
            ~Q(attempt=1) & ~Exists(_BEFORE),
            "{operation} {attempt} of {payment} follows no attempt",
        ),
        no_rows_where(
            GatewayCall,
            _IN_PROGRESS & Q(answered_at__isnull=False) | ~_IN_PROGRESS & Q(answered_at__isnull=True),
            "outcome “{outcome}”, answered at {answered_at}",
        ),
    ),
    check(
        "P5",
        "a payment is settled when it has ended, and one that failed says why",
        no_rows_where(
            Payment,
            _UNSETTLED & Q(settled_at__isnull=False) | ~_UNSETTLED & Q(settled_at__isnull=True),
            "{status}, settled at {settled_at}",
        ),
        no_rows_where(Payment, Q(status="failed", failure_code=""), "failed without a reason"),
    ),
    check(
        "P7",
        "a callback waits, or was booked on its payment, or was given to a human",
        no_rows_where(
            Callback,
            Q(status="pending", processed_at__isnull=False)
            | ~Q(status="pending") & Q(processed_at__isnull=True),
            "{status}, processed at {processed_at}",
        ),
        no_rows_where(
            Callback,
            Q(status="processed") & ~Exists(_BOOKED),
            "processed, but {checkout_ref} is no payment of ours",
        ),
        no_rows_where(
            Callback,
            Q(status="unmatched") & ~Exists(_HANDED_OVER),
            "given to a human, but there is no flag about {about}",
            about=_UNKNOWN,
        ),
        no_rows_where(
            Alert,
            Q(payment__isnull=False) & ~Q(subject=F("payment"))
            | Q(kind="unmatched_callback") & ~Exists(_ABOUT_OURS),
            "{kind} is about {subject}, which is not its own",
        ),
    ),
)
