"""Where money stands (DESIGN M2 to M4): amounts paid follow from allocations, and no unit stands in two places."""

from __future__ import annotations

from collections import defaultdict

from django.db.models import Exists, F, OuterRef, Q, Sum
from django.db.models.functions import Coalesce

from ..models import Alert, Allocation, Customer, Invoice, Payment
from ..models.payments import ALLOCATING_CAUSES, DEALLOCATING_CAUSES, RECEIVED_STATUSES
from .checks import Findings, Rows, TableCheck, check, has_event, no_rows_where, total


def _in_balance(customers: Rows) -> Findings:
    """What came in from a customer stands on their invoices or is their credit, currency by currency."""
    sums: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    for noun in ("invoice__customer", "quote__customer"):
        payments = Payment.objects.succeeded().filter(**{f"{noun}__in": customers})
        grouped = payments.values_list(noun, "captured_currency").annotate(
            came=Sum("captured_minor"), left=Sum(F("captured_minor") - F("allocated_minor"))
        )
        for customer, currency, came, left in grouped:
            sums[customer, currency][0] += came
            sums[customer, currency][2] += left
    invoices = Invoice.objects.filter(customer__in=customers).values_list("customer", "currency")
    for customer, currency, paid in invoices.annotate(paid=Sum("amount_paid_minor")):
        sums[customer, currency][1] += paid
    for (customer, currency), (came, paid, left) in sums.items():
        if came != paid + left or left < 0:
            yield customer, f"{came} {currency} came in, {paid} stands on invoices, and the credit is {left}"


def _is_of(noun: str) -> Exists:
    """Whether the payment of an allocation pays this very invoice, or the quote it was made from."""
    ours = {"invoice": "invoice", "quote": "invoice__quote"}[noun]
    return Exists(Payment.objects.filter(pk=OuterRef("payment"), accepted=True, **{noun: OuterRef(ours)}))


_STANDING = total(Allocation.objects.filter(invoice=OuterRef("invoice")), "payment", of="payment")
_FLAGGED = Exists(Alert.objects.filter(payment=OuterRef("pk"), kind="captured_amount_mismatch"))
_AS_ASKED = Q(captured_minor=F("amount_minor"), captured_currency=F("currency"))

_CAPTURED = {"captured_minor": "captured_minor", "captured_currency": "captured_currency"}
_TOLD = has_event("payment", "payment.succeeded", at="settled_at", told=_CAPTURED)

CHECKS = (
    check(
        "M2",
        "the amount paid of an invoice is the sum of its allocations",
        no_rows_where(
            Invoice,
            ~Q(amount_paid_minor=F("facts")),
            "amount paid {amount_paid_minor}, allocations {facts}",
            facts=total(Allocation.objects.all(), "invoice"),
        ),
    ),
    check(
        "M2",
        "on a sent and a written-off invoice something is due, on a paid one nothing",
        no_rows_where(
            Invoice,
            Q(status__in=("sent", "written_off"), amount_paid_minor__gte=F("total_minor"))
            | Q(status="paid", amount_paid_minor__lt=F("total_minor"))
            | Q(amount_paid_minor__lt=0),
            "{status} with {amount_paid_minor} paid of {total_minor}",
        ),
    ),
    check(
        "M3",
        "what a payment says is allocated is the sum of its allocations, and within what was captured",
        no_rows_where(
            Payment,
            ~Q(allocated_minor=F("facts")),
            "allocated {allocated_minor}, allocations {facts}",
            facts=total(Allocation.objects.all(), "payment"),
        ),
        no_rows_where(
            Payment,
            Q(allocated_minor__lt=0) | Q(allocated_minor__gt=Coalesce("captured_minor", 0)),
            "captured {captured_minor}, allocated {allocated_minor}",
        ),
    ),
    check(
        "M3",
        "only a succeeded payment holds money; a reversed one is offline and holds none",
        no_rows_where(
            Payment,
            ~Q(status="succeeded") & ~Q(allocated_minor=0),
            "{status}, but allocated {allocated_minor}",
        ),
        no_rows_where(
            Payment, Q(status="reversed", gateway_account__isnull=False), "reversed, but it came by a gateway"
        ),
    ),
    check(
        "M3",
        "an allocation puts a payment on an invoice of its customer, for a reason that fits its sign",
        no_rows_where(
            Allocation,
            Q(cause__in=ALLOCATING_CAUSES, amount_minor__lte=0)
            | Q(cause__in=DEALLOCATING_CAUSES, amount_minor__gte=0)
            | ~Q(cause__in=[*ALLOCATING_CAUSES, *DEALLOCATING_CAUSES]),
            "{amount_minor} because of {cause}",
        ),
        no_rows_where(
            Allocation,
            ~Q(invoice__customer=Coalesce("payment__invoice__customer", "payment__quote__customer")),
            "puts {payment} on an invoice of another customer",
        ),
        no_rows_where(
            Allocation, Q(cause="payment") & ~_is_of("invoice"), "{payment} was not wanted for {invoice}"
        ),
        no_rows_where(
            Allocation, Q(cause="deposit") & ~_is_of("quote"), "{payment} is no deposit of {invoice__quote}"
        ),
        no_rows_where(
            Allocation,
            Q(amount_minor__lt=0, standing__lt=0),
            "{standing} of {payment} stands on {invoice}",
            standing=_STANDING,
        ),
    ),
    check(
        "M3",
        "what came in from a customer stands on their invoices or is their credit, which is never negative",
        TableCheck(Customer, _in_balance),
    ),
    check(
        "M4",
        "what is booked is what was taken, as the event of the payment tells it; another amount than asked is flagged",
        no_rows_where(
            Payment,
            Q(status="succeeded", gateway_account__isnull=False) & ~_TOLD,
            "captured {captured_minor} {captured_currency}, which no event tells",
        ),
        no_rows_where(
            Payment,
            Q(status__in=RECEIVED_STATUSES, gateway_account__isnull=True) & ~_AS_ASKED,
            "{amount_minor} {currency} was recorded, {captured_minor} {captured_currency} is booked",
        ),
        no_rows_where(
            Payment,
            Q(status="succeeded") & ~_AS_ASKED & ~_FLAGGED,
            "captured {captured_minor} {captured_currency} where {amount_minor} {currency} was asked, and no flag",
        ),
    ),
)
