"""Checks that amounts paid and settled follow from their rows, and no unit is allocated twice (DESIGN M2 to M4)."""

from __future__ import annotations

from collections import defaultdict

from django.db.models import Exists, F, OuterRef, Q, Sum
from django.db.models.functions import Coalesce

from ..models import Adjustment, Alert, Allocation, Customer, Dispute, Invoice, Payment, Refund
from ..models.invoices import AMOUNT_DUE_MINOR
from ..models.payments import ALLOCATING_CAUSES, DEALLOCATING_CAUSES, RECEIVED_STATUSES
from .checks import Findings, Rows, TableCheck, check, has_event, no_rows_where, total


def _balance_by_customer(customers: Rows) -> Findings:
    """Compares what a customer paid with what is on their invoices, their credit, and what is gone, per currency."""
    sums: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for noun in ("invoice__customer", "quote__customer"):
        payments = Payment.objects.succeeded().filter(**{f"{noun}__in": customers})
        grouped = payments.values_list(noun, "captured_currency").annotate(
            captured_sum=Sum("captured_minor"),
            unallocated_sum=Sum(
                F("captured_minor") - F("allocated_minor") - F("refunded_minor") - F("lost_minor")
            ),
        )
        for customer, currency, captured, unallocated in grouped:
            sums[customer, currency][0] += captured
            sums[customer, currency][2] += unallocated
        for gone in (Refund.objects.counted(), Dispute.objects.lost()):
            by_customer = gone.filter(**{f"payment__{noun}__in": customers})
            gone_sums = by_customer.values_list(f"payment__{noun}", "currency").annotate(
                gone_sum=Sum(F("amount_minor") - F("lost_minor"))
            )
            for customer, currency, gone_sum in gone_sums:
                sums[customer, currency][3] += gone_sum
    invoices = Invoice.objects.filter(customer__in=customers).values_list("customer", "currency")
    for customer, currency, paid in invoices.annotate(paid=Sum("amount_paid_minor")):
        sums[customer, currency][1] += paid
    for (customer, currency), (captured, paid, unallocated, gone_sum) in sums.items():
        if captured != paid + unallocated + gone_sum or unallocated < 0:
            message = (
                f"{captured} {currency} was paid, {paid} is on invoices, and the credit is {unallocated}"
            )
            yield customer, f"{message}; {gone_sum} was given back or lost" if gone_sum else message


def _is_payment_of(noun: str) -> Exists:
    """Returns whether the payment of an allocation pays its invoice, or the quote that the invoice was made of."""
    ours = {"invoice": "invoice", "quote": "invoice__quote"}[noun]
    return Exists(Payment.objects.filter(pk=OuterRef("payment"), accepted=True, **{noun: OuterRef(ours)}))


_ALLOCATED_SUM = total(Allocation.objects.filter(invoice=OuterRef("invoice")), "payment", of="payment")
# What a payment still has, frozen or not.
_HELD_MINOR = Coalesce("captured_minor", 0) - F("refunded_minor") - F("lost_minor")
# Of a dispute that is lost: a win before has put back what fitted, and the next loss begins anew.
_SINCE_LOST = Allocation.objects.filter(created_at__gte=F("dispute__closed_at"))
_SETTLED_FOR_DISPUTE = total(
    Adjustment.objects.filter(invoice=OuterRef("invoice")), "dispute", of="dispute"
) + total(
    Adjustment.objects.filter(taken_from__invoice=OuterRef("invoice")),
    "taken_from__dispute",
    of="dispute",
)
_HAS_ALERT = Exists(Alert.objects.filter(payment=OuterRef("pk"), kind="captured_amount_mismatch"))
_AS_REQUESTED = Q(captured_minor=F("amount_minor"), captured_currency=F("currency"))

_CAPTURED = {"captured_minor": "captured_minor", "captured_currency": "captured_currency"}
_HAS_SUCCEEDED_EVENT = has_event("payment", "payment.succeeded", at="settled_at", data_columns=_CAPTURED)

