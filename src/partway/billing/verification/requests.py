"""Payment requests and what waits to pay them (DESIGN R1 to R8)."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Count, Exists, F, Max, Model, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce

from partway.accounts.models import GatewayAccount

from ..models import Event, GatewayCall, Mail, Payment, PaymentRequest
from .checks import COMMITTED, UNCOMMITTED, Findings, Rows, TableCheck, check, no_rows_where, times_in_order

_OPEN = Q(status="open")
_DUE = F("invoice__total_minor") - F("invoice__amount_paid_minor")
_OTHERS = PaymentRequest.objects.filter(_OPEN, invoice=OuterRef("invoice"), pk__lt=OuterRef("pk"))


def _wanted(payments: Rows) -> Coalesce:
    """How many payments of this request came in and were wanted."""
    rows = payments.filter(payment_request=OuterRef("pk"), status="succeeded", accepted=True)
    return Coalesce(Subquery(rows.values("payment_request").annotate(many=Count("pk")).values("many")), 0)


def _paid_now(payments: Rows) -> Subquery:
    """When Pay Now last put money on the invoice, past its requests; what is in another currency overtakes nothing."""
    rows = payments.filter(
        invoice=OuterRef("invoice"),
        payment_request__isnull=True,
        gateway_account__isnull=False,
        status="succeeded",
        accepted=True,
        allocations__cause="payment",
    )
    return Subquery(rows.values("invoice").annotate(last=Max("settled_at")).values("last"))


def _other_ends(requests: Rows) -> Findings:
    """Compared here and not by the databases, which write times in different ways."""
    sent = Event.objects.filter(type="payment_request.sent", payment_request=OuterRef("pk"))
    told = requests.annotate(told=Subquery(sent.values("data__expires_at")[:1]))
    ends = told.exclude(expires_at=None, told=None).values_list("pk", "expires_at", "told")
    for pk, expires_at, said in ends:
        if expires_at is None or said is None or datetime.fromisoformat(said) != expires_at:
            yield pk, f"expires at {expires_at}, its event says {said}"


def _sealed(model: type[Model], column: str) -> TableCheck:
    """A sealed text is a Fernet token, whose first byte is the version and whose next ones are a time."""
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
        TableCheck(PaymentRequest, _other_ends),
    ),
    check(
        "R3",
        "a payment that holds money, or waits for its customer, fits in what is due on a sent invoice",
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
        "a request that ended takes no money: what pays it holds nothing, and nothing was begun after its end",
        no_rows_where(
            Payment,
            (COMMITTED | UNCOMMITTED) & Q(payment_request__isnull=False) & ~Q(payment_request__status="open"),
            "{status}, but {payment_request} is {payment_request__status}",
        ),
        times_in_order(Payment, "created_at", "payment_request__ended_at"),
    ),
    check(
        "R4",
        "a paid request has one payment that was wanted, and such a payment has paid its request",
        no_rows_where(
            PaymentRequest,
            Q(status="paid") & ~Q(wanted=1),
            "paid, by {wanted} payments that came in and were wanted",
            wanted=_wanted(Payment.objects.all()),
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
        "no mail with a request's link was written after the request ended",
        times_in_order(Mail, "created_at", "payment_request__ended_at", Q(kind="payment_request")),
    ),
    check(
        "R6",
        "no request stayed open when the invoice was paid by Pay Now",
        times_in_order(
            PaymentRequest, "paid_now", "created_at", _OPEN, paid_now=_paid_now(Payment.objects.all())
        ),
    ),
    check(
        "R8",
        "addresses of checkouts and credentials rest sealed",
        _sealed(Payment, "sealed_checkout_url"),
        _sealed(GatewayCall, "sealed_body"),
        _sealed(GatewayAccount, "sealed_credentials"),
    ),
)
