"""Sentences of refusals by billing.requests: payment requests."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

MESSAGES: dict[str, str | Promise] = {
    "amount_exceeds_due": _("Enter at most %(due)s: no more is due."),
    "amount_not_multiple": _(
        "Enter a multiple of %(step)s, like %(possible)s: only these can be paid online."
    ),
    "amount_too_small": _("Enter an amount above zero."),
    "amount_too_small.due": _("Less is due than the smallest online payment, %(minimum)s."),
    "amount_too_small.online": _("Enter at least %(minimum)s: less cannot be paid online."),
    "conflict.request_form_used": _(
        "This form has already requested %(amount)s. Open it again to request more."
    ),
    "conflict.request_form_used_elsewhere": _("This form was used for another invoice. Open it again."),
    "currency_mismatch": _("This invoice is in %(currency)s."),
    "expiry_in_past": _("Choose a time that is still to come."),
    "invoice_not_sent.request_on_draft": _("Send the invoice first; then you can ask for a part of it."),
    "invoice_not_sent.request_on_paid": _("This invoice is paid. There is nothing left to ask for."),
    "invoice_not_sent.request_on_void": _("This invoice is void. Nothing can be asked for it."),
    "invoice_not_sent.request_on_written_off": _(
        "This invoice was written off. Reopen it to ask for a payment."
    ),
    "note_too_long": _("Use at most %(limit)s characters; these are %(length)s."),
    "payment_in_progress.request": _(
        "A payment of this invoice is being processed. Ask again when it is settled."
    ),
    "payment_in_progress.resend": _(
        "This is being paid, so the link is not sent again. If the payment fails, the customer gets a mail, and you "
        "can send it again."
    ),
    "payment_request_open": _(
        "A request for %(amount)s is already open for this invoice. "
        "Cancel it, or wait until it is paid, before asking again."
    ),
    "payments_not_enabled": _("Payments are not enabled. An owner can turn them on in Settings → Payments."),
    "payments_not_enabled.credentials_unreadable": _(
        "The payment service's credentials cannot be read. An owner can connect it again in Settings → Payments."
    ),
    "payments_not_enabled.no_gateway_account": _(
        "No payment service is connected yet. An owner can connect one in Settings → Payments."
    ),
    "payments_not_enabled.live_account_when_not_live": _(
        "%(gateway_at_start)s is connected with a key for real money, and this installation is not marked live."
    ),
    "payments_not_enabled.test_gateway_when_live": _(
        "%(gateway_at_start)s moves no money, and this installation is live."
    ),
    "recipient_missing": _("Enter the address that the payment link goes to."),
    "return_url_form": _(
        "Customers cannot be led back to this address: it begins with https://, and every browser reads it alike."
    ),
    "return_url_not_allowed": _(
        "Customers cannot be led back to this address. An owner can allow it in Settings → Payments."
    ),
    "too_late": _("Too late: it was already paid."),
    "too_late.request_by_member": _("This request has already ended (canceled by a member)."),
    "too_late.request_expired": _("This request has already ended (expired)."),
    "too_late.request_invoice_changed": _("This request has already ended (the invoice changed)."),
    "too_late.request_invoice_paid": _("This request has already ended (the invoice was paid)."),
    "too_late.request_invoice_voided": _("This request has already ended (the invoice was voided)."),
    "too_late.request_invoice_written_off": _(
        "This request has already ended (the invoice was written off)."
    ),
    "too_late.request_offline_payment": _(
        "This request has already ended (an offline payment was recorded)."
    ),
    "too_late.request_paid": _("Too late: this request was already paid."),
    "too_late.request_replaced": _("This request has already ended (replaced by another request)."),
    "too_late.request_time_over": _("The last day to pay this request is over. Cancel it, then ask again."),
    "too_many_addresses": _("Enter at most %(limit)s addresses."),
}