CHECKS = (
    check(
        "M2",
        "the amount paid of an invoice is the sum of its allocations",
        no_rows_where(
            Invoice,
            ~Q(amount_paid_minor=F("recomputed")),
            "amount paid {amount_paid_minor}, allocations {recomputed}",
            recomputed=total(Allocation.objects.all(), "invoice"),
        ),
    ),
    check(
        "M2",
        "what an invoice is settled by is the sum of its adjustments, and none is taken back beyond itself",
        no_rows_where(
            Invoice,
            ~Q(adjusted_minor=F("recomputed")),
            "settled {adjusted_minor}, adjustments {recomputed}",
            recomputed=total(Adjustment.objects.all(), "invoice"),
        ),
        no_rows_where(
            Adjustment,
            Q(amount_minor__lt=0, taken_from__isnull=True)
            | Q(amount_minor__gte=0, taken_from__isnull=False)
            | Q(amount_minor=0),
            "{amount_minor} by {cause}",
        ),
        no_rows_where(
            Adjustment,
            Q(taken_from__isnull=False)
            & ~(Q(taken_from__invoice=F("invoice")) & Q(taken_from__currency=F("currency")))
            | ~Q(currency=F("invoice__currency")),
            "{amount_minor} {currency} on {invoice} does not fit {taken_from}",
        ),
        no_rows_where(
            Adjustment,
            Q(taken_from__isnull=True, amount_minor__lt=0 - F("taken")),
            "{amount_minor}, of which {taken} is taken back",
            taken=total(Adjustment.objects.filter(amount_minor__lt=0), "taken_from"),
        ),
    ),
    check(
        "M2",
        "a sent or written-off invoice has an amount due, a paid one has none",
        no_rows_where(
            Invoice,
            Q(status__in=("sent", "written_off"), due__lte=0)
            | Q(status="paid") & ~Q(due=0)
            | Q(amount_paid_minor__lt=0)
            | Q(adjusted_minor__lt=0),
            "{status} with {amount_paid_minor} paid and {adjusted_minor} settled of {total_minor}",
            due=AMOUNT_DUE_MINOR,
        ),
    ),
    check(
        "M3",
        "what a payment says is allocated is the sum of its allocations, and within what was captured",
        no_rows_where(
            Payment,
            ~Q(allocated_minor=F("recomputed")),
            "allocated {allocated_minor}, allocations {recomputed}",
            recomputed=total(Allocation.objects.all(), "payment"),
        ),
        no_rows_where(
            Payment,
            Q(allocated_minor__lt=0)
            | Q(refunded_minor__lt=0)
            | Q(lost_minor__lt=0)
            | Q(allocated_minor__gt=_HELD_MINOR),
            "captured {captured_minor}, allocated {allocated_minor}, given back {refunded_minor}, lost {lost_minor}",
        ),
        no_rows_where(
            Payment,
            Q(frozen_minor__lt=0) | Q(frozen_minor__gt=_HELD_MINOR),
            "captured {captured_minor}, frozen {frozen_minor}, given back {refunded_minor}, lost {lost_minor}",
        ),
    ),
    check(
        "M3",
        "only a succeeded payment holds money; a reversed one is offline and holds none",
        no_rows_where(
            Payment,
            ~Q(status="succeeded") & ~Q(allocated_minor=0, refunded_minor=0, frozen_minor=0, lost_minor=0),
            "{status}, but allocated {allocated_minor}, given back {refunded_minor}, frozen {frozen_minor}, "
            "lost {lost_minor}",
        ),
        no_rows_where(
            Payment,
            Q(status="reversed", gateway_account__isnull=False),
            "reversed, but it was paid through a gateway",
        ),
    ),
    check(
        "M8",
        "what a payment says was given back is the sum of its pending and succeeded refunds, without what was lost",
        no_rows_where(
            Payment,
            ~Q(refunded_minor=F("recomputed")),
            "given back {refunded_minor}, refunds {recomputed}",
            recomputed=total(Refund.objects.counted(), "payment")
            - total(Refund.objects.counted(), "payment", "lost_minor"),
        ),
        no_rows_where(
            Refund,
            Q(amount_minor__lte=0) | ~Q(currency=F("payment__captured_currency")),
            "{amount_minor} {currency} of {payment}",
        ),
    ),
    check(
        "M3",
        "what a payment says is frozen, or lost, is the sum of its disputes that are open, or lost",
        *(
            no_rows_where(
                Payment,
                ~Q(**{column: F("recomputed")}),
                f"{word} {{{column}}}, disputes {{recomputed}}",
                recomputed=total(disputes, "payment") - total(disputes, "payment", "lost_minor"),
            )
            for column, word, disputes in (
                ("frozen_minor", "frozen", Dispute.objects.open()),
                ("lost_minor", "lost", Dispute.objects.lost()),
            )
        ),
        no_rows_where(
            Dispute,
            Q(amount_minor__lte=0) | ~Q(currency=F("payment__captured_currency")),
            "{amount_minor} {currency} of {payment}",
        ),
    ),
    check(
        "M5",
        "what a dispute took off invoices is at most itself, and of its own payment",
        no_rows_where(
            Dispute,
            Q(status="lost") & (Q(taken__gt=0) | Q(amount_minor__lt=F("lost_minor") - F("taken"))),
            "{amount_minor}, of which {lost_minor} is beyond its payment, but {taken} is on invoices",
            taken=total(_SINCE_LOST, "dispute"),
        ),
        no_rows_where(
            Dispute,
            Q(taken__gt=0),
            "{taken} more is put back on invoices than it took off them",
            taken=total(Allocation.objects.all(), "dispute"),
        ),
        no_rows_where(
            Allocation,
            Q(dispute__isnull=False) & ~Q(dispute__payment=F("payment")),
            "{amount_minor} of {payment} by {cause}, which does not fit {dispute}",
        ),
        no_rows_where(
            Adjustment,
            Q(dispute__status="lost", settled__gt=0 - F("taken"))
            | Q(dispute__status__in=("open", "won"), settled__gt=0),
            "{settled} is settled for {dispute}, which took {taken} off {invoice}",
            settled=_SETTLED_FOR_DISPUTE,
            taken=total(_SINCE_LOST.filter(invoice=OuterRef("invoice")), "dispute", of="dispute"),
        ),
    ),
    check(
        "M5",
        "what a refund took off invoices is at most itself; one that failed puts back no more, in its payment",
        no_rows_where(
            Refund,
            Q(taken__gt=0) | Q(amount_minor__lt=F("lost_minor") - F("taken")),
            "{amount_minor}, of which {lost_minor} is lost, but {taken} is on invoices",
            taken=total(Allocation.objects.all(), "refund"),
        ),
        no_rows_where(
            Allocation,
            Q(refund__isnull=False) & ~Q(refund__payment=F("payment"))
            | Q(cause="restored") & ~Q(refund__status="failed"),
            "{amount_minor} of {payment} by {cause}, which does not fit {refund}",
        ),
    ),
    check(
        "M5",
        "money that went beyond its payment has an alert, and is no loss while the payment has money for it",
        *(
            no_rows_where(
                model,
                Q(lost_minor__gt=0) & ~Exists(Alert.objects.filter(payment=OuterRef("payment"), kind=kind)),
                "{lost_minor} of {payment} is lost, and no alert was raised",
            )
            for model, kind in (
                (Refund, "refunded_beyond_payment"),
                (Dispute, "disputed_beyond_payment"),
            )
        ),
        *(
            no_rows_where(
                model,
                Q(status__in=statuses, lost_minor__gt=0)
                & Exists(Payment.objects.filter(pk=OuterRef("payment"), frozen_minor__lt=_HELD_MINOR)),
                "{lost_minor} of {payment} is lost, which has money for it",
            )
            for model, statuses in ((Refund, ("pending", "succeeded")), (Dispute, ("open", "lost")))
        ),
    ),
    check(
        "M3",
        "an allocation is of a payment and an invoice of one customer, with a cause that fits its sign",
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
            "{payment} is allocated to an invoice of another customer",
        ),
        no_rows_where(
            Allocation,
            Q(cause="payment") & ~_is_payment_of("invoice"),
            "{payment} was not accepted for {invoice}",
        ),
        no_rows_where(
            Allocation,
            Q(cause="deposit") & ~_is_payment_of("quote"),
            "{payment} is not a deposit of {invoice__quote}",
        ),
        no_rows_where(
            Allocation,
            Q(amount_minor__lt=0, allocated__lt=0),
            "{allocated} of {payment} is allocated to {invoice}",
            allocated=_ALLOCATED_SUM,
        ),
    ),
    check(
        "M3",
        "what a customer paid is on their invoices or is their credit, which is never negative",
        TableCheck(Customer, _balance_by_customer),
    ),
    check(
        "M4",
        "what is booked is what was captured, as the payment's event says; another amount than requested has an alert",
        no_rows_where(
            Payment,
            Q(status="succeeded", gateway_account__isnull=False) & ~_HAS_SUCCEEDED_EVENT,
            "captured {captured_minor} {captured_currency}, which no event says",
        ),
        no_rows_where(
            Payment,
            Q(status__in=RECEIVED_STATUSES, gateway_account__isnull=True) & ~_AS_REQUESTED,
            "{amount_minor} {currency} was recorded, {captured_minor} {captured_currency} is booked",
        ),
        no_rows_where(
            Payment,
            Q(status="succeeded") & ~_AS_REQUESTED & ~_HAS_ALERT,
            "captured {captured_minor} {captured_currency} where {amount_minor} {currency} was requested, and no alert",
        ),
    ),
)
