"""The mail that asks for a payment. To the request's To, Cc and Bcc; replies go to the requester."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _

from partway.accounts.permissions import Permission
from partway.billing import links
from partway.billing.models import Mail, PaymentRequest
from partway.billing.requests import payment_requests

from ...formats import format_money
from ..content import Content, invoice_context, required

read_permission = Permission.COPY_LINKS


def is_valid(mail: Mail, *, now: datetime) -> bool:
    """Returns False once the request has ended, its time is over, it is being paid, or its recipients are others (R5).

    The mail of a payment that failed has the link again.
    """
    request = PaymentRequest.objects.open().filter(pk=mail.payment_request_id).first()
    if request is None or request.has_expired(now) or payment_requests.is_being_paid(request):
        return False
    # A member has corrected the addresses while this waited, and a mail to the right ones was queued then.
    return [request.to, request.cc, request.bcc] == [mail.to, mail.cc, mail.bcc]


def content(mail: Mail) -> Content:
    """The amount requested, what is left after it, and the payment link."""
    request, invoice = required(mail.payment_request), required(mail.invoice)
    return Content(
        subject=_("%(organization)s asks for %(amount)s (invoice %(number)s)")
        % {
            "organization": required(mail.organization).name,
            "amount": format_money(request.amount_requested),
            "number": invoice.number,
        },
        context={
            **invoice_context(invoice, request.amount_requested),
            "request": request,
            "url": links.request_url(request),
        },
    )
