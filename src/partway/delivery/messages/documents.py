"""Sentences of refusals by billing.documents: invoices, quotes, deposits, drafts."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

_FIELDS: dict[str, str | Promise] = {
    "acceptance_name": _("Type your name to accept."),
    "amount_negative": _("Enter zero or more."),
    "currency_fixed.from_quote": _("This invoice was made of a quote, so it keeps that currency."),
    "currency_fixed.sent": _("This invoice was sent, so it keeps that currency."),
    "customer_fixed.from_quote": _("This invoice was made of a quote, so it stays with that customer."),
    "customer_fixed.sent": _("This invoice was sent, so it stays with that customer."),
    "customer_missing": _("Choose a customer."),
    "date_out_of_range": _("Choose a day between %(first)s and %(last)s."),
    "decision_day": _("Choose a day from %(sent_on)s, when the quote was sent, to today."),
    "decision_name": _("Enter the name of the person who said it, in at most %(limit)s characters."),
    "deposit_amount": _("Enter an amount above zero, at most the total of %(total)s."),
    "deposit_below_minimum": _("A deposit of %(deposit)s cannot be paid online; the least is %(minimum)s."),
    "deposit_kind": _("Choose no deposit, a percentage or an amount."),
    "deposit_not_multiple": _("%(deposit)s cannot be paid online: make the deposit a multiple of %(step)s."),
    "deposit_percent": _("Enter a percentage above 0, at most 100, with at most four decimals."),
    "discount_exceeds_subtotal": _("The discount cannot be more than the lines add up to."),
    "due_days": _("Enter a whole number of days, at most %(limit)s."),
    "due_on_in_past": _("This invoice would be overdue the moment it is sent: it was due on %(due_on)s."),
    "due_on_missing": _("Choose the day on which it is due."),
    "line_count": _("Write between one and %(limit)s lines."),
    "line_description": _("Say what this line is for, in at most %(limit)s characters."),
    "line_quantity": _("Enter a quantity above zero, with at most four decimals."),
    "line_unit_amount": _("Enter a price of zero or more."),
    "nothing_due.draft": _("Nothing is due on this invoice. Add a line with a price before you send it."),
    "nothing_due.sent": _("Nothing would be due on this invoice. Void it instead."),
    "notify_of_draft": _("A draft is not mailed. Send it first."),
    "percentage_out_of_range": _("Enter a percentage between 0 and 100, with at most four decimals."),
    "quote_prefix": _("Use at most %(limit)s characters, and end with a letter or a mark, like QUO-."),
    "quote_without_total": _("The total of this quote is zero. Add a line with a price before you send it."),
    "text_too_long": _("Use at most %(limit)s characters."),
    "total_too_large": _("An invoice can be at most %(maximum)s."),
    "unknown_currency": _("Write the three letters of a currency, like USD."),
    "void_way_disputed": _(
        "Only %(left)s of this payment can be given back, because the rest is in a dispute. Keep it as credit."
    ),
    "void_way_missing": _("Choose what becomes of this payment."),
    "valid_until_in_past": _("This day is over. Choose one that is still to come."),
}

MESSAGES: dict[str, str | Promise] = {
    **_FIELDS,
    "conflict.correct_draft_invoice": _("This invoice was not sent yet: it shows what you have stored now."),
    "conflict.correct_void_invoice": _("This invoice is void. Write a new one instead."),
    "conflict.correct_written_off_invoice": _(
        "This invoice was written off. Reopen it before you correct it."
    ),
    "conflict.delete_sent_invoice": _("This invoice was sent, so it stays. Void it instead."),
    "conflict.delete_sent_quote": _("This quote was sent, so it stays. Withdraw it instead."),
    "conflict.deposit_before_acceptance": _("A deposit can be recorded once the quote is accepted."),
    "conflict.deposit_form_used": _("This form was used already. Open it again to record the deposit."),
    "conflict.draft_deleted": _("This draft was deleted in the meantime."),
    "conflict.edit_sent_quote": _(
        "Only a draft can be edited. Withdraw the quote and write a new one from it instead."
    ),
    "conflict.edit_void": _("This invoice is void. Write a new one instead."),
    "conflict.edit_written_off": _("This invoice was written off. Reopen it before you change it."),
    "conflict.invoice_already_sent": _("This invoice was already sent."),
    "conflict.invoice_before_acceptance": _("Only an accepted quote can be made into an invoice."),
    "conflict.no_deposit": _("This quote asks for no deposit."),
    "conflict.parties_unchanged": _("Choose what to correct. The rest is as you have it stored already."),
    "conflict.quote_already_sent": _("This quote was already sent."),
    "conflict.quote_not_sent": _("This quote was not sent yet."),
    "conflict.resend_draft_quote": _("Send the quote first; then its link can be mailed again."),
    "conflict.void_form_used": _("This form has voided the invoice already, with other choices than these."),
    "conflict.void_paid": _(
        "This invoice is paid. Choose Void Invoice again, and say what becomes of each payment."
    ),
    "conflict.void_void": _("This invoice is void and cannot be voided."),
    "conflict.void_with_deposit": _(
        "The deposit of %(quote)s, %(paid)s, is applied to this invoice. "
        "Choose Void Invoice again, and say what becomes of it."
    ),
    "conflict.void_with_payments": _(
        "%(paid)s was paid on this invoice. Choose Void Invoice again, and say what becomes of each payment."
    ),
    "conflict.void_written_off": _("This invoice is written off. Reopen it before you void it."),
    "conflict.withdraw_draft_quote": _("This quote was never sent, so there is nothing to withdraw."),
    "invoice_not_sent": _("This invoice is not in Sent status."),
    "payment_in_progress.deposit": _(
        "The deposit is being paid right now. Wait until that is settled, then try again."
    ),
    "stale.amount_paid_changed": _(
        "%(paid)s is paid on this invoice now, instead of %(expected)s. Look at each payment again."
    ),
    "stale.payments_changed": _(
        "Other payments are on this invoice now, for the same amount. Look at each of them again."
    ),
    "stale.quote_decided": _(
        "The customer accepted this quote in the meantime. Look again before you withdraw it."
    ),
    "stale.payment_becomes_credit": _(
        "%(paid)s was paid in the meantime. If you save this, %(credit)s of what was paid becomes the customer's "
        "credit. Look again before you do."
    ),
    "too_late.deposit_of_ended_quote": _("This quote has ended, so no deposit is due on it."),
    "too_late.deposit_of_invoiced_quote": _(
        "An invoice was made of this quote without a deposit; record the payment there."
    ),
    "too_late.deposit_paid": _("This deposit was already paid."),
    "too_late.quote_accepted": _("This quote is accepted already."),
    "too_late.quote_declined": _("This quote is declined already."),
    "too_late.quote_expired": _("This quote is expired already."),
    "too_late.quote_invoiced": _("This quote is invoiced already."),
    "too_late.quote_past_valid_until": _(
        "The last day of this quote is over, so it can be neither accepted nor declined any more."
    ),
    "too_late.quote_withdrawn": _("This quote is withdrawn already."),
    "too_late.resend_declined_quote": _("This quote is declined; its link is not mailed any more."),
    "too_late.resend_expired_quote": _("This quote is expired; its link is not mailed any more."),
    "too_late.resend_invoiced_quote": _("This quote is invoiced; its link is not mailed any more."),
    "too_late.resend_past_valid_until": _(
        "The last day of this quote is over; its link is not mailed any more."
    ),
    "too_late.resend_withdrawn_quote": _("This quote is withdrawn; its link is not mailed any more."),
    "too_late.withdraw_declined_quote": _("This quote is declined already and cannot be withdrawn."),
    "too_late.withdraw_expired_quote": _("This quote is expired already and cannot be withdrawn."),
    "too_late.withdraw_invoiced_quote": _(
        "An invoice was made of this quote. Void the invoice first; then the quote can be withdrawn."
    ),
    "too_late.withdraw_paid_deposit": _(
        "The deposit of %(deposit)s is paid. Reverse it if it did not arrive, or record a refund once it was given "
        "back. Then the quote can be withdrawn."
    ),
}
