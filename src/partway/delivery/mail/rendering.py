"""Turns a mail's row into a message at the moment it is sent: words, figures and links (DESIGN R8)."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from email.utils import formataddr, parseaddr
from typing import Any, TypeVar
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db.models import QuerySet
from django.template.loader import render_to_string
from django.urls import reverse

from partway.accounts.models import Organization
from partway.billing import links
from partway.billing.documents import deposits
from partway.billing.models import Invoice, Mail, Payment, Quote
from partway.lib.money import Money

from ..pdf import PdfFile, invoice_pdf, quote_pdf, receipt_pdf
from ..receipt_figures import receipt
from ..templatetags.partway import format_date
from . import people

Context = dict[str, Any]
Row = TypeVar("Row")


class OutgoingMail(EmailMultiAlternatives):
    """A message that knows which row it is, so that it can be kept and recognized."""

    organization_id = ""
    mail_id = ""


def with_related_rows() -> QuerySet[Mail]:
    """Mails with the rows their text is made from, in one query."""
    return Mail.objects.select_related(
        "organization",
        "invoice__customer",
        "payment_request",
        "payment__organization",
        "payment__invoice__customer",
        "payment__quote__customer",
        "quote__customer",
    )


def message(mail: Mail) -> OutgoingMail:
    """The message of this mail, with its links and its document. Raises KeyError for a kind that is not in KINDS."""
    organization = mail.organization
    context = {"organization": organization, "mail": mail, **CONTEXT_BY_KIND[mail.kind](mail)}
    context["subject"] = one_line(context["subject"])
    outgoing = OutgoingMail(
        subject=context["subject"],
        body=render_to_string(f"mail/{mail.kind}.txt", context).strip() + "\n",
        from_email=_sender(organization) if organization else _own_sender(mail),
        to=mail.to,
        cc=mail.cc,
        bcc=mail.bcc,
        reply_to=[mail.reply_to or organization.email] if organization else [],
        headers={"Message-ID": f"<{mail.id}@{_host()}>", "Auto-Submitted": "auto-generated"},
    )
    outgoing.attach_alternative(render_to_string(f"mail/{mail.kind}.html", context), "text/html")
    if mail.kind in ATTACHMENT_BY_KIND:
        file = ATTACHMENT_BY_KIND[mail.kind](mail)
        outgoing.attach(file.name, file.content, file.media_type)
    outgoing.organization_id, outgoing.mail_id = mail.organization_id or "", mail.id
    return outgoing


def one_line(text: str) -> str:
    """`text` fit for a header: no line breaks, no control characters."""
    kept = "".join(outgoing if unicodedata.category(outgoing) != "Cc" else " " for outgoing in text)
    return " ".join(kept.split())


def stages(total: Money, paid: Money, requested: Money) -> list[tuple[str, int]]:
    """The stage bar as table cells: (part, percent) that add up to 100, without the empty parts."""
    if not total:
        return [("left", 100)]
    parts = {"paid": paid, "requested": requested, "left": total - paid - requested}
    shown = {
        name: max(1, part.amount_minor * 100 // total.amount_minor)
        for name, part in parts.items()
        if part.amount_minor > 0
    }
    widest = max(shown, key=lambda name: shown[name])
    shown[widest] += 100 - sum(shown.values())
    return list(shown.items())


def _invoice_sent(mail: Mail) -> Context:
    invoice = _required(mail.invoice)
    organization = _required(mail.organization)
    what = f"{invoice.amount_due} due" if invoice.amount_due else "paid"
    changed = bool(mail.data.get("changed"))
    return {
        **_invoice_context(invoice, Money(0, invoice.currency)),
        "subject": f"Invoice {invoice.number} from {organization.name}{', changed' if changed else ''}: {what}",
        "changed": changed,
        "url": links.invoice_url(invoice),
    }


def _payment_request(mail: Mail) -> Context:
    request, invoice = _required(mail.payment_request), _required(mail.invoice)
    organization = _required(mail.organization)
    requested = request.amount_requested
    return {
        **_invoice_context(invoice, requested),
        "subject": f"{organization.name} asks for {requested} (invoice {invoice.number})",
        "request": request,
        "url": links.request_url(request),
    }


def _payment_request_ended(mail: Mail) -> Context:
    request, invoice = _required(mail.payment_request), _required(mail.invoice)
    reason = _ENDED[mail.data.get("reason", "")]
    return {
        **_invoice_context(invoice, Money(0, invoice.currency)),
        "subject": f"Your request for {request.amount_requested} on {invoice.number} ended: {reason}",
        "request": request,
        "reason": reason,
        "due_label": _STILL_DUE.get(invoice.status, "Total Amount Due"),
        "url": _staff_url(invoice),
    }


# What the amount due is called on an invoice that ended; of a void one there is none.
_STILL_DUE = {"void": "", "written_off": "Written off"}

# Why a request ended without its asker; nothing is the reason of one whose time was over.
_ENDED = {
    "": "nobody paid it in time",
    "by_member": "a colleague canceled it",
    "invoice_paid": "the invoice was paid",
    "invoice_voided": "the invoice was voided",
    "invoice_changed": "the invoice changed, and less is due now",
    "invoice_written_off": "the invoice was written off",
    "offline_payment": "an offline payment was recorded, and less is due now",
    "replaced": "another request took its place",
}


def _quote_sent(mail: Mail) -> Context:
    quote = _required(mail.quote)
    due = deposits.deposit_status(quote) == "due"
    asks = quote.status == "accepted" and due
    what = f"deposit of {quote.deposit} due" if asks else f"{quote.total}"
    return {
        **_quote_context(quote),
        "subject": f"Quote {quote.number} from {quote.organization.name}: {what}",
        "asks": asks,
        "button": f"Pay {quote.deposit}" if asks else "See the quote",
        "url": links.quote_url(quote),
    }


def _quote_accepted(mail: Mail) -> Context:
    quote = _required(mail.quote)
    return {
        **_quote_context(quote),
        "subject": f"{quote.customer.name} accepted {quote.number} ({quote.total})",
        "url": _staff_url(quote),
    }


def _quote_declined(mail: Mail) -> Context:
    quote = _required(mail.quote)
    return {
        **_quote_context(quote),
        "subject": f"{quote.customer.name} declined {quote.number} ({quote.total})",
        "reason": mail.data.get("reason", ""),
        "url": _staff_url(quote),
    }


def _quote_context(quote: Quote) -> Context:
    nothing = Money(0, quote.currency)
    paid = deposits.deposit_status(quote) == "paid"
    return {
        "quote": quote,
        "left": quote.total - quote.deposit,
        "deposit_paid": paid,
        "stages": stages(quote.total, *((quote.deposit, nothing) if paid else (nothing, quote.deposit))),
    }


def _receipt(mail: Mail) -> Context:
    payment = _required(mail.payment)
    figures = _receipt_context(payment)
    captured = figures["receipt"].captured
    return {
        **figures,
        "subject": f"Receipt: {captured} paid to {payment.organization.name} ({_called(payment.document)})",
        "url": links.receipt_url(payment),
    }


def _payment_received(mail: Mail) -> Context:
    payment = _required(mail.payment)
    document, figures = payment.document, _receipt_context(payment)
    return {
        **figures,
        "subject": f"{document.customer.name} paid {figures['receipt'].captured} ({_called(document)})",
        "url": _staff_url(document),
    }


def _staff_url(document: Invoice | Quote) -> str:
    noun = "quote" if isinstance(document, Quote) else "invoice"
    return f"{settings.PARTWAY_URL}{reverse(f'staff:{noun}', args=[document.organization.slug, document.pk])}"


CONTEXT_BY_KIND: dict[str, Callable[[Mail], Context]] = {
    "invoice_sent": _invoice_sent,
    "payment_request": _payment_request,
    "payment_request_ended": _payment_request_ended,
    "quote_sent": _quote_sent,
    "quote_accepted": _quote_accepted,
    "quote_declined": _quote_declined,
    "receipt": _receipt,
    "payment_received": _payment_received,
    "invitation": people.invitation,
    "password_reset": people.password_reset,
    "sign_in_changed": people.sign_in_changed,
}

# What goes along as a file. It is set when the mail is sent, so that it says what the mail says.
ATTACHMENT_BY_KIND: dict[str, Callable[[Mail], PdfFile]] = {
    "invoice_sent": lambda mail: invoice_pdf(_required(mail.invoice)),
    "quote_sent": lambda mail: quote_pdf(_required(mail.quote)),
    "receipt": lambda mail: receipt_pdf(_required(mail.payment)),
}


def _invoice_context(invoice: Invoice, requested: Money) -> Context:
    return {
        "invoice": invoice,
        "requested": requested,
        "pay_label": f"Pay {requested}",
        "due_on": format_date(invoice.due_on),
        "left": invoice.amount_due - requested,
        "stages": stages(invoice.total, invoice.amount_paid, requested),
    }


def _called(document: Invoice | Quote) -> str:
    return f"{'quote' if isinstance(document, Quote) else 'invoice'} {document.number}"


def _receipt_context(payment: Payment) -> Context:
    paid = receipt(payment)
    nothing = Money(0, paid.total.currency)
    return {
        "invoice": payment.document,
        "is_deposit": isinstance(payment.document, Quote),
        "receipt": paid,
        "stages": stages(paid.total, paid.paid, nothing),
    }


def _required(row: Row | None) -> Row:
    if row is None:
        raise LookupError("this mail's row does not say what the mail is about")
    return row


def _sender(organization: Organization) -> str:
    """From the organization itself, or through one address that the mail server may send from."""
    shared = parseaddr(settings.PARTWAY_MAIL_FROM)[1] if settings.PARTWAY_MAIL_FROM else ""
    name = one_line(organization.name)
    return formataddr((f"{name} via Partway", shared) if shared else (name, organization.email))


def _own_sender(mail: Mail) -> str:
    """From the installation; without an address of its own, through that of an organization of the recipient."""
    shared = parseaddr(settings.PARTWAY_MAIL_FROM)[1] if settings.PARTWAY_MAIL_FROM else ""
    theirs = Organization.objects.filter(members__user__email__in=mail.to).order_by("created_at").first()
    address = shared or (theirs.email if theirs else f"partway@{_host()}")
    return formataddr(("Partway", address))


def _host() -> str:
    return urlsplit(settings.PARTWAY_URL).hostname or "localhost"
