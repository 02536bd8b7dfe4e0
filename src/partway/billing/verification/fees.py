"""Checks that the gateway's fees are those that it said (DESIGN M4, M6)."""

from __future__ import annotations

from django.db.models import Q

from ..models import Payment, Refund
from .checks import check, has_event, no_rows_where

_FEE = {"fee_minor": "fee_minor", "fee_currency": "fee_currency"}
_OF_REFUND = {"refund": "pk"}
_HAS_FEE = Q(fee_minor__isnull=False)
_SAID = "a fee of {fee_minor} {fee_currency}, which is not what its events say"

CHECKS = (
    check(
        "M6",
        "the fee of a payment or a refund is that of its event, and only what a gateway moved has one",
        no_rows_where(
            Payment,
            _HAS_FEE & ~has_event("payment", "payment.fee_booked", data_columns=_FEE)
            | ~_HAS_FEE & has_event("payment", "payment.fee_booked"),
            _SAID,
        ),
        no_rows_where(
            Refund,
            _HAS_FEE
            & ~has_event("payment", "refund.fee_booked", of="payment", data_columns={**_FEE, **_OF_REFUND})
            | ~_HAS_FEE & has_event("payment", "refund.fee_booked", of="payment", data_columns=_OF_REFUND),
            _SAID,
        ),
        no_rows_where(Payment, _HAS_FEE & Q(gateway_account__isnull=True), "recorded by hand, and has a fee"),
        no_rows_where(Refund, _HAS_FEE & Q(mode="offline"), "recorded by hand, and has a fee"),
    ),
)
