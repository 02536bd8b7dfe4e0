"""Sentences of refusals as programs get them, in place of those that speak of a page: they name fields and calls."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

_KEY_USED = _(
    "This Idempotency-Key has acted already, and what it did is another thing now. Take a new key to act again."
)

MESSAGES: dict[str, str | Promise] = {
    "invalid": _("Correct the fields that are named."),
    # An act whose answer was lost, and whose row has changed since
    "conflict.credit_form_used": _KEY_USED,
    "conflict.deposit_form_used": _KEY_USED,
    "conflict.endpoint_form_used": _KEY_USED,
    "conflict.payment_form_used": _KEY_USED,
    "conflict.refund_form_used": _KEY_USED,
    "conflict.request_form_used": _KEY_USED,
    "conflict.request_form_used_elsewhere": _KEY_USED,
    "conflict.settle_form_used": _KEY_USED,
    "conflict.void_form_used": _KEY_USED,
    # Documents
    "conflict.void_paid": _("This invoice is paid. Say in payments what becomes of each payment."),
    "conflict.void_with_deposit": _(
        "The deposit of %(quote)s, %(paid)s, is applied to this invoice. Say in payments what becomes of it."
    ),
    "conflict.void_with_payments": _(
        "%(paid)s was paid on this invoice. Say in payments what becomes of each payment."
    ),
    "conflict.edit_sent_quote": _("Only a draft can be edited. Withdraw the quote and write a new one."),
    "due_on_in_past": _(
        "This invoice would be overdue the moment it is sent: it was due on %(due_on)s. Set allow_overdue to send it "
        "all the same."
    ),
    "stale": _("This was changed since this version was read. Read it again."),
    "stale.alert_changed": _("This entry has changed since its digest was read. Read it again."),
    "stale.amount_due_changed": _("In the meantime %(due)s is due, not %(expected)s. Read it again."),
    "stale.amount_paid_changed": _(
        "%(paid)s is paid on this invoice now, instead of %(expected)s. Read its payments again."
    ),
    "stale.payments_changed": _(
        "Other payments are on this invoice now, for the same amount. Read its payments again."
    ),
    "stale.payment_becomes_credit": _(
        "%(paid)s was paid in the meantime. By this change %(credit)s of what was paid becomes the customer's credit. "
        "Send the new amount_paid if that is meant."
    ),
    "stale.version_changed": _("This was changed since this version was read. Read it again."),
    "void_way_missing": _(
        "Send a way that this payment can go: gateway for an online one, outside with method, or credit."
    ),
    # Money
    "amount_exceeds_due.keep_as_credit": _(
        "%(due)s is due, so %(excess)s would be too much. Send less, or set keep_rest_as_credit."
    ),
    "paid_before_issue.invoice": _(
        "This is before the invoice was issued (%(issued_on)s). Set paid_before_issue to record it all the same."
    ),
    "paid_before_issue.quote": _(
        "This is before the quote was sent (%(issued_on)s). Set paid_before_issue to record it all the same."
    ),
    "refund_reason_unknown": _(
        "A refund through the payment service takes a reason: canceled, complaint, duplicate, overpaid or other."
    ),
    "settle_large_unconfirmed": _(
        "%(rest)s is more than %(percent)s%% of %(total)s. Set confirm_large if it need not be paid; that takes a key "
        "of the scope admin."
    ),
    "rate_limited.mail_member": _(
        "This key has sent as many mails as it can within an hour. Nothing was sent now. "
        "Try again in %(minutes)s min."
    ),
    # Imports
    "conflict.many_imports": _(
        "%(limit)s files wait to be imported. Confirm some of them; those left alone are deleted after a week."
    ),
    "import_file.encoding_unknown": _(
        "This file is not in UTF-8. If it comes from Windows, send windows-1252 as its encoding; else save it as "
        "“CSV UTF-8”."
    ),
    "import_column_required": _("Name the column of this field."),
    "import_customer_required": _(
        "Name the column of customer_reference, or that of customer_email, by which customers are found."
    ),
    "import_date_format": _("Send how the file writes dates, as one of the values of date_format."),
    "import_decimal_mark": _("Send what the file writes before the decimals: a point or a comma."),
    "cell_day": _(
        "This is no day written as %(date_format)s. Correct it, or send the file with another date_format."
    ),
}
