"""Checks payment requests and the payments of them (DESIGN R1 to R8)."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Count, Exists, F, Max, Model, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce

from partway.accounts.models import GatewayAccount

from ..models import Event, GatewayCall, Mail, Payment, PaymentRequest
from .checks import COMMITTED, UNCOMMITTED, Findings, Rows, TableCheck, check, no_rows_where, times_in_order

_OPEN = Q(status="open")
_DUE = F("invoice__total_minor") - F("invoice__amount_paid_minor") - F("invoice__adjusted_minor")
_OTHERS = PaymentRequest.objects.filter(_OPEN, invoice=OuterRef("invoice"), pk__lt=OuterRef("pk"))


_ACCEPTED = Payment.objects.filter(status="succeeded", accepted=True)
_PAYMENTS_OF_REQUEST = _ACCEPTED.filter(payment_request=OuterRef("pk")).values("payment_request")
# A payment in another currency is allocated to no invoice, so it ends no request.
_PAY_NOW = _ACCEPTED.filter(
    invoice=OuterRef("invoice"),
    payment_request__isnull=True,
    gateway_account__isnull=False,
    allocations__cause="payment",
).values("invoice")


def _expiry_errors(requests: Rows) -> Findings:
    """Compares expiry times in Python, because the databases write times differently."""
    sent = Event.objects.filter(type="payment_request.sent", payment_request=OuterRef("pk"))
    annotated = requests.annotate(recorded=Subquery(sent.values("data__expires_at")[:1]))
    expiries = annotated.exclude(expires_at=None, recorded=None).values_list("pk", "expires_at", "recorded")
    for pk, expires_at, recorded in expiries:
        if expires_at is None or recorded is None or datetime.fromisoformat(recorded) != expires_at:
            yield pk, f"expires at {expires_at}, its event says {recorded}"


def _sealed(model: type[Model], column: str) -> TableCheck:
    """Returns a part that finds text that is not a Fernet token, which starts with its version and a time."""
    clear = ~Q(**{column: ""}) & ~Q(**{f"{column}__startswith": "gAAAA"})
    return no_rows_where(model, clear, f"{column} can be read")


CHECKS = (
    check(
        "R1",
        "at most one request is open per invoice",
        no_rows_where(PaymentRequest, _OPEN & Exists(_OTHERS), "open beside another one of {invoice}"),
    ),
    check(
        "R2",
        "an open request is of a sent invoice and asks for no more than is due",
        no_rows_where(
            PaymentRequest,
            _OPEN & (~Q(invoice__status="sent") | Q(amount_requested_minor__gt=_DUE)),
            "open for {amount_requested_minor} of {invoice}, which is {invoice__status} with {due} due",
            due=_DUE,
        ),
    ),
    check(
        "R3",
        "a payment is of its request's invoice, and was begun before the request expired, as its event says when",
        no_rows_where(
            Payment,
            Q(payment_request__isnull=False)
            & ~Exists(
                PaymentRequest.objects.filter(pk=OuterRef("payment_request"), invoice=OuterRef("invoice"))
            ),
            "pays {payment_request}, which is of another invoice",
        ),
        no_rows_where(
            Payment,
            Q(payment_request__expires_at__lte=F("created_at")),
            "begun at {created_at}, the request had expired",
        ),
        TableCheck(PaymentRequest, _expiry_errors),
    ),
    check(
        "R3",
        "a payment that holds money or waits for its customer is of a sent invoice and at most its amount due",
        no_rows_where(
            Payment,
            (COMMITTED | UNCOMMITTED)
            & Q(invoice__isnull=False)
            & (~Q(invoice__status="sent") | Q(amount_minor__gt=_DUE)),
            "{status} for {amount_minor} of {invoice}, which is {invoice__status} with {due} due",
            due=_DUE,
        ),
    ),
    check(
        "R4",
        "a request that ended has no unsettled payment, and no payment was started after its end",
        no_rows_where(
            Payment,
            (COMMITTED | UNCOMMITTED) & Q(payment_request__isnull=False) & ~Q(payment_request__status="open"),
            "{status}, but {payment_request} is {payment_request__status}",
        ),
        times_in_order(Payment, "created_at", "payment_request__ended_at"),
    ),
    check(
        "R4",
        "a paid request has one accepted payment, and the request of an accepted payment is paid",
        no_rows_where(
            PaymentRequest,
            Q(status="paid") & ~Q(accepted=1),
            "paid, by {accepted} payments that succeeded and were accepted",
            accepted=Coalesce(Subquery(_PAYMENTS_OF_REQUEST.annotate(count=Count("pk")).values("count")), 0),
        ),
        no_rows_where(
            Payment,
            Q(status="succeeded", accepted=True, payment_request__isnull=False)
            & ~Q(payment_request__status="paid"),
            "succeeded, but {payment_request} is {payment_request__status}",
        ),
    ),
    check(
        "R5",
        "no mail with a request's link was queued after the request ended",
        times_in_order(Mail, "created_at", "payment_request__ended_at", Q(kind="payment_request")),
    ),
    check(
        "R6",
        "no request stayed open when the invoice was paid by Pay Now",
        times_in_order(
            PaymentRequest,
            "last_pay_now",
            "created_at",
            _OPEN,
            last_pay_now=Subquery(_PAY_NOW.annotate(last=Max("settled_at")).values("last")),
        ),
    ),
    check(
        "R8",
        "addresses of checkouts, call bodies and credentials are stored encrypted",
        _sealed(Payment, "sealed_checkout_url"),
        _sealed(GatewayCall, "sealed_body"),
        _sealed(GatewayAccount, "sealed_credentials"),
    ),
)
