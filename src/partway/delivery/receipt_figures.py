"""The figures of a receipt: what a payment paid, as it stood when it came in; the same on page, mail and PDF."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from partway.accounts.models import default_payment_modes
from partway.billing import links
from partway.billing.models import Adjustment, Allocation, Dispute, Invoice, Payment
from partway.billing.models.adjustments import AdjustmentReason
from partway.billing.models.payments import AllocationCause
from partway.lib.clock import today
from partway.lib.money import Money

from .formats import format_money


@dataclass(frozen=True, slots=True)
class Receipt:
    """The figures of one payment as it came in; all but `captured` are in the invoice's currency."""

    captured: Money  # taken by the gateway, or typed in by a member
    applied: Money  # the part of it that was allocated to the document
    total: Money
    paid_before: Money
    adjusted: Money  # settled without a payment by then, as a bank fee
    paid_on: date  # in the time zone of the seller then
    method: str  # a label, as “Bank debit”
    method_in_sentence: str  # the same within a sentence: “bank debit”, but “PayPal” as the owner wrote it
    is_deposit: bool  # of a quote; else a payment of an invoice
    is_sent_back: bool  # what of it fits nowhere, by itself; else that is credit

    @property
    def paid(self) -> Money:
        """The amount paid on the document, this payment included."""
        return self.paid_before + self.applied

    @property
    def left(self) -> Money:
        """The amount due after this payment."""
        return self.total - self.paid - self.adjusted

    @property
    def surplus(self) -> Money | None:
        """The part of the captured amount that became the customer's credit; None when all was applied."""
        if self.captured.currency != self.applied.currency:
            return self.captured
        return self.captured - self.applied or None

    @property
    def surplus_explanation(self) -> str:
        """Why the surplus could not be applied, as a sentence; empty when there is no surplus."""
        if not self.surplus:
            return ""
        if self.captured.currency != self.applied.currency:
            text = (
                _("%(surplus)s was taken in another currency than this quote’s.")
                if self.is_deposit
                else _("%(surplus)s was taken in another currency than this invoice’s.")
            )
        elif self.applied:
            text = (
                _("%(surplus)s of it was more than the deposit of this quote.")
                if self.is_deposit
                else _("%(surplus)s of it was more than was due on this invoice.")
            )
        elif self.is_deposit:
            text = _("%(surplus)s could not be taken as the deposit of this quote.")
        else:
            text = _("%(surplus)s was paid after it was no longer due.")
        return text % {"surplus": format_money(self.surplus)}


def receipt(payment: Payment) -> Receipt:
    """Returns the receipt of a payment that came in, which later payments do not change; ValueError for others."""
    captured = payment.captured
    if captured is None or payment.settled_at is None:
        raise ValueError(f"{payment.id} took no money, so there is no receipt")
    # The event of that moment has the total; the document may have been edited since.
    booked = payment.events.filter(type__in=["payment.succeeded", "payment.recorded"])
    booking: dict[str, int] = booked.values_list("data", flat=True).first() or {}
    document = payment.document
    before, applied = _paid_before_and_applied(payment, booking)
    label = method_label(payment.method)
    is_own_wording = not payment.method.islower() and payment.method not in default_payment_modes()
    return Receipt(
        captured=captured,
        applied=applied,
        total=Money(booking.get("total_minor", document.total_minor), document.currency),
        paid_before=before,
        adjusted=Money(booking.get("adjusted_minor", 0), document.currency),
        paid_on=payment.day(payment.seller.time_zone),
        method=label,
        method_in_sentence=label if is_own_wording else label.lower(),
        is_deposit=payment.invoice_id is None,
        is_sent_back=payment.refunds.counted().filter(is_automatic=True).exists(),
    )


def _paid_before_and_applied(payment: Payment, booking: dict[str, int]) -> tuple[Money, Money]:
    """Returns the amount paid on the document before this payment, and the part of the payment allocated to it."""
    currency = payment.document.currency
    if (
        payment.invoice is None
    ):  # a deposit is the first payment of a quote, and no allocation until its invoice
        return Money(0, currency), Money(booking.get("deposit_minor", 0), currency)
    if "allocated_minor" in booking:  # later allocations and deallocations do not belong to this receipt
        return Money(booking["paid_before_minor"], currency), Money(booking["allocated_minor"], currency)
    rows = list(Allocation.objects.filter(invoice=payment.invoice).order_by("created_at", "id"))
    place = next((index for index, row in enumerate(rows) if row.payment_id == payment.id), None)
    if place is None:
        # All of it became credit: what was allocated to the invoice when the payment settled.
        earlier = [row for row in rows if payment.settled_at and row.created_at <= payment.settled_at]
        return Money(sum(row.amount_minor for row in earlier), currency), Money(0, currency)
    before = Money(sum(row.amount_minor for row in rows[:place]), currency)
    return before, Money(rows[place].amount_minor, currency)


def reversed_on(payment: Payment) -> date:
    """Returns the day on which a reversed payment was reversed, in the organization's time zone."""
    moments = payment.events.filter(type="payment.reversed").values_list("created_at", flat=True)
    return today(moments.get(), payment.seller.time_zone)


