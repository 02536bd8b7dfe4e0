"""A process that runs one act on a payment, so that a test can kill it: `python -m … ACT ID`."""

from __future__ import annotations

import sys

import django


def main(act: str, pk: str) -> None:
    """Runs one act on one row, as a web or worker process would."""
    django.setup()
    from partway.billing.events import CLOCK
    from partway.billing.models import Payment, PaymentRequest
    from partway.billing.payments.refresh import refresh_payment
    from partway.billing.payments.start import start_payment
    from partway.billing.requests import payment_requests
    from partway.lib.clock import now

    if act == "refresh":
        refresh_payment(Payment.objects.get(pk=pk), now=now())
        return
    request = PaymentRequest.objects.select_related("invoice").get(pk=pk)
    if act == "start":
        start_payment(request, expected_amount=request.amount_requested, payer_ip=None, now=now())
    elif act == "cancel":
        payment_requests.cancel(request, by=CLOCK, now=now())


if __name__ == "__main__":
    main(*sys.argv[1:])
