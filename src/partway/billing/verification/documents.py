"""Checks deposits, invoiced quotes and void invoices (DESIGN D1 to D3)."""

from __future__ import annotations

from django.db.models import Exists, F, OuterRef, Q

from ..documents import quotes
from ..models import Allocation, Invoice, Payment, Quote
from .checks import COMMITTED, UNCOMMITTED, Findings, Rows, TableCheck, check, no_rows_where

_TERMS = ("total_minor", "deposit_minor", "deposit_kind", "deposit_percent", "deposit_amount_minor")


def _deposits_by_terms(quotes_: Rows) -> Findings:
    for quote in quotes_.only(*_TERMS):
        recomputed = quotes.deposit_minor(quote, quote.total_minor)
        if quote.deposit_minor != recomputed:
            yield quote.pk, f"deposit {quote.deposit_minor}, its terms say {recomputed}"


_DEPOSIT = Q(quote__isnull=False, status="succeeded", accepted=True, deposit_given_back=False)
_EARLIER = Payment.objects.deposits().filter(quote=OuterRef("quote"), pk__lt=OuterRef("pk"))
_ALLOCATED_BEFORE = Allocation.objects.filter(
    cause="deposit", payment=OuterRef("payment"), pk__lt=OuterRef("pk")
)
_UNUSED_DEPOSIT = Payment.objects.deposits().exclude(allocations__cause="deposit")
_IS_CREDIT = Exists(Allocation.objects.filter(payment=OuterRef("pk"), cause="deposit"))
_ITS_QUOTE = Quote.objects.filter(
    pk=OuterRef("quote"), customer=OuterRef("customer"), currency=OuterRef("currency")
)
_ITS_INVOICE = Invoice.objects.filter(quote=OuterRef("pk")).exclude(status="void")


CHECKS = (
    check(
        "D1",
        "a deposit follows from the quote's terms; it is paid in full and once, of a quote that was accepted",
        TableCheck(Quote, _deposits_by_terms),
        no_rows_where(
            Payment,
            Q(quote__isnull=False) & ~Q(amount_minor=F("quote__deposit_minor")),
            "asks for {amount_minor}, the deposit is {quote__deposit_minor}",
        ),
        no_rows_where(Payment, _DEPOSIT & Exists(_EARLIER), "a second deposit of {quote}"),
        no_rows_where(
            Payment,
            # That of a withdrawn quote was on an invoice once, and is credit since that was voided.
            _DEPOSIT
            & ~Q(quote__status__in=("accepted", "invoiced"))
            & ~(Q(quote__status="withdrawn") & _IS_CREDIT),
            "a deposit of {quote}, which is {quote__status}",
        ),
    ),
    check(
        "D2",
        "an invoiced quote has its invoice, with its customer and currency, and no unsettled payment",
        no_rows_where(
            Quote, Q(status="invoiced") & ~Exists(_ITS_INVOICE), "invoiced, but no invoice was made of it"
        ),
        no_rows_where(
            Invoice,
            Q(quote__isnull=False)
            & (~Exists(_ITS_QUOTE) | (~Q(status="void") & ~Q(quote__status="invoiced"))),
            "does not fit {quote}, its quote",
        ),
        no_rows_where(
            Payment,
            (COMMITTED | UNCOMMITTED) & Q(quote__isnull=False) & ~Q(quote__status="accepted"),
            "{status}, but {quote} is {quote__status}",
        ),
    ),
    check(
        "D2",
        "a deposit is allocated, once, to the invoice made of its quote when that is sent",
        no_rows_where(
            Invoice,
            # A void one may have been sent before the deposit was paid.
            Q(sent_at__isnull=False, quote__isnull=False)
            & ~Q(status="void")
            & Exists(_UNUSED_DEPOSIT.filter(quote=OuterRef("quote"))),
            "was sent without the deposit of {quote}",
        ),
        no_rows_where(
            Allocation,
            Q(cause="deposit") & Exists(_ALLOCATED_BEFORE),
            "{payment} was allocated as a deposit before",
        ),
    ),
    check(
        "D3",
        "a void or draft invoice holds no money, and nothing of it is settled",
        no_rows_where(
            Invoice,
            Q(status__in=("draft", "void")) & ~Q(amount_paid_minor=0, adjusted_minor=0),
            "{status} with {amount_paid_minor} paid, {adjusted_minor} settled",
        ),
    ),
)