def lost_disputes(payment: Payment) -> list[tuple[Dispute, date]]:
    """Returns the disputes by which the customer has money of this payment again, each with its day where it is."""
    zone = payment.seller.time_zone
    lost = payment.disputes.lost().order_by("closed_at", "pk") if payment.lost_minor else ()
    return [(row, today(row.closed_at, zone)) for row in lost if row.closed_at]


class PaymentHistoryRow(NamedTuple):
    """One allocation or adjustment of an invoice: the day, what it was, and the amount, negative when taken off.

    `receipt_url` leads to the receipt of a payment that came in; empty for what was only moved or settled.
    """

    on: date
    method: str
    amount: Money
    receipt_url: str = ""


# How a payment's name continues where it did not simply pay.
_CAUSES = {
    AllocationCause.CREDIT: gettext_lazy("%(payment)s, from credit"),
    AllocationCause.REVERSED: gettext_lazy("%(payment)s reversed"),
    AllocationCause.EDITED: gettext_lazy("%(payment)s, moved to credit"),
    AllocationCause.RELEASED: gettext_lazy("%(payment)s, moved to credit"),
    AllocationCause.REFUNDED: gettext_lazy("%(payment)s, given back"),
    AllocationCause.RESTORED: gettext_lazy("%(payment)s, refund failed"),
    AllocationCause.DISPUTED: gettext_lazy("%(payment)s, taken back by the bank"),
    AllocationCause.REINSTATED: gettext_lazy("%(payment)s, returned by the bank"),
}


_CAUSES_WITH_RECEIPT = (AllocationCause.PAYMENT, AllocationCause.DEPOSIT)


def payment_history(invoice: Invoice) -> list[PaymentHistoryRow]:
    """Returns the allocations and adjustments of this invoice by their day, oldest first; taken off is negative."""
    zone = invoice.seller.time_zone
    history = []
    allocations = Allocation.objects.filter(invoice=invoice).select_related("payment__quote")
    for row in allocations.order_by("created_at", "id"):
        quote, cause = row.payment.quote, AllocationCause(row.cause)
        name = (
            _("deposit of %(number)s") % {"number": quote.number}
            if quote
            else method_label(row.payment.method)
        )
        # A payment was made on the day it names, which may be before it was recorded.
        paid_on = row.payment.paid_on if cause == AllocationCause.PAYMENT else None
        shown = PaymentHistoryRow(
            on=paid_on or today(row.created_at, zone),
            method=str(_CAUSES[cause]) % {"payment": name} if cause in _CAUSES else name,
            amount=Money(row.amount_minor, row.currency),
            receipt_url=links.receipt_url(row.payment) if cause in _CAUSES_WITH_RECEIPT else "",
        )
        history.append(shown)
    for adjustment in Adjustment.objects.filter(invoice=invoice).order_by("created_at", "id"):
        text = _("%(reason)s, settled") if adjustment.amount_minor > 0 else _("%(reason)s, due again")
        history.append(
            PaymentHistoryRow(
                on=today(adjustment.created_at, zone),
                method=text % {"reason": adjustment_label(adjustment.reason)},
                amount=adjustment.amount,
            )
        )
    return sorted(history, key=lambda row: row.on)  # stable: those of one day in the order of their booking


# How customers and members read the reasons; the bookkeeper's note stays inside.
_ADJUSTMENTS = {
    AdjustmentReason.FEE: gettext_lazy("Bank fee"),
    AdjustmentReason.ROUNDING: gettext_lazy("Rounding"),
    AdjustmentReason.GOODWILL: gettext_lazy("Goodwill"),
    # The customer got their money back, and reads that nothing is asked of them.
    AdjustmentReason.DISPUTE: gettext_lazy("No longer due"),
}


def adjustment_label(reason: str) -> str:
    """Returns “Bank fee” for `fee`."""
    return str(_ADJUSTMENTS[AdjustmentReason(reason)])


ONLINE_METHODS = {"card": gettext_lazy("Card"), "bank_debit": gettext_lazy("Bank debit")}


# Methods whose name is a brand, the same in every language.
METHOD_BRANDS = {
    "affirm": "Affirm",
    "afterpay_clearpay": "Afterpay, Clearpay",
    "alma": "Alma",
    "amazon_pay": "Amazon Pay",
    "au_becs_debit": "BECS Direct Debit",
    "bacs_debit": "Bacs Direct Debit",
    "bancontact": "Bancontact",
    "billie": "Billie",
    "blik": "BLIK",
    "cashapp": "Cash App Pay",
    "eps": "EPS",
    "ideal": "iDEAL",
    "klarna": "Klarna",
    "link": "Link",
    "mobilepay": "MobilePay",
    "p24": "Przelewy24",
    "revolut_pay": "Revolut Pay",
    "satispay": "Satispay",
    "sepa_debit": "SEPA Direct Debit",
    "twint": "TWINT",
    "us_bank_account": "ACH Direct Debit",
}


def method_label(method: str) -> str:
    """Returns “Bank debit” for `bank_debit`; a payment mode in the owner's own words stays as it is."""
    if method in ONLINE_METHODS:
        return str(ONLINE_METHODS[method])
    if method in METHOD_BRANDS:
        return METHOD_BRANDS[method]
    return f"{method[:1].upper()}{method[1:]}".replace("_", " ")
